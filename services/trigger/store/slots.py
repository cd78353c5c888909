"""Who was asked and answered when: news are only added, then summed up by day and learned from once a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.trigger.domain.best_moment import PATIENCE, REMEMBERED, Learned, Seen, Slot
from services.trigger.domain.hearing import Moment
from shared.db.database import Connection

_ADD = """
insert into slot_news (segment, day, band, asked, answered)
select * from unnest($1::text[], $2::date[], $3::int[], $4::int[], $5::int[])
"""
_SUM_UP = """
with news as (delete from slot_news returning segment, day, band, asked, answered)
insert into slot_days (segment, day, band, asked, answered)
select segment, day, band, sum(asked), sum(answered) from news group by 1, 2, 3 order by 1, 2, 3
on conflict (segment, day, band) do update set
    asked = slot_days.asked + excluded.asked, answered = slot_days.answered + excluded.answered
"""
_LEARN = """
insert into slots (segment, weekday, band, asked, answered, as_of)
select segment, extract(isodow from day)::int - 1, band, sum(asked), sum(answered), $1::date
from slot_days where day >= $1::date - $2::int and day < $1::date - $3::int
group by 1, 2, 3 having sum(asked) > 0
"""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A slot of a kind of people, with what was seen by the day of `as_of`."""

    segment: str
    slot: Slot
    seen: Seen
    as_of: date


async def add_news(conn: Connection, news: Mapping[Moment, Seen]) -> None:
    """Note what changed in who was asked and answered when."""
    if news:
        await conn.execute(
            _ADD,
            [moment.segment for moment in news],
            [moment.day for moment in news],
            [moment.band for moment in news],
            [seen.asked for seen in news.values()],
            [seen.answered for seen in news.values()],
        )


async def learn(conn: Connection, today: date) -> bool:
    """Learn from all whose answers may be in; False when that was done today already.

    What is learned stays the same for a day, so that a choice made twice is the same choice.
    """
    done = await conn.execute(
        "update slots_learned set as_of = $1 where as_of is null or as_of <> $1 returning 1", today
    )
    if done == "UPDATE 0":
        return False
    await conn.execute(_SUM_UP)
    await conn.execute("delete from slot_days where day < $1::date - $2::int", today, REMEMBERED.days + 30)
    await conn.execute("delete from slots")
    await conn.execute(_LEARN, today, REMEMBERED.days, PATIENCE.days + 1)
    return True


async def lessons(conn: Connection) -> list[Lesson]:
    """All that was learned."""
    rows = await conn.fetch("select * from slots order by segment, weekday, band")
    return [
        Lesson(
            row["segment"],
            Slot(row["weekday"], row["band"]),
            Seen(row["asked"], row["answered"]),
            row["as_of"],
        )
        for row in rows
    ]


async def learned(conn: Connection) -> dict[str, Learned]:
    """What is known of each kind of people."""
    found: dict[str, dict[Slot, Seen]] = {}
    for lesson in await lessons(conn):
        found.setdefault(lesson.segment, {})[lesson.slot] = lesson.seen
    return {segment: Learned(slots) for segment, slots in found.items()}
