"""Who is told by mail that a score fell or a theme rises.

Revision ID: alerts_0024
Revises: alerts_0023
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0024"
down_revision = "alerts_0023"
branch_labels = None
depends_on = None

STATEMENTS = (
    # next_at and leased_until are machine time, planned_at is business time.
    """
    create table finding_mails (
        id uuid primary key,
        recipient uuid not null,
        findings jsonb not null,
        planned_at timestamptz not null,
        state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
        attempts int not null default 0,
        detail text not null default '',
        next_at timestamptz not null,
        lease uuid,
        leased_until timestamptz
    )
    """,
    """
    create index finding_mails_waiting on finding_mails (coalesce(leased_until, next_at))
        where state = 'pending'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
