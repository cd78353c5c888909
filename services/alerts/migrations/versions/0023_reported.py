"""Reports find the cases of their span by an index; what improvements have changed so far is kept.

Revision ID: alerts_0023
Revises: alerts_0022
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0023"
down_revision = "alerts_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create index tickets_opened_at on tickets (opened_at)",
    "create index tickets_opened_again on tickets (started_at) where generation > 1",
    """
    create table improvement_standings (
        improvement_id uuid primary key references improvements,
        basis text not null,
        at timestamptz not null,
        figures jsonb not null
    )
    """,
    "comment on table improvement_standings is 'What shipped improvements have changed so far, for pages.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
