"""Tables of the trigger service.

Revision ID: trigger_0001
Revises:
"""

from __future__ import annotations

from alembic import op

from shared.db.ddl import runtime_tables

revision = "trigger_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table organisation (
        only_row boolean primary key default true check (only_row),
        version int not null,
        body jsonb not null
    )
    """,
    """
    create table accounts (
        id uuid primary key,
        version int not null,
        external_id text not null,
        name text not null,
        tier text,
        industry text not null,
        size text not null,
        owner text not null,
        region text not null,
        annual_value double precision,
        phase text not null,
        started_on date,
        renewal_on date,
        paused boolean not null default false,
        known_at timestamptz
    )
    """,
    """
    create table contacts (
        id uuid primary key,
        version int not null,
        external_id text not null,
        account_id uuid,
        person text not null,
        digest text not null,
        locale text not null,
        zone text not null,
        persona text,
        job_function text not null,
        consent text not null,
        email_hash text not null,
        reach text not null,
        domains text[] not null,
        opted_out_at timestamptz,
        opted_out_of text[] not null,
        bounced_at timestamptz,
        erased_at timestamptz,
        known_at timestamptz
    )
    """,
    "create index contacts_account on contacts (account_id, id)",
    # Keyed hashes of addresses and backend ids; they stay after erasure, so that nobody erased is asked
    # again.
    "create table aliases (hash text primary key, contact_id uuid not null)",
    "create index aliases_contact on aliases (contact_id)",
    """
    create table programmes (
        key text primary key,
        version text not null,
        revision int not null,
        state text not null check (state in ('active', 'shadow', 'archived')),
        file text not null,
        definition jsonb not null,
        published_at timestamptz not null
    )
    """,
    """
    create table editions (
        programme text not null,
        version text not null,
        revision int not null,
        definition jsonb not null,
        published_at timestamptz not null,
        primary key (programme, version)
    )
    """,
    """
    create table findings (
        id bigint generated always as identity primary key,
        severity text not null,
        file text not null,
        line int not null,
        path text not null,
        reason text not null,
        what_to_do text not null
    )
    """,
    """
    create table plans (
        id uuid primary key,
        programme text not null,
        version text not null,
        subject text not null,
        occurrence int not null,
        contact_id uuid,
        account_id uuid,
        moment jsonb not null,
        first_due_at timestamptz not null,
        due_at timestamptz not null,
        stale_at timestamptz not null,
        state text not null check (state in ('pending', 'expanded', 'requested', 'suppressed', 'cancelled')),
        reason text,
        waits_for text,
        priority int not null,
        event_id text not null,
        check (reason is not null or state not in ('suppressed', 'cancelled'))
    ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)
    """,
    "create index plans_due on plans (due_at) where state = 'pending'",
    "create index plans_subject on plans (subject, programme)",
    "create index plans_contact on plans (contact_id) where state = 'pending'",
    "create index plans_account on plans (account_id) where state = 'pending'",
    """
    create table asks (
        survey_id uuid primary key,
        plan_id uuid not null unique,
        programme text not null,
        version text not null,
        family text not null,
        contact_id uuid not null,
        account_id uuid,
        asked_at timestamptz not null,
        closes_at timestamptz not null,
        state text not null check (state in ('open', 'answered', 'released', 'cancelled')),
        handed_over_at timestamptz,
        answered_at timestamptz,
        released_at timestamptz,
        closed_at timestamptz,
        next_step int not null,
        next_step_at timestamptz,
        waits_for text,
        event_version int not null,
        snapshot text not null
    )
    """,
    "create index asks_contact on asks (contact_id, asked_at)",
    "create index asks_account on asks (account_id, asked_at)",
    "create index asks_reminder on asks (next_step_at) where next_step_at is not null",
    "create index asks_closing on asks (closes_at) where closed_at is null",
    """
    create table holds (
        kind text not null,
        ref text not null,
        holder text not null,
        contact_id uuid,
        account_id uuid,
        version bigint not null,
        active boolean not null,
        primary key (kind, ref, holder)
    )
    """,
    "create index holds_contact on holds (contact_id) where active",
    "create index holds_account on holds (account_id) where active",
    """
    create table brakes (
        scope text not null check (scope in ('all', 'programme', 'account')),
        subject text not null,
        set_at timestamptz not null,
        set_by text not null,
        note text not null,
        primary key (scope, subject)
    )
    """,
    """
    create table decisions (
        id bigint generated always as identity primary key,
        at timestamptz not null,
        event_id text not null,
        programme text not null,
        version text not null,
        plan_id uuid,
        contact_id uuid,
        account_id uuid,
        step int not null,
        outcome text not null,
        reason text,
        until timestamptz,
        inputs jsonb not null
    )
    """,
    "create index decisions_contact on decisions (contact_id, id)",
    "create index decisions_account on decisions (account_id, id)",
    "create index decisions_event on decisions (event_id, id)",
    "create index decisions_plan on decisions (plan_id, id)",
    # The ledger is only ever added to.
    """
    create function refuse_change() returns trigger language plpgsql as
    $$ begin raise exception 'decisions are never changed'; end $$
    """,
    """
    create trigger decisions_append_only before update or delete on decisions
    for each row execute function refuse_change()
    """,
    """
    create table webhooks (
        source text not null,
        id text not null,
        digest text not null,
        received_at timestamptz not null,
        conflicts int not null default 0,
        primary key (source, id)
    )
    """,
    "create index webhooks_received on webhooks using brin (received_at)",
)


def upgrade() -> None:
    runtime_tables()
    for statement in STATEMENTS:
        op.execute(statement)
