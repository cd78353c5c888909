"""Answers that were given in a form tool of the company's own, and what of them could not be used."""

from alembic import op

revision = "collector_0011"
down_revision = "collector_0010"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    create table programmes (
        programme text primary key,
        revision int not null,
        version text not null,
        state text not null,
        family text not null,
        questionnaire text not null references questionnaires (digest),
        close_the_loop text not null,
        breakdown text[] not null,
        stage text not null,
        open_for_days int not null
    )
    """,
    "comment on table programmes is 'What a survey of each would say, for answers given elsewhere.'",
    """
    create table form_answers (
        form text not null,
        token text not null,
        survey_id uuid not null,
        digest text not null,
        answered_at timestamptz not null,
        received_at timestamptz not null,
        conflicts int not null default 0,
        primary key (form, token)
    )
    """,
    "create index form_answers_survey on form_answers (survey_id)",
    "comment on column form_answers.token is 'By which the form tool knows the answer.'",
    "comment on column form_answers.digest is 'Of what it said when it was last taken; empty once erased.'",
    """
    create table form_findings (
        id bigint generated always as identity primary key,
        form text not null,
        token text not null,
        what text not null check (what in ('refused', 'left_out', 'conflict', 'nobody', 'no_account')),
        field text not null,
        reason text not null,
        what_to_do text not null,
        first_at timestamptz not null,
        last_at timestamptz not null,
        times int not null default 1,
        mended_at timestamptz,
        unique (form, token, what, field)
    )
    """,
    "comment on table form_findings is 'What of the form tools'' answers could not be used, and why.'",
    "comment on column form_findings.mended_at is 'When the answer was taken after all.'",
    r"""
    alter table known_accounts add column external_id text
        generated always as (coalesce(facts\:\:json ->> 'external_id', '')) stored
    """,
    "create index known_accounts_external on known_accounts (external_id) where external_id <> ''",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table known_accounts drop column external_id")
    for table in ("form_findings", "form_answers", "programmes"):
        op.execute(f"drop table {table}")
