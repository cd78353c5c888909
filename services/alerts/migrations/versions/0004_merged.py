"""Contacts that are known under another id now, so that their answers and cases are found there."""

from __future__ import annotations

from alembic import op

from shared.db.merged import MERGED_TABLE

revision = "alerts_0004"
down_revision = "alerts_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    *MERGED_TABLE,
    # Who is found by whatever id.
    "create index voices_contact on voices (contact_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
