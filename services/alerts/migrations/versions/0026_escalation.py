"""Steps of an escalation policy while nobody takes a case.

Revision ID: alerts_0026
Revises: alerts_0025
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0026"
down_revision = "alerts_0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table tickets add column escalation jsonb",
    "comment on column tickets.escalation is 'Policy of its run and how far it has come; null: none.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
