"""Incidents, plans, confirmation, watchers and undo of tickets; pages that wait.

Revision ID: alerts_0002
Revises: alerts_0001
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0002"
down_revision = "alerts_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table tickets
        add column incident text not null default '',
        add column planned_at timestamptz,
        add column follow_up_at timestamptz,
        add column confirmed_at timestamptz,
        add column watchers jsonb not null default '[]',
        add column undo jsonb
    """,
    # An account has one ticket for an incident, whatever else is open or was.
    "create unique index tickets_one_per_incident on tickets (case_key, incident) where incident <> ''",
    """
    create table pages (
        channel text not null,
        recipient text not null,
        paged_at timestamptz not null,
        primary key (channel, recipient)
    )
    """,
    """
    create table held_notices (
        id uuid primary key,
        ticket_id uuid not null references tickets (id),
        occasion text not null,
        step text not null,
        channel text not null,
        recipient text not null,
        state text not null default 'held' check (state in ('held', 'sent', 'gathered', 'dropped')),
        due_at timestamptz not null,
        held_at timestamptz not null,
        lead uuid
    )
    """,
    "create index held_notices_waiting on held_notices (channel, recipient) where state = 'held'",
    "create index held_notices_due on held_notices (due_at) where state = 'held'",
    "create index held_notices_by_lead on held_notices (lead) where lead is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
