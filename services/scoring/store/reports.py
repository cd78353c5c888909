"""Scores judged: with what is known of the sample, beside the period before, by cohort, in four readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.scoring.domain.asking import Span, ask
from services.scoring.domain.change import Change, compare
from services.scoring.domain.cohorts import LONGEST_OPEN, Cohort, cohorts
from services.scoring.domain.definitions import Defined, definitions
from services.scoring.domain.design import PLAIN, Design, fitted
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from services.scoring.domain.rates import Asked
from services.scoring.store import queries, voices
from shared.contracts.model import Family
from shared.db.database import Connection

NEWEST_FOR_DESIGN = 5000
"""Answers from which it is learned how alike colleagues answer."""

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


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of one programme or product now, and how it changed against the period before."""

    family: str
    programme: str
    histogram: Histogram
    change: Change
    product: str = ""

    @property
    def metric(self) -> Metric:
        """What is scored."""
        return self.histogram.metric


async def compared(
    conn: Connection, span: Span, before: Span, *, programme: str = "", family: str | None = None
) -> list[Compared]:
    """Every score of a span beside that of the span before; a score without an answer now is left out."""
    now, was = await queries.scores_in(conn, ask(programme=programme, family=family), (span, before))
    designs = await _designs(conn, Span(before.first, span.last), programme, family)
    people = await _people(conn, (span, before), programme)
    return _beside(now, was, designs, people)


async def compared_each(conn: Connection, pairs: Sequence[tuple[Span, Span]]) -> list[list[Compared]]:
    """As `compared`, for several spans each; how alike colleagues answer is learned once for all of them."""
    if not pairs:
        return []
    spans = [span for pair in pairs for span in pair]
    scores = await queries.scores_in(conn, ask(), spans)
    whole = Span(min(span.first for span in spans), max(span.last for span in spans))
    designs = await _designs(conn, whole, "", None)
    people = await _people(conn, spans, "")
    return [
        _beside(scores[at], scores[at + 1], designs, people[at : at + 2]) for at in range(0, len(spans), 2)
    ]


def _beside(
    now: Sequence[queries.Found],
    was: Sequence[queries.Found],
    designs: Mapping[voices.Key, tuple[Design, int]],
    people: Sequence[Mapping[tuple[str, str], int]],
) -> list[Compared]:
    asked_now, asked_before = people
    earlier = {(one.histogram.metric, one.family, one.value): one.histogram for one in was}
    found = []
    for one in now:
        key = (one.histogram.metric, one.family, one.value)
        old = earlier.get(key, Histogram.of(one.histogram.metric))
        known = designs.get(key, (PLAIN, 0))
        change = compare(
            score(old, fitted(known, old.n, asked_before.get(key[1:]))),
            score(one.histogram, fitted(known, one.histogram.n, asked_now.get(key[1:]))),
        )
        found.append(Compared(one.family, one.value, one.histogram, change))
    return found


async def _designs(
    conn: Connection, span: Span, programme: str, family: str | None
) -> Mapping[voices.Key, tuple[Design, int]]:
    """How alike colleagues answer, with the number of answers that it was learned from."""
    learned = await voices.sums(conn, span, programme, family, NEWEST_FOR_DESIGN)
    return {key: (one.design(), one.n) for key, one in learned.items()}


async def _people(
    conn: Connection, spans: Sequence[Span], programme: str
) -> list[Mapping[tuple[str, str], int]]:
    """People who could have answered in each span: those asked, of relationship programmes alone.

    What customers think of the house is a question to a finite number of them. What they think of a delivery
    is asked of a process that goes on, so there is no end to those who could be asked.
    """
    could = [
        Span(
            one.first - timedelta(days=LONGEST_OPEN) if one.first > date(2000, 3, 1) else one.first, one.last
        )
        for one in spans
    ]
    asked = await queries.rates_in(
        conn, "programme", could, prefix=programme, exact=bool(programme), family=Family.RELATIONSHIP.value
    )
    return [{key: counts.handed_over for key, counts in of.items() if counts.handed_over} for of in asked]


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
    said = await voices.said(conn, span, programme=programme)
    asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True)
    known = await voices.known(conn, sum(counts.handed_over for counts in asked.values()))
    found = {
        (metric, family): definitions(metric, voiced, known)
        for (metric, family, _), voiced in sorted(said.voices.items())
    }
    return found, said.complete
