"""Several subjects of a programme: which one a message was sent with."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0016"
down_revision = "dispatch_0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table messages add column subject_line text",
    "comment on column messages.subject_line is 'Id of its subject, where there are several.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
