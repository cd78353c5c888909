"""Tables that are written into a folder on a schedule, and what became of each.

Revision ID: scoring_0033
Revises: scoring_0032
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0033"
down_revision = "scoring_0032"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table filed (
        day date not null,
        name text not null,
        state text not null default 'pending' check (state in ('pending', 'written', 'failed')),
        attempts int not null default 0,
        next_at timestamptz not null,
        ended_at timestamptz,
        bytes bigint,
        detail text not null default '',
        primary key (day, name)
    )
    """,
    "comment on table filed is 'next_at is machine time, ended_at business time.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table filed")
