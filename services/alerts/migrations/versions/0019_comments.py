"""Single answers that improvements come from.

Revision ID: alerts_0019
Revises: alerts_0018
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0019"
down_revision = "alerts_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table improvement_answers (
            improvement_id uuid not null references improvements (id),
            response_id uuid not null references answers (response_id),
            at timestamptz not null,
            by_user uuid not null,
            primary key (improvement_id, response_id)
        )
        """
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
