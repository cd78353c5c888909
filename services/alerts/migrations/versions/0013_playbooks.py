"""Playbooks of cases, and what was checked off.

Revision ID: alerts_0013
Revises: alerts_0012
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0013"
down_revision = "alerts_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table answer_playbooks (response_id uuid primary key references answers, playbook text not null)",
    # What is not here is still to be done.
    """
    create table playbook_steps (
        ticket_id uuid not null references tickets (id),
        step text not null,
        offer text not null,
        state text not null check (state in ('done', 'taken', 'refused')),
        at timestamptz not null,
        by_user uuid not null,
        primary key (ticket_id, step)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
