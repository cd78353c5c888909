"""Who takes part in what, who was asked when, what was counted, which accounts still need their series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.trigger.domain.book import Tally
from services.trigger.domain.model import Account
from services.trigger.domain.parties import Seen
from services.trigger.store.rows import account_of
from shared.contracts.model import Persona
from shared.db.database import Connection

_TALLY = """
insert into tallies (programme, subject, seen)
select * from unnest($1::text[], $2::text[], $3::int[]) order by 1, 2
on conflict (programme, subject) do update set seen = tallies.seen + excluded.seen
returning programme, subject, seen
"""
# Whoever uses a product every minute is written once a day; a role told later replaces none.
_SEEN = """
insert into participants (subject, contact_id, role, seen_at)
select * from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[]) order by 1, 2
on conflict (subject, contact_id) do update set
    role = case when excluded.role = '' then participants.role else excluded.role end,
    seen_at = greatest(participants.seen_at, excluded.seen_at)
where excluded.seen_at >= participants.seen_at + interval '1 day'
   or (excluded.role <> '' and excluded.role <> participants.role)
"""
_OF_PERSONAS = """
select p.subject, p.contact_id, p.role from participants p join contacts c on c.id = p.contact_id
where p.subject = any($1) and p.seen_at >= $2 and c.persona = any($3)
  and (c.account_id = any($4) or p.subject = any($5))
order by p.subject, p.contact_id
"""
_UNSEEDED = """
select key, programmes.version, coalesce(s.after, '00000000-0000-0000-0000-000000000000') as after
from programmes left join seeding s on s.programme = key and s.version = programmes.version
where key = any($1) and s.done is not true order by key limit 1
"""
_SEEDED = """
insert into seeding (programme, version, after, done) values ($1, $2, $3, $4)
on conflict (programme) do update set version = $2, after = $3, done = $4
"""


@dataclass(frozen=True, slots=True)
class Seeding:
    """A programme whose series some accounts known before it still need: those with ids above `after`."""

    key: str
    version: str
    after: UUID


async def tally(conn: Connection, more: Mapping[Tally, int]) -> dict[Tally, int]:
    """Count on; returns the counts before this. What is counted stays locked until the transaction ends."""
    if not more:
        return {}
    keys = sorted(more)
    rows = await conn.fetch(
        _TALLY, [key for key, _ in keys], [subject for _, subject in keys], [more[key] for key in keys]
    )
    found = {(row["programme"], row["subject"]): row["seen"] for row in rows}
    return {key: seen - more[key] for key, seen in found.items()}


async def record_seen(conn: Connection, seen: Iterable[Seen]) -> None:
    """Remember who takes part in what; of several events the newest counts."""
    newest: dict[tuple[str, UUID], Seen] = {}
    for one in sorted(seen, key=lambda s: s.at):
        known = newest.get((one.subject, one.contact_id))
        role = one.role or (known.role if known else "")
        newest[one.subject, one.contact_id] = Seen(one.subject, one.contact_id, role, one.at)
    if not newest:
        return
    rows = sorted(newest.values(), key=lambda s: (s.subject, s.contact_id))
    await conn.execute(
        _SEEN,
        [one.subject for one in rows],
        [one.contact_id for one in rows],
        [one.role for one in rows],
        [one.at for one in rows],
    )


async def participants(
    conn: Connection, subjects: Iterable[str], since: datetime
) -> dict[str, dict[UUID, str]]:
    """People who were seen with subjects since then, with their roles."""
    rows = await conn.fetch(
        "select subject, contact_id, role from participants where subject = any($1) and seen_at >= $2 "
        "order by subject, contact_id",
        sorted(set(subjects)),
        since,
    )
    return _by_subject(rows)


def _by_subject(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[UUID, str]]:
    found: dict[str, dict[UUID, str]] = {}
    for row in rows:
        found.setdefault(row["subject"], {})[row["contact_id"]] = row["role"]
    return found


async def participants_of(
    conn: Connection,
    subjects: Iterable[str],
    since: datetime,
    *,
    personas: Iterable[Persona],
    accounts: Iterable[UUID],
    anywhere: Sequence[str],
) -> dict[str, dict[UUID, str]]:
    """Of the people who were seen with subjects those of some personas who belong to some accounts.

    With the subjects of `anywhere` whatever their account is.
    """
    rows = await conn.fetch(
        _OF_PERSONAS, sorted(set(subjects)), since, sorted(set(personas)), sorted(accounts), anywhere
    )
    return _by_subject(rows)


async def participants_among(
    conn: Connection, subjects: Iterable[str], since: datetime, *, contacts: Sequence[UUID]
) -> dict[str, dict[UUID, str]]:
    """Which of some people were seen with subjects since then, with their roles."""
    rows = await conn.fetch(
        "select subject, contact_id, role from participants "
        "where contact_id = any($1) and subject = any($2) and seen_at >= $3 order by subject, contact_id",
        contacts,
        sorted(set(subjects)),
        since,
    )
    return _by_subject(rows)


async def forget_participants(conn: Connection, contacts: Sequence[UUID]) -> None:
    """Somebody who is erased takes part in nothing."""
    await conn.execute("delete from participants where contact_id = any($1)", list(contacts))


async def last_asked(conn: Connection, contacts: Iterable[UUID]) -> dict[UUID, datetime]:
    """When people were last asked about anything."""
    rows = await conn.fetch(
        "select contact_id, max(asked_at) as at from asks where contact_id = any($1) "
        "and state not in ('released', 'cancelled') group by contact_id",
        sorted(set(contacts)),
    )
    return {row["contact_id"]: row["at"] for row in rows}


async def unseeded(conn: Connection, programmes: Iterable[str]) -> Seeding | None:
    """The next programme whose series are not begun for all accounts; None when all are."""
    row = await conn.fetchrow(_UNSEEDED, sorted(set(programmes)))
    return Seeding(**row) if row else None


async def seeded(conn: Connection, seeding: Seeding, upto: UUID, *, done: bool) -> None:
    """Note how far a programme's series are begun."""
    await conn.execute(_SEEDED, seeding.key, seeding.version, upto, done)


async def forget_seeding(conn: Connection, programme: str) -> None:
    """When the programme is there again, its series begin anew."""
    await conn.execute("delete from seeding where programme = $1", programme)


async def accounts_after(conn: Connection, after: UUID, limit: int) -> list[Account]:
    """A page of accounts, locked, in id order."""
    query = (
        "select * from accounts where version > 0 and merged_into is null and id > $1 "
        "order by id limit $2 for no key update"
    )
    return [account_of(row) for row in await conn.fetch(query, after, limit)]
