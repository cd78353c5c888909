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


STATEMENTS = (
    # A column of its own: to look into the snapshot of each new answer would cost as much as its row.
    "alter table answer_facts add column unasked boolean not null default false",
    """
    update answer_facts set unasked = true where snapshot ->> 'channel' in ('form', 'shared_link')
    """,
    "create index answer_facts_unasked on answer_facts (programme, day) where unasked and state = 'counted'",
    "comment on column answer_facts.unasked is 'Whether it was given without an invitation.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index answer_facts_unasked")
    op.execute("alter table answer_facts drop column unasked")
