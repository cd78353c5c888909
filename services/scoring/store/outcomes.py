"""Who stayed and who left by what was said in each programme, summed up once in a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Fate
from services.scoring.domain.rates import Asked, rate
from services.scoring.domain.telling import ASKED_DAYS, ProgrammeOutcome, Telling, tellings
from services.scoring.store import fates, queries
from services.scoring.store.results import since
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Connection

_KEPT = "select programme, metric, mood, accounts, churned from programme_outcomes"
_PUBLISHED = "select programme, touchpoints, state, follows_up from programmes"
_SAVE = """
insert into programme_outcomes (programme, metric, mood, accounts, churned)
select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[])
"""

Moods = Mapping[Group, Fate]


async def learn(conn: Connection, today: date) -> None:
    """Sum up what became of accounts within a year, by what they had said in each programme."""
    await conn.execute("lock table programme_outcomes in share row exclusive mode")
    await conn.execute("delete from programme_outcomes")
    rows = [
        (programme, metric.value, mood.value, fate.accounts, fate.left)
        for (programme, metric), moods in (await fates.by_programme(conn, since(today))).items()
        for mood, fate in moods.items()
    ]
    if rows:
        await conn.execute(_SAVE, *zip(*sorted(rows), strict=True))


async def by_programme(conn: Connection, today: date) -> list[ProgrammeOutcome]:
    """What answers to each programme tell of who leaves, as it was last summed up; the most telling first.

    No programme is among them that none of these accounts had answered.
    """
    found = await _kept(conn)
    if not found:
        return []
    published = {name: tuple(rest) for name, *rest in map(tuple, await conn.fetch(_PUBLISHED))}
    asked = await _asked(conn, today)
    told: dict[str, list[Telling]] = {}
    judged = tellings([(metric, moods) for (_, metric), moods in found])
    for ((programme, _), _), one in zip(found, judged, strict=True):
        told.setdefault(programme, []).append(one)
    outcomes = []
    for programme, of in told.items():
        touchpoints, state, follows_up = published.get(programme, ((), None, None))
        outcomes.append(
            ProgrammeOutcome(
                programme, tuple(touchpoints), ProgrammeState(state) if state else None,
                asked.get(programme, 0), follows_up, of,
            )
        )  # fmt: skip
    return sorted(outcomes, key=lambda one: one.place)


async def _kept(conn: Connection) -> list[tuple[tuple[str, Metric], Moods]]:
    """By programme, and of each its metrics in their order."""
    found: dict[tuple[str, Metric], dict[Group, Fate]] = {}
    for programme, metric, mood, accounts, left in map(tuple, await conn.fetch(_KEPT)):
        found.setdefault((programme, Metric(metric)), {})[Group(mood)] = Fate(accounts, left)
    order = list(Metric)
    return sorted(found.items(), key=lambda one: (one[0][0], order.index(one[0][1])))


async def _asked(conn: Connection, today: date) -> dict[str, int]:
    """How many each programme asked lately."""
    counts: dict[str, Asked] = {}
    month = Span(today - timedelta(days=ASKED_DAYS - 1), today)
    for (_, programme), of in (await queries.rates(conn, "programme", month)).items():
        counts[programme] = counts.get(programme, Asked()) + of
    return {programme: rate(of).asked for programme, of in counts.items()}
