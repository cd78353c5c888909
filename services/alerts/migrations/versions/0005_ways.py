"""How fast partners are given notices, by which other way people are told, and since when a notice waits.

Revision ID: alerts_0005
Revises: alerts_0004
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0005"
down_revision = "alerts_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Both in machine time: until when the pace is used up, and when the partner may be asked again.
    """
    create table paces (
        channel text primary key,
        used_until timestamptz not null,
        held_until timestamptz not null
    )
    """,
    # Numbers of our own people, sealed with a key of their own.
    "create table numbers (user_id uuid primary key, number text not null)",
    # Machine time too. The version before leaves queued_at empty: such a notice is passed on when it failed.
    """
    alter table notices
        add column queued_at timestamptz,
        add column passed_on boolean not null default false
    """,
    """
    create index notices_stuck on notices (queued_at)
        where state in ('pending', 'handing_over') and recipient <> 'team' and not passed_on
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
