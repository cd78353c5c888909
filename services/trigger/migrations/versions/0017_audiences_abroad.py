"""Audiences of other companies' projects and contracts are found by what somebody takes part in.

Revision ID: trigger_0017
Revises: trigger_0016
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0017"
down_revision = "trigger_0016"
branch_labels = None
depends_on = None

STATEMENT = """
create index plans_abroad on plans (((moment->>'subject_kind') || ':' || (moment->>'subject_id')))
where state = 'pending' and contact_id is null and account_id is not null
  and moment->>'subject_kind' in ('project', 'contract')
"""


def upgrade() -> None:
    op.execute(STATEMENT)


def downgrade() -> None:
    op.execute("drop index plans_abroad")
