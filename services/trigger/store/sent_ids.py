"""By which ids senders know events: their own, and those of what an event is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.trigger.store.rows import dump
from shared.db.database import Connection

KAFKA = "kafka"
"""The route of events over Kafka whose id an event of another source has, too; `replay` is that id."""

OURS = "/afterword/"
"""How the sources of what we tell ourselves begin; such events have ids that we made."""

_COLUMNS = "id, event_id, source, route, replay, type, at"
_NOTE = f"""
insert into sent_ids ({_COLUMNS})
select {_COLUMNS} from jsonb_populate_recordset(null::sent_ids, $1::text::jsonb)
"""  # noqa: S608 - a constant
_SHOWN = """
select s.event_id, s.source, s.type, max(s.at) as at,
    coalesce(max(w.conflicts), max(i.conflicts), 0) as conflicts
from sent_ids s left join webhooks w on w.source = s.route and w.id = s.replay
left join inbox i on s.route = 'kafka' and i.event_id = s.replay and i.source = s.source
where {where} and ($2::text is null or s.source = $2)
group by s.event_id, s.source, s.type order by max(s.at) desc, s.event_id limit $3
"""
_FIND = _SHOWN.format(where="s.id = $1")
_OF_EVENTS = _SHOWN.format(where="s.event_id = any($1) and s.route <> ''")
# Over Kafka the sender's id is the event's own, unless one of another source had it first.
_BY_ITS_OWN = """
i.source not like '/afterword/%' and not exists (
    select from sent_ids s where s.id = i.event_id and s.source = i.source and s.route = 'kafka'
)
"""
_OVER_KAFKA = f"""
select i.event_id, i.source, i.conflicts from inbox i
where i.event_id = $1 and ($2::text is null or i.source = $2) and {_BY_ITS_OWN}
order by i.source limit $3
"""  # noqa: S608 - a constant
_SOURCES = f"""
select event_id, string_agg(source, ', ' order by source) as sources from (
    select event_id, source from sent_ids where event_id = any($1) and route <> ''
    union
    select i.event_id, i.source from inbox i where i.event_id = any($1) and {_BY_ITS_OWN}
) as told group by event_id
"""  # noqa: S608 - a constant
_SHARED = """
select told.source, told.event_id from unnest($1::text[], $2::text[]) as told (source, event_id)
where exists (
    select from inbox held where held.event_id = told.event_id and held.source <> told.source
      and held.source not like '/afterword/%'
)
"""
_APART = """
select s.source, s.id, s.event_id from unnest($1::text[], $2::text[]) as told (source, id)
join sent_ids s on s.id = told.id and s.source = told.source and s.route = 'kafka'
"""
_PURGE = """
delete from sent_ids where ctid = any (array(select ctid from sent_ids where at < $1 limit $2))
"""


@dataclass(frozen=True, slots=True)
class SentId:
    """One name of an event; `route` "" = over Kafka, `replay` tells repeats apart within a route."""

    id: str
    event_id: str
    source: str
    type: str
    at: datetime
    route: str = ""
    replay: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as its sender knows it.

    Attributes:
        event_id: its id in the ledger.
        source: who sent it.
        type: what happened; "" where only source and id are kept.
        at: when it came in; None where only source and id are kept.
        conflicts: how often something else came under its id; the first stands.
    """

    event_id: str
    source: str
    type: str = ""
    at: datetime | None = None
    conflicts: int = 0


async def note(conn: Connection, names: Iterable[SentId]) -> None:
    """Remember by what senders know events."""
    rows = list(names)
    if rows:
        await conn.execute(_NOTE, dump(rows))


async def find(conn: Connection, name: str, source: str | None = None, limit: int = 20) -> list[Sent]:
    """Events that somebody sent under that id, or that are about something with that id, newest first."""
    named = [Sent(**dict(row)) for row in await conn.fetch(_FIND, name, source, limit)]
    over_kafka = await conn.fetch(_OVER_KAFKA, name, source, limit)
    return [*named, *(Sent(row["event_id"], row["source"], conflicts=row["conflicts"]) for row in over_kafka)]


async def of_events(conn: Connection, events: Collection[str], limit: int = 20) -> list[Sent]:
    """Where events came from that came by a route of ours, newest first."""
    rows = await conn.fetch(_OF_EVENTS, sorted(events), None, limit) if events else []
    return [Sent(**dict(row)) for row in rows]


async def sources_of(conn: Connection, events: Collection[str]) -> Mapping[str, str]:
    """Where events came from, by their ids in the ledger; without those that are forgotten, or our own.

    Several, with commas between them, where events of one id came at the very same moment.
    """
    rows = await conn.fetch(_SOURCES, sorted(events)) if events else []
    return {row["event_id"]: row["sources"] for row in rows}


async def shared(conn: Connection, identities: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of events (source, id) over Kafka whose id an event of another source has, too."""
    rows = await conn.fetch(_SHARED, *_columns(identities)) if identities else []
    return {(row["source"], row["event_id"]) for row in rows}


async def apart(conn: Connection, identities: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """The ids in the ledger of those events (source, id) that could not keep their own."""
    rows = await conn.fetch(_APART, *_columns(identities)) if identities else []
    return {(row["source"], row["id"]): row["event_id"] for row in rows}


def _columns(identities: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [source for source, _ in identities], [event_id for _, event_id in identities]


async def purge(conn: Connection, before: datetime, limit: int) -> int:
    """Forget a part of the names that are older; returns how many."""
    done = await conn.execute(_PURGE, before, limit)
    return int(done.rpartition(" ")[2])
