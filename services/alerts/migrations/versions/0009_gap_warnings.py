"""Who was warned of which gap in a rota.

Revision ID: alerts_0009
Revises: alerts_0008
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0009"
down_revision = "alerts_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # next_at and leased_until are machine time, the others business time.
    """
    create table gap_warnings (
        id uuid primary key,
        team text not null,
        recipient uuid not null,
        starts_at timestamptz not null,
        ends_at timestamptz not null,
        why text not null,
        warned_at timestamptz not null,
        state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
        attempts int not null default 0,
        detail text not null default '',
        next_at timestamptz not null,
        lease uuid,
        leased_until timestamptz,
        unique (team, recipient, starts_at)
    )
    """,
    """
    create index gap_warnings_waiting on gap_warnings (coalesce(leased_until, next_at))
        where state = 'pending'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
