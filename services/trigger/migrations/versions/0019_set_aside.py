"""Moments that an operator set aside: they are not offered any more.

Revision ID: trigger_0019
Revises: trigger_0018
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0019"
down_revision = "trigger_0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table moments_set_aside (
        key text primary key,
        by text not null,
        at timestamptz not null
    )
    """,
    "comment on table moments_set_aside is 'Moments that an operator does not want to ask about.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
