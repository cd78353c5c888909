"""Days on which it was looked which themes of comments rise, and the rises that were told.

Revision ID: scoring_0020
Revises: scoring_0019
"""

from __future__ import annotations

from alembic import op

from services.scoring.migrations.view import SCHEMA, View

revision = "scoring_0020"
down_revision = "scoring_0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table theme_looks (day date primary key)",
    """
    create table rises (
        theme text collate "C" not null,
        day date not null,
        seen date not null,
        names jsonb not null,
        team text not null,
        before double precision not null,
        after double precision not null,
        low double precision not null,
        high double precision not null,
        chance double precision not null,
        n_before int not null,
        n_after int not null,
        comments_before int not null,
        comments_after int not null,
        negative_before int not null,
        negative_after int not null,
        accounts int not null,
        programmes text[] not null,
        primary key (theme, day)
    )
    """,
    "comment on table rises is 'Themes that rose, each once: told on day, last there on seen.'",
)
VIEWS = (
    View(
        "rises", "One theme that customers name more often than before, and chance hardly explains it.",
        (("day", "r.day", "day on which it was told"), ("theme", "r.theme", "key of the theme"),
         ("name", "coalesce(r.names ->> 'en', r.theme)", "its English name, else its key"),
         ("team", "r.team", "team that it concerns"),
         ("before", "r.before", "percent of comments that named it in the 90 days before"),
         ("after", "r.after", "in the last 30 days"),
         ("named_before", "r.n_before", "comments that named it in the 90 days"),
         ("named_after", "r.n_after", "in the 30 days"),
         ("complaints_after", "r.negative_after", "how many of these complain"),
         ("comments_before", "r.comments_before", "all comments of the 90 days"),
         ("comments_after", "r.comments_after", "of the 30 days"),
         ("accounts", "r.accounts", "accounts that named it in the 30 days"),
         ("seen", "r.seen", "day on which it was last there")),
        "from rises r",
    ),
)  # fmt: skip


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for view in VIEWS:
        op.execute(view.ddl)
        for comment in view.comments:
            op.execute(comment)


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"drop view {SCHEMA}.{view.name}")
    op.execute("drop table rises, theme_looks")
