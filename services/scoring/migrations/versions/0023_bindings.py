"""How far colleagues fall into the same part of what answers are broken down by.

Revision ID: scoring_0023
Revises: scoring_0022
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0023"
down_revision = "scoring_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table bindings (
        family text collate "C" not null,
        dimensions text collate "C" not null,
        bound double precision not null check (bound between 0 and 1),
        learned_at timestamptz not null,
        primary key (family, dimensions)
    )
    """,
    """
    comment on table bindings is
        'How far colleagues are in the same part by these dimensions: 1 always, 0 no more than by chance.'
    """,
    """
    comment on table clusterings is
        'How alike colleagues answer (intraclass), how often two answers are of one account (paired).'
        ' The empty programme is all of a family together.'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table bindings")
    op.execute("delete from clusterings where programme = ''")
