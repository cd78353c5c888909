"""Facts can be cut by programme, persona and account without reading their JSON."""

from alembic import op

revision = "scoring_0002"
down_revision = "scoring_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table answer_facts add column programme text, add column persona text",
    "update answer_facts set programme = snapshot ->> 'programme', persona = snapshot ->> 'persona'",
    # The newest of a span first, with what is needed to group them: read from the index alone.
    """
    create index answer_facts_cut on answer_facts (day desc)
        include (programme, persona, account_id, family, state, nps, nps5, csat, ces)
    """,
    "delete from score_cells where rollup in ('stage', 'programme+region', 'programme+channel')",
    "create index answer_facts_account on answer_facts (account_id, day) where account_id is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index answer_facts_account, answer_facts_cut")
    op.execute("alter table answer_facts drop column programme, drop column persona")
