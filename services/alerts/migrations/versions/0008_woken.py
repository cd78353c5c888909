"""Cases are found by their helpdesk's id, for webhooks.

Revision ID: alerts_0008
Revises: alerts_0007
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0008"
down_revision = "alerts_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Every change of any ticket of a helpdesk may ask whether it is one of ours.
    op.execute(
        "create index outside_cases_outside on outside_cases (helpdesk, outside_id) where outside_id <> ''"
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
