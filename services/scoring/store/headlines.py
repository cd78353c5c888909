"""Headlines with the version that was last announced, and by which transaction."""

from __future__ import annotations

from services.scoring.domain.headlines import Headline
from services.scoring.domain.histogram import BUCKETS, Histogram, Metric
from shared.db.database import Connection
from shared.db.notify import since

FEED = "scores"
"""Rung when headlines were announced."""

_BUCKETS = ", ".join(f"b{number}" for number in range(BUCKETS))
_SUMS = ", ".join(f"coalesce(sum(b{number}), 0)::bigint" for number in range(BUCKETS))
_MINE = """metric = h.metric and family = h.family and rollup = 'programme' and value = h.programme"""
# Closed months first, then the days since: each by the key alone.
_STATES = f"""
select h.metric, h.family, h.programme, h.version, its.*
from headlines h cross join lateral (
    select {_SUMS} from (
        select {_BUCKETS} from score_months where {_MINE} and month < (select before from closed_months)
        union all
        select {_BUCKETS} from score_cells where {_MINE} and day >= (select before from closed_months)
    ) as cells
) as its
where (h.metric, h.family, h.programme) in (select * from unnest($1::text[], $2::text[], $3::text[]))
order by h.metric, h.family, h.programme
"""  # noqa: S608 - our own column names
_CLAIM = """
select metric, family, programme from headlines where announced < version
order by metric, family, programme limit $1 for update skip locked
"""


async def unannounced(conn: Connection, limit: int) -> list[Headline]:
    """Claim headlines that changed since they were announced, and mark them as announced."""
    keys = [tuple(row) for row in await conn.fetch(_CLAIM, limit)]
    if not keys:
        return []
    await conn.execute(
        "update headlines h set announced = version, announced_in = pg_current_xact_id()"
        " from unnest($1::text[], $2::text[], $3::text[]) as t (metric, family, programme)"
        " where (h.metric, h.family, h.programme) = (t.metric, t.family, t.programme)",
        *zip(*keys, strict=True),
    )
    return await _states(conn, keys)


async def all_headlines(conn: Connection) -> list[Headline]:
    """Every headline as it is now."""
    rows = await conn.fetch("select metric, family, programme from headlines order by 1, 2, 3")
    return await _states(conn, [tuple(row) for row in rows]) if rows else []


async def announced_since(conn: Connection, place: str) -> list[Headline]:
    """Headlines that were announced since a place, as they are now."""
    condition = since("announced_in", "$1")
    rows = await conn.fetch(
        f"select metric, family, programme from headlines where {condition} order by 1, 2, 3",  # noqa: S608 - ours
        place,
    )
    return await _states(conn, [tuple(row) for row in rows]) if rows else []


async def metrics_of(conn: Connection, programme: str) -> list[Metric]:
    """What was ever answered to a programme."""
    rows = await conn.fetch(
        "select distinct metric from headlines where programme = $1 order by 1", programme
    )
    return [Metric(row[0]) for row in rows]


async def version_of(conn: Connection, programme: str) -> int:
    """A number that grows with each change of a programme's scores."""
    version = await conn.fetchval(
        "select coalesce(sum(version), 0)::bigint from headlines where programme = $1", programme
    )
    return int(version)


async def _states(conn: Connection, keys: list[tuple[str, ...]]) -> list[Headline]:
    rows = await conn.fetch(_STATES, *zip(*keys, strict=True))
    return [
        Headline(metric, family, programme, version, Histogram.from_buckets(metric, buckets))
        for row in rows
        for metric, (family, programme, version, *buckets) in [(Metric(row[0]), tuple(row)[1:])]
    ]
