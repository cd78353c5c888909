"""Which transaction announced a headline last: streams tell from a place in the order of commits on.

Revision ID: scoring_0017
Revises: scoring_0016
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0017"
down_revision = "scoring_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table headlines add column announced_in xid8")


def downgrade() -> None:
    op.execute("alter table headlines drop column announced_in")
