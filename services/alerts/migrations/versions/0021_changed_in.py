"""Which transaction changed a ticket last: streams tell from a place in the order of commits on.

Revision ID: alerts_0021
Revises: alerts_0020
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0021"
down_revision = "alerts_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table tickets add column changed_in xid8 not null default pg_current_xact_id()")
    op.execute("create index tickets_changed on tickets (changed_in)")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
