"""What people said about being quoted by word of mouth.

Revision ID: alerts_0022
Revises: alerts_0021
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0022"
down_revision = "alerts_0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table permissions_noted (
        response_id uuid primary key,
        version int not null,
        given boolean not null,
        at timestamptz not null,
        by text not null
    )
    """,
    "comment on table permissions_noted is 'The newest that was said by word about quoting each answer.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
