"""Comments know their account: what one customer says again and again is not what many say.

Every comment there is gets it from its answer; among a million that takes about a minute.

Revision ID: scoring_0021
Revises: scoring_0020
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0021"
down_revision = "scoring_0020"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Without this index the rows are moved at less cost; it is built anew with the account in it.
    "drop index comments_themes",
    "alter table comments add column account_id uuid",
    """
    update comments c set account_id = f.account_id
    from answer_facts f where f.response_id = c.response_id and f.account_id is not null
    """,
    """
    create index comments_themes on comments (day desc, programme)
        include (family, response_id, account_id, themes, tones)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index comments_themes")
    op.execute("alter table comments drop column account_id")
    op.execute(
        "create index comments_themes on comments (day desc, programme)"
        " include (family, response_id, themes, tones)"
    )
