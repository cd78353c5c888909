"""Links without an invitation, and by which address the directory knows somebody who answers by one."""

from alembic import op

revision = "collector_0009"
down_revision = "collector_0008"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    create table shared_links (
        link_id uuid primary key,
        version int not null,
        snapshot text not null,
        questionnaire text not null references questionnaires (digest),
        slots text not null,
        close_the_loop text not null,
        closes_at timestamptz not null,
        open_for_days int not null,
        withdrawn_at timestamptz
    )
    """,
    """
    create table known_people (
        contact_id uuid primary key,
        version int not null,
        mark text not null,
        person text not null,
        account_id uuid,
        persona text,
        job_function text not null
    )
    """,
    "create index known_people_mark on known_people (mark)",
    "comment on column known_people.mark is 'A keyed hash of the e-mail address.'",
    """
    create table known_accounts (
        account_id uuid primary key,
        version int not null,
        facts text not null
    )
    """,
    "alter table surveys add column link_id uuid",
    "alter table surveys add column identified boolean not null default true",
    "alter table surveys add column moved_to uuid",
    "create index surveys_link on surveys (link_id, contact_id) where link_id is not null",
    "comment on column surveys.identified is 'False: answered by a shared link, and nobody knows by whom.'",
    "comment on column surveys.moved_to is 'Who answered is known by now: the survey of that person.'",
    "alter table responses drop constraint responses_state_check",
    """
    alter table responses add constraint responses_state_check
        check (state in ('pending', 'counted', 'held', 'withdrawn'))
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table responses drop constraint responses_state_check")
    op.execute("update responses set state = 'held' where state = 'withdrawn'")
    op.execute(
        "alter table responses add constraint responses_state_check"
        " check (state in ('pending', 'counted', 'held'))"
    )
    for column in ("moved_to", "identified", "link_id"):
        op.execute(f"alter table surveys drop column {column}")
    for table in ("known_accounts", "known_people", "shared_links"):
        op.execute(f"drop table {table}")
