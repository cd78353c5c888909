"""What people decide about messages of which nobody knows whether they left."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0014"
down_revision = "dispatch_0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table messages add column again_at timestamptz",
    (
        "comment on column messages.again_at is 'When somebody decided that it is sent again though it may "
        "have left before; business time.'"
    ),
    """
    create index messages_uncertain on messages (finished_at, delivery_id) where state = 'uncertain'
    """,
    """
    create table uncertain_decisions (
        delivery_id uuid not null references messages,
        number int not null,
        decision text not null check (decision in ('delivered', 'send_again', 'leave')),
        decided_by text not null,
        decided_at timestamptz not null,
        primary key (delivery_id, number)
    )
    """,
    "create index uncertain_decisions_made on uncertain_decisions (decided_at, delivery_id, number)",
    (
        "comment on column uncertain_decisions.decided_by is 'Who, as in the audit log: user: or key: with "
        "an id, or system for a command.'"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
