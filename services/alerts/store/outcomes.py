"""How resolved cases turned out, summed by whose they are: sums of weeks, around them case by case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.alerts.domain.care import Whom
from services.alerts.domain.outcomes import Outcomes
from services.alerts.domain.weeks import Span
from services.alerts.store import weeks
from services.alerts.store.weeks import Kept
from shared.db.database import Connection

EVER = datetime(9999, 1, 1, tzinfo=UTC)


class _Group(msgspec.Struct):
    """What a week keeps of one team and owner: cases that a person resolved in it, and confirmed ones."""

    team: str
    owner: UUID | None
    cases: int
    confirmed: int


_RESOLVED = """
select part.start, t.team, t.owner, count(*)::int as cases, count(t.confirmed_at)::int as confirmed
from unnest($1::timestamptz[], $2::timestamptz[]) as part (start, until)
    join tickets t on t.ended_at >= part.start and t.ended_at < part.until
where t.state = 'resolved' and t.how = 'person'
group by part.start, t.team, t.owner
"""
# Cases that count as resolved in the span are counted there; of the others here.
_DENIED = """
select team, owner, (count(*) filter (where not resolved))::int as cases,
    (count(*) filter (where not resolved and state = 'resolved' and confirmed_at is not null))::int
        as confirmed,
    count(*)::int as reopened, (count(*) filter (where state <> 'resolved'))::int as open
from (
    select t.team, t.owner, t.state, t.confirmed_at,
        t.state = 'resolved' and t.how = 'person' and t.ended_at >= $1 and t.ended_at < $2 as resolved
    from tickets t where t.id in (
        select ticket_id from timeline
        where kind = 'denied' and at >= $1 and at < $2 and not data ?| array['late', 'of'])
) as denied
group by team, owner
"""
_decode = msgspec.json.Decoder(list[_Group]).decode


async def since(conn: Connection, start: datetime, until: datetime | None = None) -> dict[Whom, Outcomes]:
    """How cases turned out that ended in a span, or were said not to be mended in it; by team and owner."""
    span = (start, until or EVER)
    whole, parts = await weeks.fresh(conn, span)
    known = await weeks.read(conn, [week for week, _ in whole], Kept.OUTCOMES)
    resolved: dict[Whom, list[int]] = defaultdict(lambda: [0, 0])
    for one in (group for text in known for group in _decode(text)):
        counts = resolved[one.team, one.owner]
        counts[0] += one.cases
        counts[1] += one.confirmed
    for row in await _resolved(conn, parts):
        counts = resolved[row["team"], row["owner"]]
        counts[0] += row["cases"]
        counts[1] += row["confirmed"]
    found = {whom: Outcomes(*counts) for whom, counts in resolved.items()}
    for row in await conn.fetch(_DENIED, *span):
        whom = row["team"], row["owner"]
        found[whom] = found.get(whom, Outcomes()) + Outcomes(*tuple(row)[2:])
    return {whom: found[whom] for whom in sorted(found, key=_order)}


def _order(whom: Whom) -> tuple[str, bool, str]:
    team, owner = whom
    return team, owner is None, str(owner)


async def of_weeks(conn: Connection, spans: Sequence[Span]) -> list[list[dict[str, Any]]]:
    """What is kept of weeks: cases that people resolved in each."""
    rows = await _resolved(conn, spans)
    return [
        [
            {
                "team": row["team"],
                "owner": row["owner"],
                "cases": row["cases"],
                "confirmed": row["confirmed"],
            }
            for row in rows
            if row["start"] == start
        ]
        for start, _ in spans
    ]


async def _resolved(conn: Connection, parts: Sequence[Span]) -> Sequence[Any]:
    return await conn.fetch(_RESOLVED, [start for start, _ in parts], [until for _, until in parts])
