"""Answers grouped by what no rollup is kept for: bounded reads of facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.cutting import MOST_FACTS, Cut
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rollups import JOINT
from services.scoring.store.queries import Found, of_programme
from shared.db.database import Connection

# Each answer is read once, for it is the reading of its snapshot that takes time: in front comes how many
# they are and back to which day.
_CUT = """
with newest as materialized (
    select day, family, nps, nps5, csat, ces, snapshot #>> $6::text[] as one,
        case when $7::text[] is null then '' else snapshot #>> $7::text[] end as two,
        case when $8::text[] is null then '' else snapshot #>> $8::text[] end as three
    from answer_facts
    where state = 'counted' and day between $1 and $2
        and {of_programme} and ($4::text is null or family = $4)
    order by day desc limit $5
), alike as (
    select family, one, two, three, nps, nps5, csat, ces, count(*) as times from newest
    where one <> '' and two is not null and three is not null group by 1, 2, 3, 4, 5, 6, 7, 8
)
select min(day), '', '', '', '', '', 0, count(*)::int from newest
union all
select null, metric, family, one, two, three, answer, sum(times)::int
from alike, lateral (values ('nps', nps), ('nps5', nps5), ('csat', csat), ('ces', ces)) as p (metric, answer)
where answer is not null and ($9::text is null or metric = $9)
group by metric, family, one, two, three, answer
order by 2, 3, 4, 5, 6
"""


@dataclass(frozen=True, slots=True)
class Cutting:
    """What a cut came to.

    Attributes:
        found: answers by values of the dimensions.
        answers: that were read.
        since: the day back to which they were; None where there are none.
        complete: false where there were more answers than are read.
    """

    found: Sequence[Found]
    answers: int
    since: date | None
    complete: bool


async def cutting(conn: Connection, cut: Cut, most: int = MOST_FACTS) -> Cutting:
    """Group the newest answers of a span; answers of which a dimension is not known are left out.

    Args:
        conn: connection.
        cut: by what, and of which answers.
        most: answers that are read.
    """
    paths = [*map(list, cut.paths), None, None][:3]
    read, *rows = await conn.fetch(
        _CUT.format(of_programme=of_programme(cut.programme, 3)),
        cut.span.first, cut.span.last, cut.programme, cut.family, most, *paths,
        cut.metric.value if cut.metric else None,
    )  # fmt: skip
    since, answers = read[0], read[7]
    wide = len(cut.dimensions)
    place = cut.dimensions.index("account") if "account" in cut.dimensions else None
    leads = await _leads(conn) if place is not None else {}
    given = tuple(leads.get(one, one) if n == place else one for n, one in enumerate(cut.given))
    counted: dict[tuple[Metric, str, tuple[str, ...]], list[int]] = {}
    for _, name, family, one, two, three, answer, times in map(tuple, rows):
        kind, values = Metric(name), (one, two, three)[:wide]
        if place is not None:
            values = (*values[:place], leads.get(values[place], values[place]), *values[place + 1 :])
        if "" in values or values[: len(given)] != given:
            continue
        counts = counted.setdefault((kind, family, values), [0] * len(Histogram.of(kind).counts))
        counts[answer - kind.lowest] += times
    found = [
        Found(family, JOINT.join(values), Histogram(kind, tuple(counts)))
        for (kind, family, values), counts in counted.items()
    ]
    return Cutting(found, answers, since, answers < most)


async def _leads(conn: Connection) -> dict[str, str]:
    """Where former accounts lead; as many as were ever merged, which are few."""
    return dict(
        map(
            tuple,
            await conn.fetch(
                "select former::text, id::text from merged join accounts on account_id = former"
            ),
        )
    )
