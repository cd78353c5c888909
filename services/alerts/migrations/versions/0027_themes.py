"""What the words of answers are about.

Revision ID: alerts_0027
Revises: alerts_0026
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0027"
down_revision = "alerts_0026"
branch_labels = None
depends_on = None

# Answers of before are about nothing: cases that are open go on as they were placed, and to read the words of
# all ended ones anew would change nothing.
STATEMENTS = ("alter table answers add column themes text[] not null default '{}'",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
