"""How alike colleagues answer, learned from each programme's newest answers once in a while.

Revision ID: scoring_0022
Revises: scoring_0021
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0022"
down_revision = "scoring_0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table clusterings (
        metric text collate "C" not null,
        family text collate "C" not null,
        programme text collate "C" not null,
        intraclass double precision not null,
        paired double precision not null,
        answers int not null,
        accounts int not null,
        learned_at timestamptz not null,
        primary key (programme, metric, family)
    )
    """,
    """
    comment on table clusterings is
        'How alike colleagues answer (intraclass), how often two answers are of one account (paired).'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table clusterings")
