"""Accounts that are known under another id now, so that a brake on the one that stays stops their mail."""

from __future__ import annotations

from alembic import op

from shared.db.merged import MERGED_TABLE

revision = "dispatch_0007"
down_revision = "dispatch_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in MERGED_TABLE:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
