"""A stop may be taken back in the way in which it was said."""

from __future__ import annotations

from alembic import op

revision = "trigger_0015"
down_revision = "trigger_0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table consents add column takes_back boolean not null default false",
    (
        "comment on column consents.takes_back is 'No yes, but the end of every earlier no of the same "
        "source about the same.'"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
