"""Consent to be quoted may be given by word, too.

Revision ID: scoring_0018
Revises: scoring_0017
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0018"
down_revision = "scoring_0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A process of the version before goes on writing down what was taken back.
    "alter table unquoted add column given boolean not null default false",
    "comment on table unquoted is 'The newest that was said by word about quoting each answer.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table unquoted drop column given")
