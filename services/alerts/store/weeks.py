"""What reports say of cases that have ended, added up by week; one row of JSON for each.

A trigger notes the weeks of an ended case whenever it changes, in the same transaction (`stale_weeks`). Such
a week is read case by case until it was added up again, so that what is read is always what the cases say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from services.alerts.domain.weeks import Span, rest, whole
from shared.db.database import Connection

_MARK_ALL = """
insert into stale_weeks (week)
select distinct week from tickets t cross join lateral weeks_of(t) as week where t.ended_at is not null
union select week from case_weeks
"""
_encode = msgspec.json.Encoder().encode


class Kept(StrEnum):
    """What is kept of a week.

    `care` is of rounds that began in it, `outcomes` of cases that ended in it.
    """

    CARE = "care"
    OUTCOMES = "outcomes"


async def fresh(conn: Connection, span: Span) -> tuple[list[tuple[date, str]], Sequence[Span]]:
    """The whole weeks of a span that are up to date with their versions; the rest of it, to be read by case.

    What comes of it is of one moment only where all of it is read in one snapshot. A version is that of the
    transaction which wrote it.
    """
    rows = await conn.fetch(
        """
        select week, xmin::text as version from case_weeks w where week >= $1 and week < $2
            and not exists (select from stale_weeks s where s.week = w.week)
        order by week
        """,
        *whole(span),
    )
    return [(row["week"], row["version"]) for row in rows], rest(span, [row["week"] for row in rows])


async def read(conn: Connection, weeks: Sequence[date], what: Kept) -> list[str]:
    """What is kept of weeks, in their order."""
    rows = await conn.fetch(
        f"select {what} from case_weeks where week = any($1) order by week",  # noqa: S608 - a column of our own
        weeks,
    )
    return [row[what] for row in rows]


async def take_stale(conn: Connection, limit: int) -> list[date]:
    """Weeks to add up anew, the last ones first; only one worker at a time has any.

    What changes from here on notes its weeks again.
    """
    if not await conn.fetchval("select pg_try_advisory_xact_lock(hashtext('case weeks'))"):
        return []
    rows = await conn.fetch(
        """
        delete from stale_weeks where week in (
            select distinct week from stale_weeks order by week desc limit $1)
        returning week
        """,
        limit,
    )
    return sorted({row["week"] for row in rows})


def text_of(groups: Sequence[Mapping[str, Any]]) -> str:
    """What a week keeps of its groups; of the same groups always the same."""
    return _encode(sorted(groups, key=lambda one: (one["team"], str(one["owner"])))).decode()


async def write(conn: Connection, sums: Mapping[date, Mapping[Kept, str]]) -> None:
    """Keep what weeks came to."""
    await conn.execute(
        """
        insert into case_weeks (week, care, outcomes)
        select week, care::json, outcomes::json
        from unnest($1::date[], $2::text[], $3::text[]) as t (week, care, outcomes)
        on conflict (week) do update set care = excluded.care, outcomes = excluded.outcomes
        """,
        list(sums),
        *([found[what] for found in sums.values()] for what in Kept),
    )


async def kept(conn: Connection, after: date | None, limit: int) -> dict[date, dict[Kept, str]]:
    """What is kept of weeks that are up to date, page by page."""
    rows = await conn.fetch(
        """
        select week, care, outcomes from case_weeks w
        where ($1::date is null or week > $1) and not exists (select from stale_weeks s where s.week = w.week)
        order by week limit $2
        """,
        after,
        limit,
    )
    return {row["week"]: {what: row[what] for what in Kept} for row in rows}


async def mark_all(conn: Connection) -> int:
    """Have all weeks added up anew; returns how many there are."""
    return int((await conn.execute(_MARK_ALL)).split()[-1])
