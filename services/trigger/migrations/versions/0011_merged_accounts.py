"""Accounts that were merged lead to the one that stays.

Revision ID: trigger_0011
Revises: trigger_0010
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0011"
down_revision = "trigger_0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table accounts add column merged_into uuid",
    "create index accounts_merged on accounts (merged_into) where merged_into is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
