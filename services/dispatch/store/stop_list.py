"""The list of who is not written to, as a whole: entered, looked up, given away and lifted set-based."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.database import Connection

PAGE = 1000
_ENTER = """
insert into suppressions (kind, subject, programme, reason, via, contact_id, noted_at)
select distinct on (kind, subject, programme) kind, subject, programme, reason, via,
    case when kind = 'contact' then subject::uuid end, $6
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    with ordinality as t (kind, subject, programme, reason, via, place)
order by kind, subject, programme, place
on conflict do nothing returning kind, subject, programme
"""
_COLUMNS = "kind, subject, programme, reason, via, noted_at"
# Of an address: itself, and whoever was written to there.
_ABOUT = f"""
select {_COLUMNS} from suppressions where kind = 'address' and subject = $1
union all
select {_COLUMNS} from suppressions where kind = 'contact' and subject in (
    select contact_id::text from messages where address_hash = $1)
order by noted_at, kind, subject
"""  # noqa: S608 - constants
_LIFT = """
with gone as (
    delete from suppressions
    where kind = 'address' and subject = $1 and reason <> 'erased' and (reason <> 'opted_out' or $2)
    returning kind, subject, programme, reason, via, contact_id, noted_at
)
insert into lifted_suppressions select *, $3, $4 from gone on conflict do nothing returning true
"""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is kept; `subject` is a contact's id or the keyed hash of an address."""

    kind: str
    subject: str
    programme: str
    reason: str
    via: str
    noted_at: datetime


async def enter(conn: Connection, rows: Sequence[Row], now: datetime) -> int:
    """Add entries; gives how many were new. What is known stays as it was first noted."""
    columns = [
        [getattr(row, name) for row in rows] for name in ("kind", "subject", "programme", "reason", "via")
    ]
    return len(await conn.fetch(_ENTER, *columns, now))


async def about(conn: Connection, address_hash: str) -> list[Row]:
    """Everything that keeps an address from being written to."""
    return [Row(**dict(row)) for row in await conn.fetch(_ABOUT, address_hash)]


async def lift(conn: Connection, address_hash: str, agreed_at: datetime | None, now: datetime) -> int:
    """Take an address off the list; gives how many entries went.

    `agreed_at` is when the person agreed: without it whoever said stop stays. Erased ones stay in any case.
    """
    gone = await conn.fetch(_LIFT, address_hash, agreed_at is not None, agreed_at or now, now)
    return len(gone)


async def everything(conn: Connection) -> AsyncIterator[list[Row]]:
    """The whole list in pages, by kind and subject."""
    last = ("", "", "")
    while True:
        rows = await conn.fetch(
            f"select {_COLUMNS} from suppressions where (kind, subject, programme) > ($1, $2, $3) "  # noqa: S608 - constants
            "order by kind, subject, programme limit $4",
            *last,
            PAGE,
        )
        if not rows:
            return
        yield [Row(**dict(row)) for row in rows]
        last = (rows[-1]["kind"], rows[-1]["subject"], rows[-1]["programme"])
