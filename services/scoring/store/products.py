"""What answers about single products say before and after a day: the surveys of one kind together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.scoring.domain.asking import Span, ask
from services.scoring.domain.change import compare
from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import FROM, score
from services.scoring.store import queries, voices
from services.scoring.store.clusterings import NEWEST
from services.scoring.store.reports import Compared
from shared.db.database import Connection

Key = tuple[Metric, str, str]
"""Metric, family, product."""


class Learned(NamedTuple):
    """Of a score of a product: how alike colleagues answer, and in which programmes they did."""

    clustering: Clustering
    programmes: Sequence[str]


NOTHING = Learned(APART, ())

# Of people of no known account each answer stands for itself.
_SUMS = """
with newest as materialized (
    select response_id, account_id, family, programme, snapshot ->> 'product' as product, nps, nps5, csat, ces
    from answer_facts where state = 'counted' and day between $1 and $2 order by day desc limit $3
), answers as (
    select metric, family, programme, product, coalesce(m.id, account_id, response_id) as account,
        value >= high as good, value < middle as bad
    from newest left join merged m on m.former = account_id
    cross join lateral (values ('nps', nps), ('nps5', nps5), ('csat', csat), ('ces', ces)) v (metric, value)
    join unnest($5::text[], $6::int[], $7::int[]) ends (metric, middle, high) using (metric)
    where product = any ($4::text[]) and value is not null
), accounts as (
    select metric, family, product, count(*) as n, count(*) filter (where good) as high,
        count(*) filter (where bad) as low
    from answers group by metric, family, product, account
), inside as (
    select metric, family, product, array_agg(distinct programme order by programme) as programmes
    from answers group by metric, family, product
)
select metric, family, product, count(*)::int, sum(n)::int, sum(n * n)::bigint, sum(high)::int, sum(low)::int,
    sum(high * high / n::float8), sum((high - low) * (high - low) / n::float8), min(programmes)
from accounts join inside using (metric, family, product) group by metric, family, product
"""


async def compared_each(conn: Connection, wanted: Sequence[tuple[str, Span, Span]]) -> list[list[Compared]]:
    """For each product its scores in the first span beside the second; none without an answer now."""
    if not wanted:
        return []
    spans = [span for _, *pair in wanted for span in pair]
    whole = Span(min(span.first for span in spans), max(span.last for span in spans))
    learned = await _learned(conn, whole, {product for product, _, _ in wanted})
    return [await _compared(conn, *one, learned) for one in wanted]


async def _compared(
    conn: Connection, product: str, span: Span, before: Span, learned: Mapping[Key, Learned]
) -> list[Compared]:
    now, was = [
        await queries.scores(conn, ask(dimension="product", value=product, span=one))
        for one in (span, before)
    ]
    earlier = {(one.histogram.metric, one.family): one.histogram for one in was}
    found = []
    for one in now:
        metric = one.histogram.metric
        old = earlier.get((metric, one.family), Histogram.of(metric))
        known, inside = learned.get((metric, one.family, product), NOTHING)
        change = compare(score(old, known.design(old.n)), score(one.histogram, known.design(one.histogram.n)))
        found.append(Compared(one.family, "", one.histogram, change, known, product, inside))
    return found


async def _learned(conn: Connection, span: Span, products: set[str]) -> Mapping[Key, Learned]:
    """What the newest answers tell of each product."""
    ends = [(metric.value, *FROM[metric]) for metric in Metric]
    rows = await conn.fetch(_SUMS, span.first, span.last, NEWEST, sorted(products), *zip(*ends, strict=True))
    return {
        (Metric(metric), family, product): Learned(
            voices.sums_of(Metric(metric), counts).clustering, tuple(programmes)
        )
        for metric, family, product, *counts, programmes in map(tuple, rows)
    }
