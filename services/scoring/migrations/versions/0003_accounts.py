"""What explains a score beside answers: accounts and their people, tickets, usage, renewals, releases."""

from alembic import op

revision = "scoring_0003"
down_revision = "scoring_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table accounts (
        account_id uuid primary key,
        version int not null,
        name text not null,
        tier text, industry text not null, size text not null, owner text not null, region text not null,
        annual_value double precision,
        phase text not null,
        started_on date,
        renewal_on date
    )
    """,
    "create index accounts_shown on accounts (coalesce(annual_value, 0) desc, account_id)",
    """
    create table people (
        contact_id uuid primary key,
        version int not null,
        account_id uuid,
        persona text,
        job_function text not null
    )
    """,
    "comment on table people is 'Contacts by account and persona; nothing that names one.'",
    "create index people_account on people (account_id) where account_id is not null",
    """
    create table cases (
        ticket_id uuid primary key,
        version int not null,
        account_id uuid,
        state text not null,
        opened_at timestamptz not null,
        contact_due_at timestamptz not null,
        changed_at timestamptz not null
    )
    """,
    "create index cases_account on cases (account_id) where account_id is not null",
    """
    create table happenings (
        source text not null,
        event_id text not null,
        kind text not null,
        event text not null,
        at timestamptz not null,
        account_id uuid,
        product text not null,
        number double precision,
        label text not null,
        primary key (event_id, source)
    )
    """,
    "comment on table happenings is 'Usage, renewals, churn, releases, incidents, changes, support tickets.'",
    "create index happenings_account on happenings (account_id, kind, at) where account_id is not null",
    "create index happenings_kind on happenings (kind, at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("happenings", "cases", "people", "accounts"):
        op.execute(f"drop table {table}")
