"""Tables that every service has in its own schema, and the shared clock."""

from __future__ import annotations

RUNTIME_TABLES = """
create table inbox (
    source text not null,
    event_id text not null,
    outcome text not null default 'done' check (outcome in ('done', 'dead')),
    seen_at timestamptz not null,
    primary key (event_id, source)
);
create index inbox_seen on inbox using brin (seen_at);

create table outbox (
    id bigint generated always as identity,
    day date not null,
    written_at timestamptz not null,
    topic text not null,
    key bytea,
    event_id text not null,
    headers text not null,
    value bytea,
    published boolean not null default false,
    primary key (id, day)
) partition by range (day);
create table outbox_default partition of outbox default with (toast_tuple_target = 8160);
create index outbox_unpublished on outbox (id) where not published;

create table dead_letters (
    id bigint generated always as identity primary key,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    timestamp_ms bigint not null,
    key bytea,
    headers text not null,
    value bytea,
    source text,
    event_id text,
    event_type text,
    error text not null,
    reason text not null,
    failed_at timestamptz not null,
    failed_wall_at timestamptz not null,
    attempts int not null default 1,
    replayed_at timestamptz,
    unique (topic, partition, "offset", timestamp_ms)
);
create index dead_letters_event on dead_letters (event_id);

create table leases (
    name text primary key,
    holder uuid not null,
    until_at timestamptz not null
);

create table relay_marks (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    timestamp_ms bigint not null,
    event_id text not null,
    primary key (topic, partition)
);
"""
"""inbox: a row per event handled. outbox: day partitions, dropped whole. relay_marks: the last acks.

Events up to a page lie in the outbox as they are: packing one costs more than everything else about its
row, and it
is unpacked at once to be published.
"""

CLOCK_SCHEMA = """
create schema if not exists clock;
create table if not exists clock.anchor (
    only_row boolean primary key default true check (only_row),
    business_at timestamptz not null,
    machine_at timestamptz not null,
    rate double precision not null check (rate >= 0)
);
insert into clock.anchor values (true, clock_timestamp(), clock_timestamp(), 1) on conflict do nothing;
create or replace function clock.machine_now() returns timestamptz
    language sql volatile as 'select clock_timestamp()';
"""
"""The anchor of business time and the one machine clock that leases of all processes share."""


INBOX_DIGESTS = (
    "alter table inbox add column digest bytea",
    "alter table inbox add column conflicts int not null default 0",
    "comment on column inbox.digest is 'What the first event of this id said, where its topic is compared.'",
    "comment on column inbox.conflicts is 'How often something else came under this id; the first stands.'",
)
"""For a service that compares what comes again under an id that it knows."""


def runtime_tables() -> None:
    """Create the runtime tables; the first statement of each service's first migration."""
    from alembic import op  # noqa: PLC0415 - only a running migration has it configured

    for statement in filter(str.strip, RUNTIME_TABLES.split(";\n")):
        op.execute(statement)
