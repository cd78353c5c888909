"""When the tick was set by which an answer may be quoted: a no by word holds until there is a later one.

Revision ID: alerts_0028
Revises: alerts_0027
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0028"
down_revision = "alerts_0027"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table answers add column agreed_at timestamptz",
    "comment on column answers.agreed_at is 'When the tick to be quoted was set; null: none, or not known.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
