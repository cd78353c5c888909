"""Working hours of the team, and of each promise made in them.

Revision ID: alerts_0003
Revises: alerts_0002
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0003"
down_revision = "alerts_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table rota add column calendar jsonb")
    # A ticket keeps the hours in which its contact was promised: changing the team's moves no running clock.
    op.execute("alter table tickets add column calendar jsonb")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
