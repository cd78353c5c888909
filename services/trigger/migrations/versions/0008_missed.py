"""Records of others of which changes were missed.

Revision ID: trigger_0008
Revises: trigger_0007
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0008"
down_revision = "trigger_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table missed_changes (
            source text not null,
            entity text not null,
            record text not null,
            change text not null,
            first_at timestamptz not null,
            last_at timestamptz not null,
            noted_at timestamptz not null,
            primary key (source, entity, record)
        )
        """
    )
