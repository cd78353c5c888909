"""Whether the answer that led to a task may be quoted.

Revision ID: alerts_0017
Revises: alerts_0016
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0017"
down_revision = "alerts_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table tasks add column quotable boolean not null default false")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
