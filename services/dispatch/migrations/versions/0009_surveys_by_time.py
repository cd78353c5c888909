"""Surveys of a span of time are found without reading older ones; it costs next to nothing to keep."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0009"
down_revision = "dispatch_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Surveys are added in the order of their time: a range of blocks says enough.
    op.execute("create index surveys_requested on surveys using brin (requested_at)")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
