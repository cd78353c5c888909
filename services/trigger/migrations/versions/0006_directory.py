"""What people said about being asked, duplicates that were merged or are suspected, deleted accounts.

Revision ID: trigger_0006
Revises: trigger_0005
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0006"
down_revision = "trigger_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table contacts add column merged_into uuid",
    "create index contacts_merged on contacts (merged_into) where merged_into is not null",
    "alter table accounts add column deleted_at timestamptz",
    # `scope`: all, a programme's key, family:<family> or channel:<channel>. The same word of the same source,
    # repeated, is one row: from `at` to `last_at`.
    """
    create table consents (
        id bigint generated always as identity primary key,
        contact_id uuid not null,
        scope text not null,
        given boolean not null,
        firm boolean not null,
        at timestamptz not null,
        last_at timestamptz not null,
        noted_at timestamptz not null,
        source text not null,
        by text not null,
        event_id text not null,
        check (last_at >= at)
    )
    """,
    "create index consents_contact on consents (contact_id, scope, at)",
    """
    insert into consents (contact_id, scope, given, firm, at, last_at, noted_at, source, by, event_id)
    select id, scope, given, true, coalesce(at, 'epoch'), coalesce(at, 'epoch'), coalesce(at, 'epoch'),
        'before the history was kept', '', ''
    from (
        select id, 'all' as scope, false as given, opted_out_at as at from contacts
        where opted_out_at is not null
        union all
        select id, 'all', consent = 'given', known_at from contacts
        where consent <> 'unknown' and opted_out_at is null
        union all
        select id, unnest(opted_out_of), false, known_at from contacts
    ) as said
    """,
    # Whoever withdrew consent is opted out, whichever way they said it.
    """
    update contacts set opted_out_at = coalesce(known_at, 'epoch')
    where consent = 'withdrawn' and opted_out_at is null
    """,
    """
    create table suspected (
        one uuid not null,
        other uuid not null,
        why text not null,
        seen_at timestamptz not null,
        state text not null default 'open' check (state in ('open', 'merged', 'apart')),
        settled_at timestamptz,
        by text not null default '',
        primary key (one, other),
        check (one < other)
    )
    """,
    "create index suspected_open on suspected (seen_at) where state = 'open'",
    "create index decisions_programme on decisions (programme, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
