"""Copies of cases in helpdesks.

Revision ID: alerts_0006
Revises: alerts_0005
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0006"
down_revision = "alerts_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One row for each case and helpdesk. next_at and leased_until are machine time; without next_at there is
    # nothing to do until the case changes. `woken`: it changed while somebody was at it.
    """
    create table outside_cases (
        ticket_id uuid not null references tickets (id),
        helpdesk text not null,
        outside_id text not null default '',
        solved_here boolean not null default false,
        solved_there boolean not null default false,
        seen text[] not null default '{}',
        told text[] not null default '{}',
        trouble text not null default '',
        attempts int not null default 0,
        next_at timestamptz,
        woken boolean not null default false,
        lease uuid,
        leased_until timestamptz,
        primary key (ticket_id, helpdesk)
    )
    """,
    """
    create index outside_cases_due on outside_cases (helpdesk, coalesce(leased_until, next_at))
        where next_at is not null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
