"""Invitations to take part in a fix, which take a place in quarantines and budgets.

Revision ID: trigger_0016
Revises: trigger_0015
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0016"
down_revision = "trigger_0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table invitations (
        message_id uuid primary key,
        contact_id uuid not null,
        account_id uuid,
        asked_at timestamptz not null,
        returned_at timestamptz
    )
    """,
    "create index invitations_contact on invitations (contact_id, asked_at)",
    "create index invitations_account on invitations (account_id, asked_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table invitations")
