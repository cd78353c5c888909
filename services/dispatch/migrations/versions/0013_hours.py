"""Send windows: what came too late for one waits for the next."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0013"
down_revision = "dispatch_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table surveys add column send_hours text not null default ''",
    "comment on column surveys.send_hours is 'When its messages may leave; empty: at any time.'",
    "alter table messages add column opens_at timestamptz",
    (
        "comment on column messages.opens_at is 'When the hours begin for which it waits, while not_before "
        "is infinity; business time.'"
    ),
    """
    create index messages_until_hours on messages (opens_at)
        where state = 'planned' and opens_at is not null
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
