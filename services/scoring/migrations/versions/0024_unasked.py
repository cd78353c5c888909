"""Answers without an invitation are found by programme: nobody knows how many could have given one.

Revision ID: scoring_0024
Revises: scoring_0023
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0024"
down_revision = "scoring_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index answer_facts_unasked on answer_facts (programme, day)"
        " where state = 'counted' and snapshot ->> 'channel' in ('form', 'shared_link')"
    )


def downgrade() -> None:
    op.execute("drop index answer_facts_unasked")
