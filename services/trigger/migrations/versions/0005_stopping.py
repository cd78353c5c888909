"""Shadow in full, and the end of a programme with its plans.

Revision ID: trigger_0005
Revises: trigger_0004
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0005"
down_revision = "trigger_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # May be null: code of before this migration writes whole rows without it.
    "alter table plans add column shadow boolean default false",
    "alter table decisions add column shadow boolean not null default false",
    # What waits, by programme and edition: to end it, to make it anew, to count it.
    "create index plans_programme on plans (programme, (shadow is true), version) where state = 'pending'",
    "create index plans_shadow on plans (programme, first_due_at) where shadow",
    # What programmes in shadow would have asked; it counts for the programme itself alone.
    """
    create table shadow_asks (
        plan_id uuid primary key,
        programme text not null,
        version text not null,
        family text not null,
        contact_id uuid not null,
        account_id uuid,
        asked_at timestamptz not null
    )
    """,
    "create index shadow_asks_contact on shadow_asks (contact_id, asked_at)",
    "create index shadow_asks_account on shadow_asks (account_id, asked_at)",
    "create index shadow_asks_programme on shadow_asks (programme, asked_at)",
    # Whom programmes in shadow did not even plan to ask, by day.
    """
    create table shadow_refusals (
        programme text not null,
        day date not null,
        reason text not null,
        events int not null,
        primary key (programme, day, reason)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
