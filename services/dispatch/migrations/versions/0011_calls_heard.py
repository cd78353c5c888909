"""Calls of providers whose proof is good for one call alone."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0011"
down_revision = "dispatch_0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table calls_heard (
        call text primary key,
        heard_at timestamptz not null default clock.machine_now()
    )
    """,
    "create index calls_heard_at on calls_heard (heard_at)",
    "comment on table calls_heard is 'Tokens of signed calls, kept for a day of machine time.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
