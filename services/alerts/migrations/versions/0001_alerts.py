"""Tables of the alerts service.

Revision ID: alerts_0001
Revises:
"""

from __future__ import annotations

from alembic import op

from shared.db.ddl import runtime_tables

revision = "alerts_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # A row per account (or contact without one): whoever changes a ticket of the case locks it first.
    "create table cases (key uuid primary key)",
    """
    create table answers (
        response_id uuid primary key,
        version int not null,
        survey_id uuid not null,
        contact_id uuid not null,
        account_id uuid,
        case_key uuid not null,
        standing text not null check (standing in ('counted', 'held', 'withdrawn')),
        mood text not null,
        score int,
        scale text not null,
        low int not null,
        wants_ticket boolean not null,
        contact_within interval not null,
        resolve_within interval not null,
        received_at timestamptz not null,
        since timestamptz not null,
        programme text not null,
        snapshot jsonb not null,
        words text not null,
        person text not null,
        evidence text[] not null
    )
    """,
    "create index answers_by_case on answers (case_key, received_at desc)",
    "create index answers_by_contact on answers (contact_id)",
    """
    create table tickets (
        id uuid primary key,
        case_key uuid not null references cases (key),
        version int not null,
        edited int not null,
        state text not null check (state in ('open', 'acknowledged', 'contacted', 'resolved', 'closed')),
        opened_at timestamptz not null,
        generation int not null,
        started_at timestamptz not null,
        contact_within interval not null,
        contact_due_at timestamptz not null,
        resolve_due_at timestamptz not null,
        told smallint not null,
        resolve_told boolean not null,
        acknowledged_at timestamptz,
        contacted_at timestamptz,
        ended_at timestamptz,
        owner uuid,
        owner_reason text not null,
        touched boolean not null,
        proposal text not null,
        cause text not null,
        how text not null,
        snapshot jsonb not null,
        breach_at timestamptz generated always as
            (case when contacted_at is null then contact_due_at else resolve_due_at end) stored,
        constraint tickets_ended check ((state in ('resolved', 'closed')) = (ended_at is not null))
    )
    """,
    """
    create unique index tickets_one_open_per_case on tickets (case_key)
        where state in ('open', 'acknowledged', 'contacted')
    """,
    """
    create index tickets_breaching on tickets (breach_at, id)
        where state in ('open', 'acknowledged', 'contacted')
    """,
    "create index tickets_ended_at on tickets (ended_at desc) where ended_at is not null",
    "create index tickets_by_case on tickets (case_key)",
    "create index tickets_by_state on tickets (state)",
    # The key says it: a response is a voice of one ticket at most.
    """
    create table voices (
        response_id uuid primary key,
        ticket_id uuid not null references tickets (id),
        place int not null,
        survey_id uuid not null,
        contact_id uuid not null,
        state text not null check (state in ('unhappy', 'improved', 'withdrawn'))
    )
    """,
    "create index voices_by_ticket on voices (ticket_id)",
    """
    create table timeline (
        id bigint generated always as identity primary key,
        ticket_id uuid not null references tickets (id),
        at timestamptz not null,
        by_user uuid,
        kind text not null,
        data jsonb not null,
        note text not null,
        note_contact uuid
    )
    """,
    "create index timeline_by_ticket on timeline (ticket_id, id)",
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception 'timeline is append only';
    end $$
    """,
    """
    create trigger timeline_is_append_only before update or delete on timeline
        for each row execute function refuse_change()
    """,
    """
    create table timers (
        ticket_id uuid not null references tickets (id),
        clock text not null,
        generation int not null,
        level smallint not null,
        due_at timestamptz not null,
        primary key (ticket_id, clock)
    )
    """,
    "create index timers_due on timers (due_at)",
    # next_at and leased_until are machine time, the others business time.
    """
    create table notices (
        id uuid primary key,
        ticket_id uuid not null references tickets (id),
        occasion text not null,
        step text not null,
        channel text not null,
        recipient text not null,
        state text not null default 'pending'
            check (state in ('pending', 'handing_over', 'sent', 'failed', 'dropped')),
        attempts int not null default 0,
        created_at timestamptz not null,
        next_at timestamptz not null,
        lease uuid,
        leased_until timestamptz,
        ended_at timestamptz,
        unique (ticket_id, step, recipient, channel)
    )
    """,
    """
    create index notices_waiting on notices (channel, coalesce(leased_until, next_at))
        where state in ('pending', 'handing_over')
    """,
    """
    create table notice_attempts (
        notice_id uuid not null references notices (id),
        attempt int not null,
        at timestamptz not null,
        outcome text not null,
        detail text not null,
        primary key (notice_id, attempt)
    )
    """,
    """
    create table unconfirmed (
        response_id uuid primary key,
        case_key uuid not null,
        contact_id uuid not null,
        held_at timestamptz not null,
        due_at timestamptz not null,
        state text not null,
        late_at timestamptz,
        ended_at timestamptz,
        by_user uuid
    )
    """,
    "create index unconfirmed_waiting on unconfirmed (due_at) where state = 'waiting'",
    """
    create table contacts (
        contact_id uuid primary key,
        version int not null,
        account_id uuid,
        person text not null,
        locale text not null,
        zone text not null,
        persona text not null,
        job_function text not null,
        erased boolean not null
    )
    """,
    """
    create table accounts (
        account_id uuid primary key,
        version int not null,
        name text not null,
        tier text not null,
        industry text not null,
        owner text not null,
        annual_value double precision,
        phase text not null,
        renewal_on date
    )
    """,
    """
    create table organisation (
        only_row boolean primary key default true check (only_row),
        version int not null,
        name text not null,
        zone text not null,
        public_url text not null
    )
    """,
    """
    create table rota (
        only_row boolean primary key default true check (only_row),
        version int not null,
        members uuid[] not null,
        starts_on date not null,
        hour smallint not null check (hour between 0 and 23),
        zone text not null
    )
    """,
    """
    create table rota_overrides (
        id uuid primary key,
        user_id uuid not null,
        starts_at timestamptz not null,
        ends_at timestamptz not null check (ends_at > starts_at)
    )
    """,
)


def upgrade() -> None:
    runtime_tables()
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
