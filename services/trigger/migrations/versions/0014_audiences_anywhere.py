"""Audiences of no account in particular are found without looking at all that waits of a programme.

Revision ID: trigger_0014
Revises: trigger_0013
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0014"
down_revision = "trigger_0013"
branch_labels = None
depends_on = None

STATEMENT = """
create index plans_anywhere on plans (due_at)
where state = 'pending' and contact_id is null and account_id is null
"""


def upgrade() -> None:
    op.execute(STATEMENT)


def downgrade() -> None:
    op.execute("drop index plans_anywhere")
