"""A company of any size, written by the database: people, programmes, plans in order of their events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.kit import ROOT
from services.trigger.domain.model import Organisation
from services.trigger.worker.publisher import Publisher
from shared.contracts.directory import Brand, Sender
from shared.db.database import Database
from shared.runtime.logging import configure
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer

EPOCH = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
"""A Wednesday morning in every zone of the company: the send window is open."""

PROGRAMMES = 25
TOUCHPOINTS = 12
ORGANISATION = Organisation(
    name="Nordlicht",
    zone="Europe/Stockholm",
    brand=Brand(name="Nordlicht"),
    sender=Sender(name="Maria Lind", email="maria@nordlicht.example"),
    public_url="https://ask.nordlicht.example",
    own_domains=("nordlicht.example",),
)

_ACCOUNTS = """
insert into accounts (id, version, external_id, name, tier, industry, size, owner, region, phase, known_at)
select md5('account' || n)::uuid, 1, 'A-' || n, 'Customer number ' || n,
    (array['small', 'small', 'key', 'premium'])[1 + n % 4], 'logistics', '50-249',
    'owner' || n % 20 || '@example.com', 'emea', 'use', $3
from generate_series($1::bigint, $2) n
"""
_CONTACTS = """
insert into contacts (id, version, external_id, account_id, person, digest, locale, zone, job_function,
    consent, email_hash, reach, domains, opted_out_of, known_at)
select md5('contact' || n)::uuid, 1, 'C-' || n, md5('account' || n / 5)::uuid, repeat('s', 140),
    md5('digest' || n), (array['en', 'es', 'sv'])[1 + n % 3], 'Europe/Stockholm', 'operations', 'unknown',
    md5('email' || n), 'ok', array[md5('domain' || n / 5)], '{}', $3
from generate_series($1::bigint, $2) n
"""
_PLANS = """
with made as (
    select n, n % $4 as programme, (n * 7919) % $5 as who,
        $3::timestamptz + n * $6::interval as at,
        $3::timestamptz + n * $6::interval + (1 + (n % $4 * 31) % $8) * interval '1 day' as due_at
    from generate_series($1::bigint, $2) n
)
insert into plans (id, programme, version, subject, occurrence, contact_id, account_id, moment, first_due_at,
    due_at, stale_at, state, priority, event_id)
select md5('plan' || n)::uuid, p.key, p.version, 'ticket:T-' || n, 1, md5('contact' || who)::uuid,
    md5('account' || who / 5)::uuid,
    jsonb_build_object('touchpoint', 'touchpoint.' || programme % 12, 'at', at, 'product', '',
        'service_type', '', 'subject_kind', 'ticket', 'subject_id', 'T-' || n, 'renewal_on', null,
        'context', jsonb_build_object('agent', 'agent ' || n % 40)),
    due_at, due_at, due_at + interval '7 days', 'pending', 50, md5('event' || n)::uuid::text
from made join programmes p on p.key = 'programme-' || programme
where due_at > $7
"""
_INDEXES = "select indexname, indexdef from pg_indexes where schemaname = 'trigger' and tablename = any($1)"


def sealer() -> Sealer:
    """Seals and hashes for the people of every benchmark."""
    return Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, lambda: EPOCH)


@dataclass(frozen=True, slots=True)
class Company:
    """How big it is, and how often something happens: one event each `every`, from EPOCH on."""

    people: int
    every: timedelta
    delays: int = 60
    """Plans come due after 1 to so many days, by programme: what is due lies scattered over the table."""

    def at(self, event: int) -> datetime:
        """When an event happens."""
        return EPOCH + event * self.every

    def event(self, at: datetime) -> int:
        """The last event before an instant."""
        return int((at - EPOCH) / self.every)


def write_programmes(folder: Path, count: int = PROGRAMMES) -> Path:
    """A folder of programmes like the shipped one about support, each hearing one of twelve touchpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "programmes" / "support.yaml").read_text()
    for number in range(count):
        touchpoint = f"touchpoint.{number % TOUCHPOINTS}"
        mine = text.replace("key: support-csat", f"key: programme-{number}")
        mine = mine.replace("support_ticket.resolved", touchpoint)
        mine = mine.replace("support_ticket.reopened", f"{touchpoint}.undone")
        mine = mine.replace("priority: 50", f"priority: {50 + number // TOUCHPOINTS}")
        (folder / f"programme-{number}.yaml").write_text(mine)
    return folder


async def publish_programmes(db: Database, folder: Path) -> None:
    """As the service does it at its start."""
    configure("WARNING", human=True)
    await Publisher(db, write_programmes(folder), ORGANISATION).run()


async def write_people(conn: asyncpg.Connection[Any], people: int) -> None:
    """People, five to an account."""
    await conn.execute("set search_path to trigger")
    await conn.execute(_ACCOUNTS, 0, people // 5, EPOCH, timeout=600)
    await conn.execute(_CONTACTS, 0, people - 1, EPOCH, timeout=600)


async def write_plans(
    conn: asyncpg.Connection[Any], company: Company, first: int, last: int, *, due_after: datetime = EPOCH
) -> int:
    """Plans of a range of events, those due before an instant left out; returns how many."""
    done = await conn.execute(
        _PLANS,
        first,
        last,
        EPOCH,
        PROGRAMMES,
        company.people,
        company.every,
        due_after,
        company.delays,
        timeout=3600,
    )
    return int(done.rpartition(" ")[2])


async def drop_indexes(conn: asyncpg.Connection[Any], *tables: str) -> list[str]:
    """Drop what slows a great filling down; returns the statements that make it again."""
    found = await conn.fetch(_INDEXES + " and indexdef not like 'CREATE UNIQUE%'", list(tables))
    for row in found:
        await conn.execute(f'drop index trigger."{row["indexname"]}"')
    return [row["indexdef"] for row in found]
