"""The answers behind a number, newest first, with their sealed words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.drivers import SATISFIED, UNHAPPY
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, Group
from services.scoring.domain.sides import Side
from services.scoring.store import sides
from services.scoring.store.queries import of_programme
from shared.contracts.forms import SCALES, QuestionType
from shared.db.database import Connection
from shared.db.merged import family

_COLUMNS = """
    f.response_id, f.day, f.programme, f.family, f.nps, f.nps5, f.csat, f.ces,
    coalesce(m.id, f.account_id), coalesce(f.snapshot ->> 'account_name', ''), coalesce(f.persona, ''),
    coalesce(f.snapshot ->> 'channel', ''), c.contact_id, coalesce(c.words, ''), coalesce(c.language, ''),
    coalesce(c.tone, '')
"""
# What else an answer says is read in the answer itself, and only where somebody asks for it: by a number each
# in its place among the values of the statement.
_RATINGS = "json_array_elements(f.answer -> 'scores') r where r ->> 'type' = 'matrix' and r ->> 'item' = $%s"
_RATING = f"(select max((r ->> 'value')::int) from {_RATINGS})"  # noqa: S608 - as above
_RATED = f"""
and exists (select from {_RATINGS} and (r ->> 'value')::int between $%s and $%s)
and exists (select from json_array_elements(f.answer -> 'scores') r
    where coalesce(r ->> 'item', '') = '' and r ->> 'question' = f.answer ->> 'primary')
"""  # noqa: S608 - as above
_CHOSE = """
and exists (select from programmes g cross join json_each(
        case json_typeof(f.answer -> 'choices') when 'object' then f.answer -> 'choices' end) chosen
    where g.programme = f.programme and chosen.key = any (g.brand)
        and ($%s = '' or chosen.value::jsonb ? $%s))
"""
# A breakdown takes in a good part of a programme's answers, so a page of them is found soon. Those of an
# account, under all its ids, are few. Each has a statement of its own, found by the index that fits.
_LIST = f"""
select {_COLUMNS}, {{rating}}
from answer_facts f left join merged m on m.former = f.account_id
left join comments c on c.response_id = f.response_id and c.version = f.version
where f.state = 'counted' and {{whose}} and f.day between $2 and $3
    and ($4::text is null or f.family = $4)
    and ($5 = '' or {{metric}} between $6 and $7)
    and ($8 = '' or f.snapshot ->> $8 = $9)
    and ($10::date is null or (f.day, f.response_id) < ($10, $11))
    and ($13::date is null or f.cohort between $13 and $14 and not f.unasked)
    {{more}}
order by f.day desc, f.response_id desc limit $12
"""  # noqa: S608 - names of our own columns
_OF_PROGRAMME = "f.programme = $1"
_OF_ACCOUNT = "f.account_id = any ($1::uuid[]) and ($15 = '' or f.programme = $15)"
# Of any other cut there may be few: no more than the newest are looked through for a page.
_AMONG = f"""
select {_COLUMNS}
from (
    select * from answer_facts f
    where state = 'counted' and day between $1 and $2 and ($3::text is null or family = $3)
        and {{of_programme}} and ($5::date is null or (day, response_id) < ($5, $6))
        and ($12::date is null or f.cohort between $12 and $13 and not f.unasked)
    order by day desc, response_id desc limit $7
) f left join merged m on m.former = f.account_id
left join comments c on c.response_id = f.response_id and c.version = f.version
where ($8 = '' or {{metric}} between $9 and $10) and ($14 = '' or f.snapshot ->> $14 = $15) and {{where}}
order by f.day desc, f.response_id desc limit $11
"""  # noqa: S608 - as above

After = tuple[date, UUID]
"""Behind which answer a list goes on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers.

    Attributes:
        programme: whose; of an account also "", which is any.
        span: days on which they came.
        family: kind of survey; None for any.
        metric: what was scored; None for any.
        group: one of the groups of `metric`; None for any.
        dimension: what is to have `value`; "" for nothing.
        value: of the dimension.
        account: whose people gave them; None for everybody.
        asked: days on which the surveys were handed over; None for any.
        exactly: the answer that is wanted of `metric`; None for any.
        attribute: what was rated beside a score; "" for nothing.
        rated: how `attribute` was rated; None for any.
        wish: what a partner is chosen by; "" for nothing.
        wished: whether only those are wanted who were asked for such wishes.
    """

    programme: str
    span: Span
    family: str | None = None
    metric: Metric | None = None
    group: Group | None = None
    dimension: str = ""
    value: str = ""
    account: UUID | None = None
    asked: Span | None = None
    exactly: int | None = None
    attribute: str = ""
    rated: Group | None = None
    wish: str = ""
    wished: bool = False

    @property
    def asked_ends(self) -> tuple[date, date] | tuple[None, None]:
        """First and last day of the hand-over, as a statement has them."""
        return (self.asked.first, self.asked.last) if self.asked else (None, None)

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and highest answer that is wanted of `metric`."""
        metric = self.metric or Metric.NPS
        if self.exactly is not None:
            return (self.exactly, self.exactly)
        middle, high = FROM[metric]
        return {
            None: (metric.lowest, metric.highest),
            Group.HIGH: (high, metric.highest),
            Group.MIDDLE: (middle, high - 1),
            Group.LOW: (metric.lowest, middle - 1),
        }[self.group]

    @property
    def rated_ends(self) -> tuple[int, int]:
        """The lowest and highest rating that is wanted of `attribute`."""
        lowest, highest = SCALES[QuestionType.MATRIX]
        return {
            None: (lowest, highest),
            Group.HIGH: (SATISFIED, highest),
            Group.MIDDLE: (UNHAPPY + 1, SATISFIED - 1),
            Group.LOW: (lowest, UNHAPPY),
        }[self.rated]


@dataclass(frozen=True, slots=True)
class Given:
    """One answer; words are sealed, and empty where nothing was written or it was erased."""

    response_id: UUID
    day: date
    programme: str
    family: str
    points: Sequence[tuple[Metric, int]]
    account_id: UUID | None
    account_name: str
    persona: str
    channel: str
    contact_id: UUID | None
    words: str
    language: str
    tone: str
    rating: int | None = None
    """Of the attribute, where one is asked for."""


async def among(conn: Connection, side: Side, wanted: Wanted, after: After | None, limit: int) -> list[Given]:
    """Answers of a side that count, newest first, looked for among so many of its programme and days."""
    last = min(side.span.last, after[0]) if after else side.span.last
    values: list[object] = [
        side.span.first, last, wanted.family, side.programme, *(after or (None, None)), MOST_FACTS,
        wanted.metric.value if wanted.metric else "", *wanted.ends, limit, *wanted.asked_ends,
        wanted.dimension, wanted.value,
    ]  # fmt: skip
    where = sides.conditions(side, values, "f.")
    statement = _AMONG.format(
        metric=f"f.{wanted.metric or Metric.NPS}", where=where, of_programme=of_programme(side.programme, 4)
    )
    rows = await conn.fetch(statement, *values)
    return [_given(tuple(row)) for row in rows]


async def listed(conn: Connection, wanted: Wanted, after: After | None, limit: int) -> list[Given]:
    """Answers of a programme or of an account that count, newest first."""
    # Days that are over are not read again: the last page takes no longer than the first.
    last = min(wanted.span.last, after[0]) if after else wanted.span.last
    whose, of = (_OF_PROGRAMME, ()) if wanted.account is None else (_OF_ACCOUNT, (wanted.programme,))
    named = wanted.programme if wanted.account is None else await family(conn, wanted.account)
    values: list[object] = [
        named, wanted.span.first, last, wanted.family, wanted.metric.value if wanted.metric else "",
        *wanted.ends, wanted.dimension, wanted.value, *(after or (None, None)), limit, *wanted.asked_ends,
        *of,
    ]  # fmt: skip
    rating, more = _said_besides(wanted, values)
    metric = f"f.{wanted.metric or Metric.NPS}"
    rows = await conn.fetch(_LIST.format(whose=whose, metric=metric, rating=rating, more=more), *values)
    return [_given(tuple(row)) for row in rows]


def _said_besides(wanted: Wanted, values: list[object]) -> tuple[str, str]:
    """What is read of ratings and wishes, and the conditions on them; their values are added to `values`."""
    rating, more = "null::int", ""
    if wanted.attribute:
        values += [wanted.attribute, *wanted.rated_ends]
        place = len(values)
        rating = _RATING % (place - 2)
        more += _RATED % (place - 2, place - 1, place)
    if wanted.wish or wanted.wished:
        values.append(wanted.wish)
        more += _CHOSE % (len(values), len(values))
    return rating, more


def _given(row: tuple[Any, ...]) -> Given:
    points = [(metric, value) for metric, value in zip(Metric, row[4:8], strict=True) if value is not None]
    told: list[Any] = [*row[:4], points, *row[8:]]
    return Given(*told)
