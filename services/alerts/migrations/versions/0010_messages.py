"""Messages to customers that are sent by themselves.

Revision ID: alerts_0010
Revises: alerts_0009
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0010"
down_revision = "alerts_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The key is derived: a first reply from case and person, thanks from the answer.
    """
    create table messages (
        message_id uuid primary key,
        kind text not null,
        contact_id uuid not null,
        response_id uuid,
        ticket_id uuid references tickets (id),
        requested_at timestamptz not null,
        state text not null check (state in ('requested', 'withheld', 'uncertain', 'handed_over',
            'suppressed', 'failed', 'bounced', 'complained')),
        reason text not null default '',
        at timestamptz not null
    )
    """,
    "create index messages_by_ticket on messages (ticket_id) where ticket_id is not null",
    "create index messages_by_response on messages (response_id) where response_id is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
