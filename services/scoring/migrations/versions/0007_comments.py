"""Open answers: those that are still to be read, and what was read in them. Words lie sealed."""

from alembic import op

revision = "scoring_0007"
down_revision = "scoring_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # No key and no index: it is filled with the answers, many times a second, and emptied soon after.
    """
    create table spoken (
        response_id uuid not null, version int not null, contact_id uuid, words text not null
    )
    """,
    "comment on table spoken is 'Sealed words that are to be read; empty ones take earlier words back.'",
    """
    create table comments (
        response_id uuid primary key,
        version int not null,
        contact_id uuid not null,
        words text not null,
        day date not null,
        programme text not null,
        family text not null,
        language text not null,
        tone text not null,
        at_odds boolean not null,
        quotable boolean not null,
        themes text[] not null,
        tones text[] not null,
        dictionary text not null
    )
    """,
    "comment on table comments is 'Open answers: sealed words, and what was read in them.'",
    "create index comments_shown on comments (day desc, response_id desc)",
    "create index comments_contact on comments (contact_id)",
    "create index comments_dictionary on comments (dictionary)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table comments, spoken")
