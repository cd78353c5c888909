"""Surveys that may be answered, what was seen of their links, answers and where they stand."""

from alembic import op

from shared.db.ddl import runtime_tables

revision = "collector_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table questionnaires (
    digest text primary key,
    form text not null
);
comment on table questionnaires is 'Forms by content: many surveys ask the same.';

create table surveys (
    survey_id uuid primary key,
    version int not null,
    contact_id uuid not null,
    questionnaire text not null references questionnaires (digest),
    snapshot text not null,
    person text not null,
    slots text not null,
    close_the_loop text not null,
    closes_at timestamptz not null,
    state text not null check (state in ('open', 'cancelled', 'closed', 'erased'))
);
create index surveys_contact on surveys (contact_id);

create table erased_contacts (
    contact_id uuid primary key,
    erased_at timestamptz not null
);

create table hand_overs (
    survey_id uuid not null,
    step int not null,
    channel text not null,
    known_at timestamptz not null,
    handed_over_at timestamptz,
    primary key (survey_id, step)
);
comment on column hand_overs.handed_over_at is 'Null: uncertain, or never.';

create table observations (
    id bigint generated always as identity primary key,
    survey_id uuid not null,
    at timestamptz not null,
    kind text not null,
    address text not null,
    agent text not null,
    score smallint
);
create index observations_survey on observations (survey_id, at);
comment on table observations is
    'Append only. address is a keyed hash that differs by survey; only the class of the agent is kept.';

create table answers (
    survey_id uuid not null,
    version int not null,
    received_at timestamptz not null,
    idempotency_key text,
    content text not null,
    complete boolean not null,
    mood text not null check (mood in ('unhappy', 'passive', 'happy')),
    scores text not null,
    choices text not null,
    words text not null,
    address text not null,
    agent text not null,
    rendered_at timestamptz,
    honeypot boolean not null,
    wrote boolean not null,
    verdict text check (verdict in ('human', 'machine', 'unclear')),
    evidence text[] not null default '{}',
    rules smallint not null default 0,
    released_by text,
    primary key (survey_id, version)
);
create unique index answers_idempotency on answers (survey_id, idempotency_key)
    where idempotency_key is not null;
create index answers_rules on answers (rules, survey_id) where verdict is not null;
comment on column answers.words is 'Sealed with the key of the contact.';
comment on column answers.rules is 'Which set of rules judged it; an older one is judged anew.';

create table responses (
    survey_id uuid primary key references surveys (survey_id),
    version int not null,
    state text not null check (state in ('pending', 'counted', 'held')),
    announced int not null
);
create index responses_held on responses (survey_id) where state = 'held';
comment on table responses is 'version counts the events, announced is the version of the answer they told.';

create table settling (
    survey_id uuid primary key,
    ready_at timestamptz not null,
    at_latest timestamptz not null
);
create index settling_ready on settling (ready_at);

create table organisation (
    only_row boolean primary key default true check (only_row),
    version int not null,
    settings text not null
);
"""


def upgrade() -> None:
    runtime_tables()
    for statement in filter(str.strip, _TABLES.split(";\n")):
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "organisation",
        "settling",
        "responses",
        "answers",
        "observations",
        "hand_overs",
        "erased_contacts",
        "surveys",
        "questionnaires",
        "relay_marks",
        "leases",
        "dead_letters",
        "outbox",
        "inbox",
    ):
        op.execute(f"drop table {table}")
