"""What answers about single products say before and after a day: the surveys of one kind together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Question, Span, ask
from services.scoring.domain.change import compare
from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from services.scoring.store import queries
from services.scoring.store.judging import alike_in
from services.scoring.store.reports import Compared
from shared.db.database import Connection

NEWEST = 5_000
"""Answers that tell in which programmes a product is spoken of."""

KEPT_FROM = 1_000
"""From so many answers on what was learned holds for a while; fewer are soon read."""

Key = tuple[Metric, str, str]
"""Metric, family, product."""

_POINTS = "lateral (values ('nps', nps), ('nps5', nps5), ('csat', csat), ('ces', ces)) as p (metric, answer)"
_NEWEST = """
select family, programme, snapshot ->> 'product' as product, nps, nps5, csat, ces from answer_facts
where state = 'counted' and day between $1 and $2 order by day desc limit $3
"""
_INSIDE = f"""
select distinct metric, family, product, programme from ({_NEWEST}) newest, {_POINTS}
where answer is not null and product = any ($4::text[]) order by programme
"""  # noqa: S608 - texts of this module
_LEARN = f"""
insert into product_programmes (product, metric, family, programme, learned_at)
with newest as materialized ({_NEWEST})
select distinct product, metric, family, programme, $4::timestamptz from newest, {_POINTS}
where answer is not null and product <> '' and (select count(*) from newest) >= $5
"""  # noqa: S608 - as above
_KEPT = """
select metric, family, product, programme from product_programmes
where product = any ($1::text[]) order by programme
"""


async def learn(conn: Connection, at: datetime) -> None:
    """Learn in which programmes the newest answers about each product were given.

    Args:
        conn: connection.
        at: what time it is.
    """
    await conn.execute("lock table product_programmes in share row exclusive mode")
    await conn.execute("delete from product_programmes")
    await conn.execute(_LEARN, FIRST_DAY, LAST_DAY, NEWEST, at, KEPT_FROM)


async def compared_each(conn: Connection, wanted: Sequence[tuple[str, Span, Span]]) -> list[list[Compared]]:
    """For each product its scores in the first span beside the second; none without an answer now."""
    if not wanted:
        return []
    pairs: dict[str, list[Span]] = {}
    for product, *pair in wanted:
        pairs.setdefault(product, []).extend(pair)
    spans = [span for pair in pairs.values() for span in pair]
    whole = Span(min(span.first for span in spans), max(span.last for span in spans))
    scores = {product: await _scores(conn, product, (*own, whole)) for product, own in pairs.items()}
    known = await _alike(conn, whole, {product: found[-1] for product, found in scores.items()})
    inside = await _inside(conn, whole, pairs)
    told = {product: iter(found) for product, found in scores.items()}
    return [
        _beside(product, next(told[product]), next(told[product]), known, inside) for product, *_ in wanted
    ]


async def _scores(conn: Connection, product: str, spans: Sequence[Span]) -> list[list[queries.Found]]:
    return await queries.scores_in(conn, ask(dimension="product", value=product), spans)


async def _alike(
    conn: Connection, span: Span, scores: Mapping[str, Sequence[queries.Found]]
) -> dict[Key, Clustering]:
    """How alike colleagues answer about each product."""
    sums = [
        (one.histogram.metric, one.family, product, one.histogram.n)
        for product, found in scores.items()
        for one in found
    ]
    alike = await alike_in(conn, ("product",), sums, Question("product", span=span))
    return {
        (metric, family, product): alike.of(metric, family, product, n) for metric, family, product, n in sums
    }


def _beside(
    product: str,
    now: Sequence[queries.Found],
    was: Sequence[queries.Found],
    known: Mapping[Key, Clustering],
    inside: Mapping[Key, Sequence[str]],
) -> list[Compared]:
    earlier = {(one.histogram.metric, one.family): one.histogram for one in was}
    found = []
    for one in now:
        metric = one.histogram.metric
        key = (metric, one.family, product)
        old = earlier.get((metric, one.family), Histogram.of(metric))
        alike = known.get(key, APART)
        change = compare(score(old, alike.design(old.n)), score(one.histogram, alike.design(one.histogram.n)))
        found.append(Compared(one.family, "", one.histogram, change, alike, product, inside.get(key, ())))
    return found


async def _inside(conn: Connection, span: Span, products: Collection[str]) -> dict[Key, list[str]]:
    """The programmes in which the newest answers about each product were given; what is not kept is read."""
    found: dict[Key, list[str]] = {}
    rows = await conn.fetch(_KEPT, sorted(products))
    if missing := set(products) - {row[2] for row in rows}:
        rows += await conn.fetch(_INSIDE, span.first, span.last, NEWEST, sorted(missing))
    for metric, family, product, programme in map(tuple, rows):
        found.setdefault((Metric(metric), family, product), []).append(programme)
    return found
