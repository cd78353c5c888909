"""How alike colleagues answer: learned once in a while for programmes of many answers, else when asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from services.scoring.domain.asking import Span
from services.scoring.domain.design import Clustering
from services.scoring.domain.histogram import Metric
from services.scoring.store import voices
from services.scoring.store.voices import Key
from shared.db.database import Connection

NEWEST = 5_000
"""Answers from which it is learned."""

KEPT_FROM = 1_000
"""From so many answers of a programme on what was learned holds for a while; of fewer each one tells more."""

_PROGRAMMES = "select distinct programme from headlines order by programme"
_KEPT = """
select metric, family, programme, intraclass, paired, answers, accounts, learned_at from (
    select *, sum(answers) over (partition by programme) as learned_from from clusterings
    where $1 = '' or programme = $1
) c where learned_from >= $2
"""
_SAVE = """
insert into clusterings
select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::int[], $7::int[],
    $8::timestamptz[]) as t
on conflict (programme, metric, family) do update set (intraclass, paired, answers, accounts, learned_at) =
    (excluded.intraclass, excluded.paired, excluded.answers, excluded.accounts, excluded.learned_at)
where clusterings.learned_at <= excluded.learned_at
"""


async def learn(conn: Connection, programme: str, at: datetime) -> None:
    """Learn from the newest answers of a programme, whenever they came.

    Args:
        conn: connection.
        programme: whose.
        at: what time it is.
    """
    found = await voices.sums(conn, Span(), (programme,), None, NEWEST)
    rows: list[tuple[Any, ...]] = [
        (*key, one.intraclass, one.paired, one.answers, one.accounts, at)
        for key, one in sorted((key, sums.clustering) for key, sums in found.items())
    ]
    if rows:
        await conn.execute(_SAVE, *zip(*rows, strict=True))


async def programmes(conn: Connection) -> list[str]:
    """Programmes that were answered."""
    return [row[0] for row in await conn.fetch(_PROGRAMMES)]


async def clusterings(
    conn: Connection, span: Span, wanted: Collection[Key], family: str | None = None
) -> Mapping[Key, Clustering]:
    """How alike colleagues answer.

    Where nothing is kept it is learned from the newest answers of the span: few programmes, or few answers.

    Args:
        conn: connection.
        span: days of the answers that are judged.
        wanted: which scores, by metric, family and programme; of others nothing need be known.
        family: that all of them are of, None for any.
    """
    named = {programme for *_, programme in wanted}
    one = named.pop() if len(named) == 1 else ""
    kept = {
        (Metric(metric), kind, programme): Clustering(*counts)
        for metric, kind, programme, *counts in map(tuple, await conn.fetch(_KEPT, one, KEPT_FROM))
    }
    missing = {programme for *key, programme in wanted if (*key, programme) not in kept}
    if missing:
        # Of all at once where nothing is kept: what all have in common is read quicker than each.
        which = tuple(sorted(missing)) if kept or one else ()
        sums = await voices.sums(conn, span, which, family, NEWEST)
        return {key: found.clustering for key, found in sums.items()} | kept
    return kept
