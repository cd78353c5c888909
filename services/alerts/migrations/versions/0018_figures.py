"""What improvements have changed, counted once their 90 days are over.

Revision ID: alerts_0018
Revises: alerts_0017
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0018"
down_revision = "alerts_0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table improvements add column figures jsonb",
    """
    create index improvements_uncounted on improvements (shipped_at)
        where shipped_at is not null and figures is null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
