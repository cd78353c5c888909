"""Messages with their attempts, what is known about recipients, and who must not be written to."""

from __future__ import annotations

from alembic import op

from shared.db.ddl import runtime_tables

revision = "dispatch_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table texts (
        digest text primary key,
        content text not null
    )
    """,
    "comment on table texts is 'Form and letter of a programme version, once for all its surveys.'",
    """
    create table surveys (
        survey_id uuid primary key,
        contact_id uuid not null,
        account_id uuid,
        programme text not null,
        version int not null,
        snapshot text not null,
        person text not null,
        texts_digest text not null references texts,
        slots text not null,
        requested_at timestamptz not null,
        closes_at timestamptz not null,
        fresh_until timestamptz,
        cancelled_as text,
        closed boolean not null default false
    )
    """,
    "create index surveys_contact on surveys (contact_id)",
    "create index surveys_programme on surveys (programme, requested_at)",
    """
    create table answers (
        survey_id uuid primary key,
        version int not null,
        answered boolean not null
    )
    """,
    """
    create table messages (
        delivery_id uuid primary key,
        survey_id uuid references surveys,
        message_id uuid,
        kind text not null,
        step int not null default 0,
        channel text not null,
        contact_id uuid not null,
        account_id uuid,
        programme text not null,
        key text not null,
        snapshot text not null,
        person text not null default '',
        slots text not null default '{}',
        state text not null default 'planned' check (state in
            ('planned', 'claimed', 'handing_over', 'handed_over', 'failed', 'uncertain', 'suppressed')),
        version int not null default 0,
        attempts int not null default 0,
        requested_at timestamptz not null,
        arrived_at timestamptz not null default clock.machine_now(),
        not_before timestamptz not null default clock.machine_now(),
        view_current boolean not null,
        lease_token uuid,
        lease_until timestamptz,
        address_hash text,
        reason text,
        detail text not null default '',
        finished_at timestamptz,
        constraint one_cause check ((survey_id is null) <> (message_id is null)),
        constraint leased_while_worked_on check ((state in ('claimed', 'handing_over')) = (lease_until is not
        null)), constraint finished_has_a_time check (
            (state in ('handed_over', 'failed', 'uncertain', 'suppressed')) = (finished_at is not null))
    ) with (fillfactor = 80)
    """,
    "create index messages_due on messages (not_before) where state = 'planned'",
    "create index messages_leased on messages (lease_until) where lease_until is not null",
    "create index messages_unproven on messages (arrived_at) where state = 'planned' and not view_current",
    "create index messages_survey on messages (survey_id)",
    "create index messages_contact on messages (contact_id)",
    (
        "comment on column messages.not_before is 'Machine time, as are arrived_at and lease_until; the rest "
        "is business time.'"
    ),
    "comment on column messages.address_hash is 'Keyed hash of the address written to; gone after erasure.'",
    """
    create table attempts (
        delivery_id uuid not null references messages,
        number int not null,
        started_at timestamptz not null,
        ended_at timestamptz,
        outcome text check (outcome in ('accepted', 'deferred', 'refused', 'unknown')),
        detail text not null default '',
        primary key (delivery_id, number)
    )
    """,
    (
        "comment on table attempts is 'A row before each call of a provider, its outcome after it. Machine "
        "time.'"
    ),
    """
    create table suppressions (
        kind text not null check (kind in ('contact', 'address')),
        subject text not null,
        programme text not null default '',
        reason text not null,
        via text not null default '',
        contact_id uuid,
        noted_at timestamptz not null,
        primary key (kind, subject, programme)
    )
    """,
    "create index suppressions_noted on suppressions (noted_at)",
    (
        "comment on table suppressions is 'Who is not written to: contact ids and keyed hashes of addresses, "
        "never addresses.'"
    ),
    """
    create table contacts (
        contact_id uuid primary key,
        version int not null,
        account_id uuid,
        opted_out boolean not null default false,
        erased_at timestamptz
    )
    """,
    "create table accounts (account_id uuid primary key, version int not null, paused boolean not null)",
    "create table programmes (programme text primary key, revision int not null, paused boolean not null)",
    """
    create table organisation (
        only_row boolean primary key default true check (only_row),
        version int not null,
        paused boolean not null,
        content text not null
    )
    """,
)


def upgrade() -> None:
    runtime_tables()
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
