"""How alike colleagues answer: learned once in a while for programmes of many answers, else when asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from services.scoring.domain.asking import Span
from services.scoring.domain.design import Clustering, Sums
from services.scoring.domain.histogram import Metric
from services.scoring.store import voices
from services.scoring.store.voices import Key
from shared.db.database import Connection

NEWEST = 5_000
"""Answers from which it is learned."""

KEPT_FROM = 1_000
"""From so many answers of a programme on what was learned holds for a while; of fewer each one tells more.

What is learned of families as a whole holds from so many answers of all of them on."""

_PROGRAMMES = "select distinct programme from headlines order by programme"
_FAMILIES = "select distinct family from headlines order by family"
_KEPT = """
select metric, family, programme, intraclass, paired, answers, accounts, learned_at from (
    select *, sum(answers) over (partition by programme) as learned_from from clusterings
    where programme = any($1::text[])
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
    await _save(conn, await voices.sums(conn, Span(), (programme,), None, NEWEST), at)


async def learn_together(conn: Connection, family: str, at: datetime) -> None:
    """Learn from the newest answers to all programmes of a family, taken together.

    A customer who answers one programme answers others, too: its answers are more, and not all as much alike.

    Args:
        conn: connection.
        family: whose.
        at: what time it is.
    """
    await _save(conn, await voices.sums_together(conn, family, NEWEST), at)


async def _save(conn: Connection, found: Mapping[Key, Sums], at: datetime) -> None:
    rows: list[tuple[Any, ...]] = [
        (*key, one.intraclass, one.paired, one.answers, one.accounts, at)
        for key, one in sorted((key, sums.clustering) for key, sums in found.items())
    ]
    if rows:
        await conn.execute(_SAVE, *zip(*rows, strict=True))


async def programmes(conn: Connection) -> list[str]:
    """Programmes that were answered."""
    return [row[0] for row in await conn.fetch(_PROGRAMMES)]


async def families(conn: Connection) -> list[str]:
    """Families of programmes that were answered."""
    return [row[0] for row in await conn.fetch(_FAMILIES)]


async def clusterings(
    conn: Connection, wanted: Collection[Key], family: str | None = None
) -> Mapping[Key, Clustering]:
    """How alike colleagues answer.

    Where nothing is kept it is learned as what is kept: from the newest answers, whenever they came. So every
    view of a score says the same of it, whatever days it shows.

    Args:
        conn: connection.
        wanted: which scores, by metric, family and programme, no programme: all of the family together; of
            others nothing need be known.
        family: that all of them are of, None for any.
    """
    if not wanted:
        return {}
    kept = {
        (Metric(metric), kind, programme): Clustering(*counts)
        for metric, kind, programme, *counts in map(
            tuple, await conn.fetch(_KEPT, sorted({programme for *_, programme in wanted}), KEPT_FROM)
        )
    }
    # Of a family as a whole all that its newest answers tell is kept: to read them again tells no more.
    learned = {key[1:] for key in kept if not key[2]}
    missing = {key for key in wanted if key not in kept and key[1:] not in learned}
    sums: dict[Key, Sums] = {}
    if named := sorted({programme for *_, programme in missing if programme}):
        # Of all at once where nothing is kept: what all have in common is read quicker than each.
        of = tuple(named) if len(named) == 1 or any(programme for *_, programme in kept) else ()
        sums |= await voices.sums(conn, Span(), of, family, NEWEST)
    for kind in sorted({kind for _, kind, programme in missing if not programme}):
        sums |= await voices.sums_together(conn, kind, NEWEST)
    return {key: found.clustering for key, found in sums.items()} | kept
