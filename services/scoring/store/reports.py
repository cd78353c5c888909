"""Scores judged: with what is known of the sample, beside the period before, by cohort, in four readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from services.scoring.domain.asking import Span, ask
from services.scoring.domain.change import Change, compare
from services.scoring.domain.cohorts import LONGEST_OPEN, Cohort, cohorts
from services.scoring.domain.definitions import Defined, Known, Told, definitions
from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from services.scoring.domain.rates import Asked, rate
from services.scoring.domain.rollups import JOINT
from services.scoring.store import queries, voices
from services.scoring.store.clusterings import clusterings
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.values import Value

NEWEST_FOR_WAITS = 2000
"""Answers from which it is learned how long people take to answer."""

_WAITS = """
select least(greatest(day - cohort, 0), $4), count(*)::int from (
    select day, cohort from answer_facts
    where state = 'counted' and programme = $1 and day between $2 and $3
    order by day desc limit $5
) f where cohort <= $3 - $4 group by 1
"""
_COHORTS = """
select day, sum(requested)::int, sum(handed_over)::int, sum(answered)::int, sum(held)::int from rate_cells
where rollup = 'programme' and value = $1 and day between $2 and $3 group by day
"""
# One look into the index, which has the default collation, for each programme and span.
_UNASKED = """
select span.n, asked.programme
from unnest($1::int[], $2::date[], $3::date[]) as span (n, first, last)
cross join (
    select distinct programme collate "default" as programme from headlines
    where family = $4 and $5::text in ('', programme)
) as asked
cross join lateral (
    select from answer_facts f
    where f.programme = asked.programme and f.day between span.first and span.last
        and f.unasked and f.state = 'counted'
    limit 1
) as unasked
"""


class Compared(Value, frozen=True):
    """One metric of one programme or product now, and how it changed against the period before.

    `clustering` is how its answers hang together by account; `inside` are the programmes in which the newest
    answers about a product were given.
    """

    family: str
    programme: str
    histogram: Histogram
    change: Change
    clustering: Clustering
    product: str = ""
    inside: Sequence[str] = ()

    @property
    def metric(self) -> Metric:
        """What is scored."""
        return self.histogram.metric


def learned_at(found: Iterable[Clustering]) -> datetime | None:
    """When the oldest of it was learned that is kept of how alike colleagues answer; None where none is."""
    return min((at for one in found if (at := one.learned_at)), default=None)


async def compared(
    conn: Connection, span: Span, before: Span, *, programme: str = "", family: str | None = None
) -> list[Compared]:
    """Every score of a span beside that of the span before; a score without an answer now is left out."""
    now, was = await queries.scores_in(conn, ask(programme=programme, family=family), (span, before))
    learned = await clusterings(conn, keys_of(now + was), family)
    could = await people(conn, (span, before), programme)
    return _beside(now, was, learned, could)


async def compared_each(conn: Connection, pairs: Sequence[tuple[Span, Span]]) -> list[list[Compared]]:
    """As `compared`, for several spans each; how alike colleagues answer is learned once for all of them."""
    if not pairs:
        return []
    spans = [span for pair in pairs for span in pair]
    scores = await queries.scores_in(conn, ask(), spans)
    learned = await clusterings(conn, keys_of([one for found in scores for one in found]))
    could = await people(conn, spans, "")
    return [
        _beside(scores[at], scores[at + 1], learned, could[at : at + 2]) for at in range(0, len(spans), 2)
    ]


def _beside(
    now: Sequence[queries.Found],
    was: Sequence[queries.Found],
    learned: Mapping[voices.Key, Clustering],
    could: Sequence[Mapping[tuple[str, str], int]],
) -> list[Compared]:
    could_now, could_before = could
    earlier = {(one.histogram.metric, one.family, one.value): one.histogram for one in was}
    found = []
    for one in now:
        key = (one.histogram.metric, one.family, one.value)
        old = earlier.get(key, Histogram.of(one.histogram.metric))
        known = learned.get(key, APART)
        change = compare(
            score(old, known.design(old.n, could_before.get(key[1:]))),
            score(one.histogram, known.design(one.histogram.n, could_now.get(key[1:]))),
        )
        found.append(Compared(one.family, one.value, one.histogram, change, known))
    return found


def keys_of(found: Sequence[queries.Found]) -> set[voices.Key]:
    """Which scores of programmes these are."""
    return {(one.histogram.metric, one.family, one.value) for one in found}


async def people(
    conn: Connection, spans: Sequence[Span], value: str, rollup: str = "programme"
) -> list[Mapping[tuple[str, str], int]]:
    """People who could have answered in each span: those asked, of relationship programmes alone.

    What customers think of the house is a question to a finite number of them. What they think of a delivery
    is asked of a process that goes on, so there is no end to those who could be asked. Nor is it known how
    many could have answered where some did whom nobody asked: by a shared link, or by another form tool.

    Args:
        conn: connection.
        spans: days of the answers; whoever was asked while surveys stay open before is of them.
        value: whose, in the rollup; "" for all.
        rollup: one that rates are kept by.

    Returns:
        By family and value; without those of whom it is not known.
    """
    could = [
        Span(
            one.first - timedelta(days=LONGEST_OPEN) if one.first > date(2000, 3, 1) else one.first, one.last
        )
        for one in spans
    ]
    asked = await queries.rates_in(
        conn, rollup, could, prefix=value, exact=bool(value), family=Family.RELATIONSHIP.value
    )
    if not any(asked):
        return [{} for _ in spans]
    by_programme = rollup.startswith("programme")
    opened = await _unasked(conn, spans, value.partition(JOINT)[0] if by_programme else "")
    return [
        {
            (family, of): counts.handed_over
            for (family, of), counts in found.items()
            if counts.handed_over and not (of.partition(JOINT)[0] in others if by_programme else others)
        }
        for found, others in zip(asked, opened, strict=True)
    ]


async def _unasked(conn: Connection, spans: Sequence[Span], programme: str) -> list[set[str]]:
    """Relationship programmes that somebody answered in each span whom nobody had asked; "" looks at all."""
    found: list[set[str]] = [set() for _ in spans]
    each = [(number, one.first, one.last) for number, one in enumerate(spans)]
    rows = await conn.fetch(_UNASKED, *zip(*each, strict=True), Family.RELATIONSHIP.value, programme)
    for number, name in map(tuple, rows):
        found[number].add(name)
    return found


async def by_cohort(conn: Connection, programme: str, today: date, weeks: int = 13) -> list[Cohort]:
    """The last weeks of asking, with the share of answers that should be there by now."""
    rows = await conn.fetch(_COHORTS, programme, today - timedelta(weeks=weeks), today)
    asked = {row[0]: Asked(*tuple(row)[1:]) for row in rows}
    year = today - timedelta(days=365)
    waits = await conn.fetch(_WAITS, programme, year, today, LONGEST_OPEN, NEWEST_FOR_WAITS)
    return cohorts(asked, {row[0]: row[1] for row in waits}, today)


async def defined(
    conn: Connection, span: Span, programme: str
) -> tuple[dict[tuple[Metric, str], list[Defined]], bool]:
    """Four readings of each metric and family of a programme; False where only the newest were read."""
    answered = await queries.scores(conn, ask(programme=programme, span=span))
    told, complete = await voices.readings(
        conn, span, programme, sorted({one.histogram.metric for one in answered})
    )
    return readings_of(told, await known(conn, span, programme)), complete


async def known(
    conn: Connection, span: Span, programme: str, asked: Mapping[tuple[str, str], Asked] | None = None
) -> Known:
    """What readings are held against: all accounts, and people asked in a span.

    Args:
        conn: connection.
        span: days.
        programme: who asked them.
        asked: how many, where that is known already.
    """
    if asked is None:
        asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True)
    rates = {family: rate(counts).value for (family, _), counts in asked.items()}
    return await voices.known(conn, {family: share for family, share in rates.items() if share is not None})


def readings_of(
    told: Mapping[tuple[Metric, str], Told], everybody: Known
) -> dict[tuple[Metric, str], list[Defined]]:
    """Four readings of what was answered, by metric and family."""
    return {
        (metric, family): definitions(metric, family, one, everybody)
        for (metric, family), one in sorted(told.items())
    }
