"""Days on which it was looked whether a score dropped, and the drops that were found."""

from alembic import op

revision = "scoring_0004"
down_revision = "scoring_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table looks (day date primary key)",
    """
    create table drops (
        cell text collate "C" not null,
        day date not null,
        metric text not null, family text not null, programme text not null,
        before double precision not null,
        after double precision not null,
        n_before int not null,
        n_after int not null,
        chance double precision not null,
        primary key (cell, day)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table looks, drops")
