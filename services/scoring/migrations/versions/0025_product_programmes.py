"""In which programmes products are spoken of.

Revision ID: scoring_0025
Revises: scoring_0024
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0025"
down_revision = "scoring_0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table product_programmes (
        product text collate "C" not null,
        metric text collate "C" not null,
        family text collate "C" not null,
        programme text collate "C" not null,
        learned_at timestamptz not null,
        primary key (product, metric, family, programme)
    )
    """,
    """
    comment on table product_programmes is
        'In which programmes the newest answers about a product were given; replaced once in a while.'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table product_programmes")
