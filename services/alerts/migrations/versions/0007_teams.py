"""Teams: whose case it is, whose rota an override is in, and swaps of shifts.

Revision ID: alerts_0007
Revises: alerts_0006
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0007"
down_revision = "alerts_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table tickets add column team text not null default ''",
    """
    create table swaps (
        id uuid primary key,
        team text not null,
        asker uuid not null,
        partner uuid not null,
        given_starts_at timestamptz not null,
        given_ends_at timestamptz not null,
        taken_starts_at timestamptz not null,
        taken_ends_at timestamptz not null,
        asked_at timestamptz not null,
        state text not null check (state in ('offered', 'agreed', 'declined', 'taken_back')),
        ended_at timestamptz
    )
    """,
    "create index swaps_to_come on swaps (greatest(given_ends_at, taken_ends_at))",
    "alter table rota_overrides add column team text not null default ''",
    "alter table rota_overrides add column swap uuid references swaps (id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
