"""Scores in CRMs: what each record holds and what is due; who contacts and accounts are there."""

from alembic import op

revision = "scoring_0013"
down_revision = "scoring_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table people add external_id text not null default '', add person text not null default ''",
    """
    comment on table people is
        'Contacts by account and persona. person: who they are, sealed, to be found in a CRM.'
    """,
    "alter table accounts add external_id text not null default ''",
    # One row for each partner and whoever it holds figures of. Without next_at there is nothing to do until
    # something changes; `woken`: it changed while somebody was at it; `clearing`: the person was erased.
    """
    create table crm_records (
        target text not null,
        kind text not null check (kind in ('contact', 'account')),
        id uuid not null,
        record text not null default '',
        written jsonb not null default '{}',
        state text not null default 'waiting' check (state in ('waiting', 'written', 'refused')),
        reason text not null default '',
        attempts int not null default 0,
        changed_at timestamptz,
        next_at timestamptz,
        woken boolean not null default false,
        clearing boolean not null default false,
        lease uuid,
        leased_until timestamptz,
        primary key (target, kind, id)
    )
    """,
    "comment on table crm_records is 'next_at and leased_until are machine time, changed_at business time.'",
    """
    create index crm_records_due on crm_records (target, kind, coalesce(leased_until, next_at))
        where next_at is not null
    """,
    "create index crm_records_refused on crm_records (target, kind, id) where state = 'refused'",
    "create index crm_records_of on crm_records (id)",
    "create index crm_records_leased on crm_records (lease) where lease is not null",
    """
    create table crm_troubles (
        target text not null,
        kind text not null,
        failures int not null,
        held_until timestamptz not null,
        trouble text not null,
        primary key (target, kind)
    )
    """,
    "comment on table crm_troubles is 'Partners that fail as a whole; held_until is machine time.'",
    """
    create table crm_sweeps (
        target text not null,
        kind text not null,
        day date not null,
        last uuid,
        primary key (target, kind)
    )
    """,
    "comment on table crm_sweeps is 'How far the look at everybody of a day is; last: null once it is done.'",
    "create table crm_touched (kind text not null, id uuid not null)",
    "comment on table crm_touched is 'Of whom something came in since; taken out by the planner.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("crm_touched", "crm_sweeps", "crm_troubles", "crm_records"):
        op.execute(f"drop table {table}")
    op.execute("alter table accounts drop external_id")
    op.execute("alter table people drop external_id, drop person")
