"""The answers behind a number, newest first, with their sealed words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, Group
from services.scoring.domain.sides import Side
from services.scoring.store import sides
from shared.db.database import Connection

_COLUMNS = """
    f.response_id, f.day, f.programme, f.family, f.nps, f.nps5, f.csat, f.ces,
    coalesce(m.id, f.account_id), coalesce(f.snapshot ->> 'account_name', ''), coalesce(f.persona, ''),
    coalesce(f.snapshot ->> 'channel', ''), c.contact_id, coalesce(c.words, ''), coalesce(c.language, ''),
    coalesce(c.tone, '')
"""
# A breakdown takes in a good part of a programme's answers, so a page of them is found soon.
_LIST = f"""
select {_COLUMNS}
from answer_facts f left join merged m on m.former = f.account_id
left join comments c on c.response_id = f.response_id and c.version = f.version
where f.state = 'counted' and f.programme = $1 and f.day between $2 and $3
    and ($4::text is null or f.family = $4)
    and ($5 = '' or {{metric}} between $6 and $7)
    and ($8 = '' or f.snapshot ->> $8 = $9)
    and ($10::date is null or (f.day, f.response_id) < ($10, $11))
order by f.day desc, f.response_id desc limit $12
"""  # noqa: S608 - names of our own columns
# Of any other cut there may be few: no more than the newest are looked through for a page.
_AMONG = f"""
select {_COLUMNS}
from (
    select * from answer_facts
    where state = 'counted' and day between $1 and $2 and ($3::text is null or family = $3)
        and ($4 = '' or programme = $4) and ($5::date is null or (day, response_id) < ($5, $6))
    order by day desc, response_id desc limit $7
) f left join merged m on m.former = f.account_id
left join comments c on c.response_id = f.response_id and c.version = f.version
where ($8 = '' or {{metric}} between $9 and $10) and {{where}}
order by f.day desc, f.response_id desc limit $11
"""  # noqa: S608 - as above
_LISTS = {metric: _LIST.format(metric=f"f.{metric}") for metric in Metric}

After = tuple[date, UUID]
"""Behind which answer a list goes on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers. `group` is one of the groups of `metric`, `value` what its `dimension` is; "" is any."""

    programme: str
    span: Span
    family: str | None = None
    metric: Metric | None = None
    group: Group | None = None
    dimension: str = ""
    value: str = ""

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and highest answer that is wanted of `metric`."""
        metric = self.metric or Metric.NPS
        middle, high = FROM[metric]
        return {
            None: (metric.lowest, metric.highest),
            Group.HIGH: (high, metric.highest),
            Group.MIDDLE: (middle, high - 1),
            Group.LOW: (metric.lowest, middle - 1),
        }[self.group]


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


async def among(conn: Connection, side: Side, wanted: Wanted, after: After | None, limit: int) -> list[Given]:
    """Answers of a side that count, newest first, looked for among so many of its programme and days."""
    last = min(side.span.last, after[0]) if after else side.span.last
    values: list[object] = [
        side.span.first, last, wanted.family, side.programme, *(after or (None, None)), MOST_FACTS,
        wanted.metric.value if wanted.metric else "", *wanted.ends, limit,
    ]  # fmt: skip
    where = sides.conditions(side, values, "f.")
    rows = await conn.fetch(_AMONG.format(metric=f"f.{wanted.metric or Metric.NPS}", where=where), *values)
    return [_given(tuple(row)) for row in rows]


async def listed(conn: Connection, wanted: Wanted, after: After | None, limit: int) -> list[Given]:
    """Answers of a programme that count, newest first."""
    # Days that are over are not read again: the last page takes no longer than the first.
    last = min(wanted.span.last, after[0]) if after else wanted.span.last
    rows = await conn.fetch(
        _LISTS[wanted.metric or Metric.NPS], wanted.programme, wanted.span.first, last,
        wanted.family, wanted.metric.value if wanted.metric else "", *wanted.ends, wanted.dimension,
        wanted.value, *(after or (None, None)), limit,
    )  # fmt: skip
    return [_given(tuple(row)) for row in rows]


def _given(row: tuple[Any, ...]) -> Given:
    points = [(metric, value) for metric, value in zip(Metric, row[4:8], strict=True) if value is not None]
    told: list[Any] = [*row[:4], points, *row[8:]]
    return Given(*told)
