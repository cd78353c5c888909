"""Answer facts, asks, cells of scores and rates, headlines, programme titles, erased contacts."""

from alembic import op

from shared.db.ddl import runtime_tables

revision = "scoring_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table answer_facts (
        response_id uuid primary key,
        survey_id uuid not null,
        version int not null,
        state text not null check (state in ('counted', 'held', 'withdrawn')),
        family text not null,
        day date not null,
        cohort date not null,
        nps smallint check (nps between 0 and 10),
        nps5 smallint check (nps5 between 1 and 5),
        csat smallint check (csat between 1 and 5),
        ces smallint check (ces between 1 and 7),
        answered_at timestamptz not null,
        contact_id uuid,
        account_id uuid,
        answer json not null,
        snapshot json not null
    )
    """,
    """
    comment on table answer_facts is
        'Every response as it stands. answer: scores and choices, no words. snapshot: of the survey, whole.'
    """,
    "create index answer_facts_contact on answer_facts (contact_id) where contact_id is not null",
    """
    create table score_cells (
        metric text collate "C" not null,
        family text collate "C" not null,
        rollup text collate "C" not null,
        value text collate "C" not null,
        day date not null,
        b0 int not null, b1 int not null, b2 int not null, b3 int not null, b4 int not null, b5 int not null,
        b6 int not null, b7 int not null, b8 int not null, b9 int not null, b10 int not null,
        primary key (metric, family, rollup, value, day)
    ) with (fillfactor = 70)
    """,
    """
    create table rate_cells (
        family text collate "C" not null,
        rollup text collate "C" not null,
        value text collate "C" not null,
        day date not null,
        requested int not null,
        handed_over int not null,
        answered int not null,
        held int not null,
        primary key (family, rollup, value, day)
    ) with (fillfactor = 70)
    """,
    """
    create table asks (
        survey_id uuid primary key,
        family text not null,
        programme text, owner text, tier text, persona text, channel text,
        requested_on date,
        handed_on date
    )
    """,
    """
    create table headlines (
        metric text collate "C" not null,
        family text collate "C" not null,
        programme text collate "C" not null,
        version bigint not null,
        announced bigint not null default 0,
        primary key (metric, family, programme)
    ) with (fillfactor = 70)
    """,
    """
    create table programmes (
        programme text primary key,
        revision int not null,
        family text not null,
        title jsonb not null
    )
    """,
    "create table erased_contacts (contact_id uuid primary key, erased_at timestamptz not null)",
)


def upgrade() -> None:
    runtime_tables()
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "erased_contacts", "programmes", "headlines", "asks", "rate_cells", "score_cells", "answer_facts"
    ):  # fmt: skip
        op.execute(f"drop table {table}")
