"""Links to a survey without an invitation.

Revision ID: trigger_0013
Revises: trigger_0012
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0013"
down_revision = "trigger_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table shared_links (
        id uuid primary key,
        programme text not null,
        created_at timestamptz not null,
        created_by text not null,
        told text not null
    )
    """,
    "create index shared_links_programme on shared_links (programme, created_at)",
    "comment on column shared_links.told is 'The newest event of the link, whole.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table shared_links")
