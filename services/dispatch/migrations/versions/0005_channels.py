"""Channels in order of preference, what was passed on to the next one, and what people send back."""

from alembic import op

revision = "dispatch_0005"
down_revision = "dispatch_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table surveys add column channels text[] not null default '{email}'",
    """
    alter table messages add column delivered_at timestamptz, add column bounced_at timestamptz,
        add column bounce text check (bounce in ('hard', 'soft', 'policy')),
        add column complained_at timestamptz
    """,
    "alter table messages drop constraint messages_state_check, drop constraint finished_has_a_time",
    """
    alter table messages
        add constraint messages_state_check check (state in ('planned', 'claimed', 'handing_over',
            'handed_over', 'failed', 'uncertain', 'suppressed', 'passed_on')),
        add constraint finished_has_a_time check ((state in ('handed_over', 'failed', 'uncertain',
            'suppressed', 'passed_on')) = (finished_at is not null))
    """,
    # A reply by text message, and some reports, name an address alone: its newest message is what they mean.
    "create index messages_of_address on messages (address_hash, finished_at) where address_hash is not null",
    """
    create table replies (
        reply_id text primary key,
        delivery_id uuid references messages,
        kind text not null,
        noted_at timestamptz not null
    )
    """,
    "comment on table replies is 'What people sent back, by the id of who brought it; no words are kept.'",
    "create index replies_delivery on replies (delivery_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
