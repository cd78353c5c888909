"""The list of who is not written to, as a whole: entered, looked up, given away and lifted set-based."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.store.suppressions import KNOWN
from shared.db.database import Connection

PAGE = 1000
_ENTER = f"""
insert into suppressions (kind, subject, programme, reason, via, channel, contact_id, noted_by, noted_at)
select distinct on (kind, subject, programme) kind, subject, programme, reason, via, channel,
    case when kind = 'contact' then subject::uuid end, $7, $8
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    with ordinality as t (kind, subject, programme, reason, via, channel, place)
order by kind, subject, programme, place
{KNOWN} returning kind, subject, programme
"""  # noqa: S608 - constants
_COLUMNS = "kind, subject, programme, reason, via, noted_at, channel, contact_id, noted_by"
# Of an address: itself, and whoever was written to there.
_ABOUT = f"""
select {_COLUMNS} from suppressions where kind = 'address' and subject = $1
union all
select {_COLUMNS} from suppressions where kind = 'contact' and subject in (
    select contact_id::text from messages where address_hash = $1)
order by noted_at, kind, subject
"""  # noqa: S608 - constants
_LIFT = f"""
with gone as (
    delete from suppressions
    where kind = 'address' and subject = $1 and programme = '' and noted_at = $2 and reason <> 'erased'
    returning {_COLUMNS}
), kept as (
    insert into lifted_suppressions ({_COLUMNS}, grounds, agreed_at, lifted_at, lifted_by)
    select {_COLUMNS}, $3, $4, $5, $6 from gone on conflict do nothing
)
select true from gone
"""  # noqa: S608 - constants
# By what somebody is not reached: an address by itself, a person by every channel.
_REACH = "case kind when 'contact' then 'every' else coalesce(channel, 'unknown') end"
_LISTED = """
select {columns} from {table}
where ($1 = '' or reason = $1) and ($2 = '' or {reach} = $2)
    and ($3::timestamptz is null or ({at}, kind, subject, programme) < ($3, $4, $5, $6))
order by {at} desc, kind desc, subject desc, programme desc limit $7
"""
_COUNTS = f"select reason, {_REACH} as reach, count(*)::int as n from suppressions group by 1, 2"  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is kept.

    Attributes:
        subject: a contact's id, or the keyed hash of an address.
        via: who told: a provider, a channel, a list, or somebody of ours.
        channel: what the address is, where that is known.
        contact_id: whom it is about, where that is known.
        noted_by: the user who entered it.
    """

    kind: str
    subject: str
    programme: str
    reason: str
    via: str
    noted_at: datetime
    channel: str | None = None
    contact_id: UUID | None = None
    noted_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Former:
    """An entry that was lifted: by a consent that was given at `agreed_at`, or by hand on some grounds."""

    row: Row
    agreed_at: datetime
    lifted_at: datetime
    grounds: str | None
    lifted_by: UUID | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the list is asked for.

    Attributes:
        reason: one reason alone; "" for all.
        reach: email, sms, every (channel) or unknown alone; "" for all.
        after: where the page before ended: when, kind, subject, programme.
    """

    reason: str = ""
    reach: str = ""
    after: tuple[datetime, str, str, str] | None = None


async def enter(conn: Connection, rows: Sequence[Row], by: UUID | None, now: datetime) -> int:
    """Add entries; gives how many were new. What is known stays as it was first noted.

    A stop by text message gives way, for the person can take it back.
    """
    names = ("kind", "subject", "programme", "reason", "via", "channel")
    columns = [[getattr(row, name) for row in rows] for name in names]
    return len(await conn.fetch(_ENTER, *columns, by, now))


async def about(conn: Connection, address_hash: str) -> list[Row]:
    """Everything that keeps an address from being written to."""
    return [Row(**dict(row)) for row in await conn.fetch(_ABOUT, address_hash)]


async def lift(
    conn: Connection, row: Row, grounds: str, agreed_at: datetime, by: UUID | None, now: datetime
) -> bool:
    """Take an address off the list; False when the entry is not there any more, or says something else."""
    return bool(await conn.fetchval(_LIFT, row.subject, row.noted_at, grounds, agreed_at, now, by))


async def part(conn: Connection, after: tuple[str, str, str]) -> list[Row]:
    """The next `PAGE` entries by kind, subject and programme; the first ones follow three empty texts."""
    rows = await conn.fetch(
        f"select {_COLUMNS} from suppressions where (kind, subject, programme) > ($1, $2, $3) "  # noqa: S608 - constants
        "order by kind, subject, programme limit $4",
        *after,
        PAGE,
    )
    return [Row(**dict(row)) for row in rows]


async def listed(conn: Connection, wanted: Wanted, limit: int) -> list[Row]:
    """A page of the list, newest first."""
    statement = _LISTED.format(columns=_COLUMNS, table="suppressions", reach=_REACH, at="noted_at")
    return [Row(**dict(row)) for row in await conn.fetch(statement, *_arguments(wanted, limit))]


async def former(conn: Connection, wanted: Wanted, limit: int) -> list[Former]:
    """A page of what was lifted, the last first."""
    more = ("agreed_at", "lifted_at", "grounds", "lifted_by")
    columns = ", ".join((_COLUMNS, *more))
    statement = _LISTED.format(columns=columns, table="lifted_suppressions", reach=_REACH, at="lifted_at")
    found = [dict(row) for row in await conn.fetch(statement, *_arguments(wanted, limit))]
    ends = [{name: row.pop(name) for name in more} for row in found]
    return [Former(Row(**row), **end) for row, end in zip(found, ends, strict=True)]


async def counts(conn: Connection) -> dict[tuple[str, str], int]:
    """How many entries there are, by reason and reach."""
    return {(row["reason"], row["reach"]): row["n"] for row in await conn.fetch(_COUNTS)}


async def persons(conn: Connection, contact_ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """People as their last survey knew them, sealed; without those of whom nothing is kept."""
    rows = await conn.fetch(
        """
        select distinct on (contact_id) contact_id, person from surveys
        where contact_id = any($1::uuid[]) and person <> '' order by contact_id, requested_at desc
        """,
        contact_ids,
    )
    return [(row["contact_id"], row["person"]) for row in rows]


def _arguments(wanted: Wanted, limit: int) -> tuple[object, ...]:
    after = wanted.after or (None, "", "", "")
    return (wanted.reason, wanted.reach, *after, limit)
