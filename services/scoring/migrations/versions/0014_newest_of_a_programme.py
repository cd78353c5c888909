"""The newest answers of one programme are found without reading those of all, as are those that do not count.

Revision ID: scoring_0014
Revises: scoring_0013
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0014"
down_revision = "scoring_0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "drop index answer_facts_cut",
    # By day first, as answers come: PostgreSQL skips from day to day where a programme is wanted.
    """
    create index answer_facts_cut on answer_facts (day desc, programme)
        include (persona, account_id, family, state, nps, nps5, csat, ces, cohort)
    """,
    "create index answer_facts_uncounted on answer_facts (response_id) where state <> 'counted'",
    """
    create index comments_themes on comments (day desc, programme)
        include (family, response_id, themes, tones)
    """,
    "create index people_deciding on people (account_id) where persona = 'decision_maker'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index people_deciding, comments_themes, answer_facts_uncounted, answer_facts_cut")
    op.execute(
        "create index answer_facts_cut on answer_facts (day desc)"
        " include (programme, persona, account_id, family, state, nps, nps5, csat, ces)"
    )
