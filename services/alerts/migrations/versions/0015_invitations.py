"""What customers said to the invitation to take part in an improvement.

Revision ID: alerts_0015
Revises: alerts_0014
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0015"
down_revision = "alerts_0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The invitation itself is a message; whoever has said nothing is not here.
    """
    create table invitation_answers (
        message_id uuid primary key references messages (message_id),
        improvement_id uuid not null references improvements (id),
        said text not null check (said in ('yes', 'no')),
        at timestamptz not null,
        task_id uuid references tasks (id),
        constraint invitation_answers_yes check ((said = 'yes') = (task_id is not null))
    )
    """,
    "create index invitation_answers_of on invitation_answers (improvement_id)",
    "create index messages_invitations on messages (contact_id, requested_at) where kind = 'invitation'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
