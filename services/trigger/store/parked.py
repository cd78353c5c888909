"""Reports that wait until the person they name by an id alone is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.reports import Gap, Named, Report
from services.trigger.store.rows import Row, dump
from shared.contracts.touchpoints import Touchpoint
from shared.db.database import Connection

# One releaser at a time, so that what one person's reports tell stays in their order.
_TURN = "select pg_try_advisory_xact_lock(hashtext('trigger.parked'))"
_COLUMNS = (
    "event_id, source, external_id, type, touchpoint, aka, provider, kind, named, mark, why, "
    "parked_at, expires_at, look_up_at"
)
_PARK = f"""
insert into parked ({_COLUMNS})
select {_COLUMNS} from jsonb_populate_recordset(null::parked, $1::text::jsonb) with ordinality
order by ordinality
on conflict (event_id) do nothing
"""  # noqa: S608 - a constant
_READ = (
    "p.id, p.event_id, p.source, p.external_id, p.type, p.touchpoint::text, p.aka, p.provider, p.kind, "
    "p.named"
)
_KNOWN = f"""
select {_READ}, p.mark, c.id as contact_id, c.version
from parked p join aliases a on a.hash = p.mark join contacts c on c.id = a.contact_id
where p.state = 'waiting' and c.version > 0 and p.seen_version is distinct from c.version
order by p.id limit $1 for update of p
"""  # noqa: S608 - a constant
_EXPIRED = f"""
update parked p set state = 'expired', settled_at = $1
where id in (
    select id from parked where state = 'waiting' and expires_at <= $1 order by id limit $2 for update
)
returning {_READ}, p.expires_at
"""  # noqa: S608 - a constant
_LEASE = f"""
update parked p set lease = $3, look_up_at = $4, tries = tries + 1
where id in (
    select id from parked where provider = $1 and state = 'waiting' and look_up_at <= $2
    order by look_up_at, id limit $5 for update skip locked
)
returning {_READ}, p.tries
"""  # noqa: S608 - a constant
# What still waits has no age: it ends by being told or given up.
_PURGE = """
delete from parked where id = any (
    array(select id from parked where state <> 'waiting' and settled_at < $1 order by settled_at limit $2)
)
"""
_LIST = """
select event_id, type, source, provider, kind, named, state, why, parked_at, expires_at from parked
where ($1::text is null or state = $1) and ($3 = '' or source in ($3, '/webhooks/' || $3))
order by id desc limit $2
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parked report; `mark` is a keyed hash of what it names."""

    id: int
    event_id: str
    report: Report
    mark: str = ""
    contact_id: UUID | None = None
    version: int = 0
    tries: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parking:
    """A report to be parked, and until when; `look_up_at` is machine time."""

    event_id: str
    report: Report
    mark: str
    parked_at: datetime
    expires_at: datetime
    look_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A parked report as operators see it."""

    event_id: str
    type: str
    source: str
    provider: str
    kind: str
    named: str
    state: str
    why: str
    parked_at: datetime
    expires_at: datetime


async def park(conn: Connection, parkings: Sequence[Parking]) -> None:
    """Keep reports, in their order."""
    if parkings:
        await conn.execute(_PARK, dump(_row(parking) for parking in parkings))


async def waiting_marks(conn: Connection, marks: Iterable[str]) -> set[str]:
    """Those marks for which reports wait."""
    rows = await conn.fetch(
        "select distinct mark from parked where state = 'waiting' and mark = any($1)", sorted(set(marks))
    )
    return {row["mark"] for row in rows}


async def lock_known(conn: Connection, limit: int) -> list[Waiting]:
    """Lock waiting reports whose person is known by now, in their order; none while somebody else does."""
    if not await conn.fetchval(_TURN):
        return []
    return [
        _waiting(row, mark=row["mark"], contact_id=row["contact_id"], version=row["version"])
        for row in await conn.fetch(_KNOWN, limit)
    ]


async def release(conn: Connection, ids: Sequence[int], at: datetime) -> None:
    """Note that reports were told."""
    await conn.execute(
        "update parked set state = 'released', settled_at = $2, look_up_at = null where id = any($1)", ids, at
    )


async def pass_over(conn: Connection, seen: Sequence[Waiting]) -> None:
    """Note that a contact, as it is, does not help; the next version of it may."""
    await conn.execute(
        "update parked p set seen_version = s.version "
        "from unnest($1::bigint[], $2::int[]) as s (id, version) where p.id = s.id",
        [one.id for one in seen],
        [one.version for one in seen],
    )


async def expire(conn: Connection, at: datetime, limit: int) -> list[Waiting]:
    """Give up reports that waited long enough."""
    return [_waiting(row, expires_at=row["expires_at"]) for row in await conn.fetch(_EXPIRED, at, limit)]


async def lease(  # a claim has as many terms as it has
    conn: Connection, provider: str, wall: datetime, until: datetime, token: UUID, limit: int = 50
) -> list[Waiting]:
    """Take reports of a provider to be looked up; nobody else does until the lease ends."""
    rows = await conn.fetch(_LEASE, provider, wall, token, until, limit)
    return sorted((_waiting(row, tries=row["tries"]) for row in rows), key=lambda one: one.id)


async def leased(conn: Connection, token: UUID) -> set[int]:
    """Lock what is still ours and still waits."""
    rows = await conn.fetch(
        "select id from parked where lease = $1 and state = 'waiting' order by id for update", token
    )
    return {row["id"] for row in rows}


async def after_look_up(conn: Connection, ids: Sequence[int], why: str, again_at: datetime | None) -> None:
    """Note that a look-up did not help, and when the next one is."""
    await conn.execute(
        "update parked set why = $2, look_up_at = $3, lease = null where id = any($1)", ids, why, again_at
    )


async def listed(conn: Connection, state: str | None, limit: int, source: str = "") -> list[Shown]:
    """Parked reports, newest first; of one source, or of all."""
    return [Shown(**dict(row)) for row in await conn.fetch(_LIST, state, limit, source)]


async def events_of(conn: Connection, mark: str, limit: int = 20) -> list[str]:
    """Ids of events that were parked under a mark, oldest first."""
    rows = await conn.fetch(
        "select event_id from parked where mark = $1 order by id desc limit $2", mark, limit
    )
    return [row["event_id"] for row in rows][::-1]


async def purge(conn: Connection, before: datetime, limit: int) -> int:
    """Forget a part of what was settled before then; returns how many."""
    done = await conn.execute(_PURGE, before, limit)
    return int(done.rpartition(" ")[2])


async def counted(conn: Connection) -> dict[str, int]:
    """How many reports wait, by why."""
    rows = await conn.fetch("select why, count(*) as n from parked where state = 'waiting' group by why")
    return {row["why"]: row["n"] for row in rows}


def _row(parking: Parking) -> dict[str, object]:
    report, gap = parking.report, parking.report.gap
    assert gap is not None  # noqa: S101 - only such reports are parked
    kept = {
        "parked_at": parking.parked_at,
        "expires_at": parking.expires_at,
        "look_up_at": parking.look_up_at,
    }
    return {
        "event_id": parking.event_id,
        "source": report.source,
        "external_id": report.id,
        "type": report.type,
        "touchpoint": json.loads(report.touchpoint.model_dump_json()),
        "aka": list(report.aka),
        "provider": gap.provider,
        "kind": gap.kind.value,
        "named": gap.id,
        "mark": parking.mark,
        "why": "unknown",
        **kept,
    }


def _waiting(row: Row, **more: object) -> Waiting:
    report = Report(
        replay="",
        digest="",
        source=row["source"],
        id=row["external_id"],
        type=row["type"],
        touchpoint=Touchpoint.model_validate_json(row["touchpoint"]),
        gap=Gap(row["provider"], Named(row["kind"]), row["named"]),
        aka=tuple(row["aka"]),
    )
    return Waiting(row["id"], row["event_id"], report, **more)  # type: ignore[arg-type] # named by the callers
