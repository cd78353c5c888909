"""Limits by provider and recipient's domain: lines that messages stand in, shared by all instances."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0010"
down_revision = "dispatch_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table paces (
        key text primary key,
        per_minute int not null check (per_minute > 0),
        next_at timestamptz,
        occupied boolean not null default false
    )
    """,
    (
        "comment on table paces is 'A line for each limit: a channel, a domain that a setting names, or the "
        "keyed hash of another one. Machine time.'"
    ),
    "create index paces_occupied on paces (key) where occupied",
    """
    alter table messages
        add column pace text, add column limited_by text, add column limited_at timestamptz
    """,
    """
    create index messages_in_line on messages (pace, not_before, arrived_at)
        where state = 'planned' and pace is not null
    """,
    (
        "comment on column messages.pace is 'The line it stands in while not_before is infinity, or stood in "
        "last.'"
    ),
    "comment on column messages.limited_at is 'When it first had to stand in line; machine time.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
