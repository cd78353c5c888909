"""Reports that name somebody by an id alone, and wait until that somebody is known.

Revision ID: trigger_0003
Revises: trigger_0002
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0003"
down_revision = "trigger_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `mark` is a keyed hash of the id, as in aliases; `seen_version` the contact's version that was looked at
    # last; look-ups are timed by the machine's clock, the rest by business time.
    """
    create table parked (
        id bigint generated always as identity primary key,
        event_id text not null unique,
        source text not null,
        external_id text not null,
        type text not null,
        touchpoint jsonb not null,
        aka text[] not null,
        provider text not null,
        kind text not null,
        named text not null,
        mark text not null,
        state text not null default 'waiting' check (state in ('waiting', 'released', 'expired')),
        why text not null check (why in ('unknown', 'looked_up_in_vain', 'look_up_failed')),
        seen_version int,
        parked_at timestamptz not null,
        expires_at timestamptz not null,
        settled_at timestamptz,
        look_up_at timestamptz,
        tries int not null default 0,
        lease uuid
    )
    """,
    "create index parked_mark on parked (mark) where state = 'waiting'",
    "create index parked_all_marks on parked (mark, id)",
    "create index parked_expiry on parked (expires_at) where state = 'waiting'",
    "create index parked_look_up on parked (provider, look_up_at) where state = 'waiting'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
