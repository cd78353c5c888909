"""By which ids senders know what they sent, and what was refused at the door: both can be asked for.

Revision ID: trigger_0018
Revises: trigger_0017
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0018"
down_revision = "trigger_0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    # An event that came over Kafka has its sender's id itself; of those only what they are about is here.
    """
    create table sent_ids (
        id text not null,
        event_id text not null,
        source text not null,
        route text not null,
        replay text not null,
        type text not null,
        at timestamptz not null
    )
    """,
    "comment on table sent_ids is 'By what senders know events: their ids, ids of tickets and orders.'",
    "create index sent_ids_id on sent_ids (id)",
    "create index sent_ids_event on sent_ids (event_id) where route <> ''",
    "create index sent_ids_at on sent_ids using brin (at)",
    """
    create table refused (
        sender text not null,
        reason text not null,
        what_to_do text not null,
        first_at timestamptz not null,
        last_at timestamptz not null,
        times int not null,
        primary key (sender, reason)
    )
    """,
    "create index webhooks_conflicts on webhooks (received_at) where conflicts > 0",
    "create index inbox_conflicts on inbox (seen_at) where conflicts > 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
