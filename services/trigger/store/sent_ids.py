"""By which ids senders know events: their own, and those of what an event is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from services.trigger.store.rows import dump
from shared.db.database import Connection

_COLUMNS = "id, event_id, source, route, replay, type, at"
_NOTE = f"""
insert into sent_ids ({_COLUMNS})
select {_COLUMNS} from jsonb_populate_recordset(null::sent_ids, $1::text::jsonb)
"""  # noqa: S608 - a constant
_SHOWN = """
select s.event_id, s.source, s.type, max(s.at) as at, coalesce(max(w.conflicts), 0) as conflicts
from sent_ids s left join webhooks w on w.source = s.route and w.id = s.replay
where {where} and ($2::text is null or s.source = $2)
group by s.event_id, s.source, s.type order by max(s.at) desc, s.event_id limit $3
"""
_FIND = _SHOWN.format(where="s.id = $1")
_OF_EVENTS = _SHOWN.format(where="s.event_id = any($1) and s.route <> ''")
# Over Kafka the sender's id is the event's own; what we tell ourselves has ids that we made.
_OVER_KAFKA = """
select event_id, source, conflicts from inbox
where event_id = $1 and source not like '/afterword/%' and ($2::text is null or source = $2)
order by source limit $3
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


async def purge(conn: Connection, before: datetime, limit: int) -> int:
    """Forget a part of the names that are older; returns how many."""
    done = await conn.execute(_PURGE, before, limit)
    return int(done.rpartition(" ")[2])
