"""Badges, and the words that may stand beside them: consent is asked of each answer at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.badges import Badge, Period, Wanted, Why
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM
from services.scoring.store.quoting import QUOTABLE
from shared.db.database import Connection

MOST_OFFERED = 50
"""Comments among which an operator chooses, the newest."""

_COLUMNS = (
    "badge_id, key, label, programme, metric, period, least, family, published_at, published_by,"
    " taken_back_at, taken_back_by, reason"
)
_ADD = """
insert into badges (badge_id, key, label, programme, metric, period, least, family, published_at,
    published_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (badge_id) do nothing
"""
_TAKE_BACK = """
update badges set taken_back_at = $2, taken_back_by = $3, reason = $4
where badge_id = $1 and taken_back_at is null
"""
# Only of happy people, only of this programme's answers within these days, only while they agree.
_FITTING = f"""
from badges b join answer_facts f on f.programme = b.programme and f.family = b.family
join comments c using (response_id)
left join badge_quotes q
    on q.badge_id = b.badge_id and q.response_id = f.response_id and q.version = f.version
where b.badge_id = $1 and f.state = 'counted' and f.contact_id is not null and f.day between $2 and $3
    and $4 <= case b.metric
        when 'nps' then f.nps when 'nps5' then f.nps5 when 'csat' then f.csat else f.ces end
    and {QUOTABLE}
"""
_LISTED = f"""
select {_COLUMNS} from badges
where $1::bool is null or (taken_back_at is null) < $1
    or ((taken_back_at is null) = $1 and (published_at < $2 or (published_at = $2 and badge_id > $3)))
order by taken_back_at is not null, published_at desc, badge_id limit $4
"""  # noqa: S608 - ours
After = tuple[bool, datetime, UUID]
"""Behind which badge a list goes on: whether it stands, when it was published, its id."""

_OFFERED = f"""
select f.response_id, f.version, c.contact_id, c.words, c.language, f.day, q.badge_id is not null
{_FITTING} order by f.day desc, f.response_id desc limit $5
"""
_CHOSEN = f"""
select f.response_id, f.version, c.contact_id, c.words, c.language, f.day, true
{_FITTING} and q.badge_id is not null order by f.day desc, f.response_id desc limit $5
"""
_CHOOSE = f"""
insert into badge_quotes (badge_id, response_id, version, chosen_at, chosen_by)
select b.badge_id, f.response_id, f.version, $6, $7 {_FITTING} and f.response_id = $5
on conflict (badge_id, response_id) do update
    set (version, chosen_at, chosen_by) = (excluded.version, excluded.chosen_at, excluded.chosen_by)
returning version
"""  # noqa: S608 - texts of our own


@dataclass(frozen=True, slots=True)
class Offered:
    """A comment that may be published, its words sealed; `chosen`: it is."""

    response_id: UUID
    version: int
    contact_id: UUID
    words: str
    language: str
    day: date
    chosen: bool


async def family_of(conn: Connection, programme: str) -> str | None:
    """The family of a programme; None where nobody knows it."""
    family: str | None = await conn.fetchval("select family from programmes where programme = $1", programme)
    return family


async def add(conn: Connection, badge: Badge) -> bool:
    """Keep a new badge; False where this one is kept already."""
    wanted = badge.wanted
    done = await conn.execute(
        _ADD, badge.id, badge.key, wanted.label, wanted.programme, wanted.metric.value, wanted.period.value,
        wanted.least, badge.family, badge.published_at, badge.published_by,
    )  # fmt: skip
    return bool(done == "INSERT 0 1")


async def take_back(conn: Connection, badge: UUID, at: datetime, by: str, why: Why) -> bool:
    """Take a badge back; False where it was before."""
    return bool(await conn.execute(_TAKE_BACK, badge, at, by, why.value) == "UPDATE 1")


async def one(conn: Connection, badge: UUID) -> Badge | None:
    """One badge, as operators know it."""
    row = await conn.fetchrow(f"select {_COLUMNS} from badges where badge_id = $1", badge)  # noqa: S608 - ours
    return _badge(tuple(row)) if row else None


async def named(conn: Connection, key: str) -> Badge | None:
    """One badge, as everybody knows it."""
    row = await conn.fetchrow(f"select {_COLUMNS} from badges where key = $1", key)  # noqa: S608 - ours
    return _badge(tuple(row)) if row else None


async def listed(conn: Connection, after: After | None = None, limit: int | None = None) -> list[Badge]:
    """Badges: those that stand first, then by when they were published, the newest first."""
    rows = await conn.fetch(_LISTED, *(after or (None, None, None)), limit)
    return [_badge(row) for row in map(tuple, rows)]


async def offered(conn: Connection, badge: Badge, span: Span) -> list[Offered]:
    """What may be published with a badge, the newest first."""
    return await _found(conn, _OFFERED, badge, span, MOST_OFFERED)


async def chosen(conn: Connection, badge: Badge, span: Span, limit: int) -> list[Offered]:
    """What is published with it, the newest first."""
    return await _found(conn, _CHOSEN, badge, span, limit)


async def _found(conn: Connection, query: str, badge: Badge, span: Span, limit: int) -> list[Offered]:
    rows = await conn.fetch(query, badge.id, span.first, span.last, _high(badge), limit)
    return [Offered(*row) for row in map(tuple, rows)]


async def choose(
    conn: Connection, badge: Badge, span: Span, response_id: UUID, at: datetime, by: str
) -> int | None:
    """Publish the words of an answer as they are now; the version of it, None where they may not be."""
    version: int | None = await conn.fetchval(
        _CHOOSE, badge.id, span.first, span.last, _high(badge), response_id, at, by
    )
    return version


async def leave_out(conn: Connection, badge: UUID, response_id: UUID) -> bool:
    """Publish the words of an answer no longer; False where they were not."""
    query = "delete from badge_quotes where badge_id = $1 and response_id = $2"
    return bool(await conn.execute(query, badge, response_id) == "DELETE 1")


def _high(badge: Badge) -> int:
    """The lowest answer of a happy person."""
    return FROM[badge.wanted.metric][1]


def _badge(row: tuple[Any, ...]) -> Badge:
    ident, key, label, programme, metric, period, least, *rest = row
    return Badge(ident, key, Wanted(label, programme, Metric(metric), Period(period), least), *rest)
