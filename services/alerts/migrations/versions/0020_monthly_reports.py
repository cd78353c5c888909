"""Who gets the report of which month.

Revision ID: alerts_0020
Revises: alerts_0019
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0020"
down_revision = "alerts_0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    # next_at and leased_until are machine time, planned_at is business time.
    """
    create table monthly_reports (
        id uuid primary key,
        month date not null,
        recipient uuid not null,
        planned_at timestamptz not null,
        state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
        attempts int not null default 0,
        detail text not null default '',
        next_at timestamptz not null,
        lease uuid,
        leased_until timestamptz,
        unique (month, recipient)
    )
    """,
    """
    create index monthly_reports_waiting on monthly_reports (coalesce(leased_until, next_at))
        where state = 'pending'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
