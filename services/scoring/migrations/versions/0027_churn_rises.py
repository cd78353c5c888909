"""Days on which it was looked whether more customers leave, and the rises that were told (R68)."""

from alembic import op

revision = "scoring_0027"
down_revision = "scoring_0026"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table churn_looks (day date primary key)",
    """
    create table churn_rises (
        day date primary key,
        seen date not null,
        left_before int not null,
        left_after int not null,
        renewed_before int not null,
        renewed_after int not null,
        accounts_before int not null,
        accounts_after int not null,
        before double precision not null,
        after double precision not null,
        expected double precision not null,
        low double precision not null,
        high double precision,
        chance double precision not null
    )
    """,
    "comment on table churn_rises is 'Rises of churn, each once: told on day, last there on seen.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table churn_rises, churn_looks")
