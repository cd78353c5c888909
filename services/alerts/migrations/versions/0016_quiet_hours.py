"""Notices that wait until their recipient wakes.

Revision ID: alerts_0016
Revises: alerts_0015
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0016"
down_revision = "alerts_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table held_notices add column quiet boolean not null default false")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
