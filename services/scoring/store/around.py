"""What is told around answers: accounts, people, tickets, what happened; the newest version wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from shared.db.database import Connection


class Account(NamedTuple):
    """An account as the directory has it."""

    account_id: UUID
    version: int
    name: str
    tier: str | None
    industry: str
    size: str
    owner: str
    region: str
    annual_value: float | None
    phase: str
    started_on: date | None
    renewal_on: date | None
    external_id: str = ""
    acquisition_cost: float | None = None


class Someone(NamedTuple):
    """A contact, as far as scores need it; `person` is sealed and opened only to find them in a CRM."""

    contact_id: UUID
    version: int
    account_id: UUID | None
    persona: str | None
    job_function: str
    external_id: str = ""
    person: str = ""


class Case(NamedTuple):
    """A ticket of unhappy answers."""

    ticket_id: UUID
    version: int
    account_id: UUID | None
    state: str
    opened_at: datetime
    contact_due_at: datetime
    changed_at: datetime


class Happening(NamedTuple):
    """Something that happened at an account, or to everybody where the account is None."""

    source: str
    event_id: str
    kind: str
    event: str
    at: datetime
    account_id: UUID | None
    product: str
    number: float | None
    label: str


_ACCOUNTS = """
insert into accounts as held select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::float8[], $10::text[], $11::date[], $12::date[], $13::text[],
    $14::float8[])
on conflict (account_id) do update set (version, name, tier, industry, size, owner, region, annual_value,
    phase, started_on, renewal_on, external_id, acquisition_cost) =
    (excluded.version, excluded.name, excluded.tier, excluded.industry, excluded.size, excluded.owner,
    excluded.region, excluded.annual_value, excluded.phase, excluded.started_on, excluded.renewal_on,
    excluded.external_id, excluded.acquisition_cost)
where held.version < excluded.version
"""
_PEOPLE = """
insert into people as held
select t.* from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    as t (contact_id, version, account_id, persona, job_function, external_id, person)
where not exists (select from erased_contacts e where e.contact_id = t.contact_id)
on conflict (contact_id) do update set (version, account_id, persona, job_function, external_id, person) =
    (excluded.version, excluded.account_id, excluded.persona, excluded.job_function, excluded.external_id,
    excluded.person)
where held.version < excluded.version
"""
_CASES = """
insert into cases as held select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[],
    $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
on conflict (ticket_id) do update set (version, account_id, state, opened_at, contact_due_at, changed_at) =
    (excluded.version, excluded.account_id, excluded.state, excluded.opened_at, excluded.contact_due_at,
    excluded.changed_at)
where held.version < excluded.version
"""
_HAPPENINGS = """
insert into happenings select * from unnest($1::text[], $2::text[], $3::text[], $4::text[],
    $5::timestamptz[], $6::uuid[], $7::text[], $8::float8[], $9::text[])
on conflict do nothing
"""


async def save_accounts(conn: Connection, rows: Sequence[Account]) -> None:
    """Keep the newest version of accounts, in order of their ids."""
    await conn.execute(_ACCOUNTS, *zip(*sorted(rows), strict=True))


async def save_people(conn: Connection, rows: Sequence[Someone]) -> None:
    """Keep the newest version of contacts, in order of their ids; the erased stay away."""
    await conn.execute("lock table erased_contacts in row share mode")
    await conn.execute(_PEOPLE, *zip(*sorted(rows), strict=True))


async def save_cases(conn: Connection, rows: Sequence[Case]) -> None:
    """Keep the newest version of tickets, in order of their ids."""
    await conn.execute(_CASES, *zip(*sorted(rows), strict=True))


async def save_happenings(conn: Connection, rows: Sequence[Happening]) -> None:
    """Keep what happened, each once."""
    await conn.execute(_HAPPENINGS, *zip(*sorted(rows), strict=True))
