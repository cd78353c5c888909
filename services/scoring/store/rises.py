"""Comments counted for rises, the days on which it was looked, and the rises that were told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.scoring.domain.asking import Span
from services.scoring.domain.dropping import QUIET
from services.scoring.domain.rising import Heard, Naming, Rise, Told
from shared.db.database import Connection

STANDS = timedelta(days=7)
"""For so long after it was last seen a rise is shown."""

# While comments are read anew with another dictionary, a theme would rise by the dictionary alone.
_LOOK = """
insert into theme_looks select $1::date
where not exists (select from comments where dictionary < $2)
    and not exists (select from comments where dictionary > $2)
on conflict do nothing returning true
"""
# A programme that brought comments in one span alone is no comparison. People of no known account each stand
# for themselves.
_HEARD = """
with said as materialized (
    select c.day >= $2 as late, c.programme, c.themes, c.tones,
        coalesce(m.id, f.account_id, c.response_id) as account
    from comments c join answer_facts f using (response_id) left join merged m on m.former = f.account_id
    where c.day between $1 and $3 and f.state = 'counted'
), both_spans as (
    select programme from said group by programme having bool_or(late) and not bool_and(late)
), kept as materialized (
    select * from said where programme in (select programme from both_spans)
), sizes as materialized (
    select late, account, count(*) as n from kept group by late, account
), named as materialized (
    select late, programme, account, theme, tone from kept, unnest(themes, tones) as t (theme, tone)
), voices as (
    select late, theme, account, count(*) as y from named group by late, theme, account
)
select late, '' as theme, programme, count(*)::int, 0, 0, 0::float8 from kept group by late, programme
union all
select late, '', '', 0, count(*)::int, sum(n * n)::int, 0 from sizes group by late
union all
select late, theme, programme, count(*)::int, (count(*) filter (where tone = 'negative'))::int, 0, 0
from named group by late, theme, programme
union all
select late, theme, '', 0, count(*)::int, 0, sum(y * y / n::float8)
from voices join sizes using (late, account) group by late, theme
"""
_SAVE = """
insert into rises (theme, day, seen, names, team, before, after, low, high, chance, n_before, n_after,
    comments_before, comments_after, negative_before, negative_after, accounts, programmes)
select theme, $2, $2, names::jsonb, team, before, after, low, high, chance, n_before, n_after,
    comments_before, comments_after, negative_before, negative_after, accounts,
    string_to_array(programmes, E'\\n')
from unnest($1::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
    $9::float8[], $10::int[], $11::int[], $12::int[], $13::int[], $14::int[], $15::int[], $16::int[],
    $17::text[]) as t
    (theme, names, team, before, after, low, high, chance, n_before, n_after, comments_before,
    comments_after, negative_before, negative_after, accounts, programmes)
on conflict do nothing
"""
_SEEN = """
update rises set seen = $2 where theme = any ($1::text[]) and seen > $3 and seen < $2
"""
_TOLD = """
select theme, day, seen, names, team, before, after, n_before, n_after, comments_before, comments_after,
    negative_before, negative_after, accounts, programmes
from rises where seen > $1 and day <= $2 and ($3 = '' or $3 = any (programmes)) order by day desc, theme
limit 20
"""


async def look(conn: Connection, day: date, dictionary: str) -> bool:
    """Claim a day; False where it was looked at, or comments are still read with another dictionary."""
    return bool(await conn.fetchval(_LOOK, day, dictionary))


async def heard(conn: Connection, before: Span, now: Span) -> tuple[Heard, Heard]:
    """The comments of two spans that follow each other."""
    rows = await conn.fetch(_HEARD, before.first, now.first, now.last)
    told = [tuple(row) for row in rows]
    return _heard(row[1:] for row in told if not row[0]), _heard(row[1:] for row in told if row[0])


def _heard(rows: Iterable[tuple[str, str, int, int, int, float]]) -> Heard:
    comments: dict[str, int] = {}
    named: dict[str, dict[str, int]] = defaultdict(dict)
    negative: dict[str, int] = defaultdict(int)
    voices: dict[str, tuple[int, float]] = {}
    accounts = sizes = 0
    for theme, programme, n, some, squares, between in rows:
        if programme and theme:
            named[theme][programme] = n
            negative[theme] += some
        elif programme:
            comments[programme] = n
        elif theme:
            voices[theme] = (some, between)
        else:
            accounts, sizes = some, squares
    themes = {theme: Naming(by, negative[theme], *voices[theme]) for theme, by in named.items()}
    return Heard(comments, accounts, sizes, themes)


async def quiet(conn: Connection, day: date) -> set[str]:
    """Themes that were told of and were seen to rise since then, as late as a month ago."""
    rows = await conn.fetch("select distinct theme from rises where seen > $1", day - QUIET)
    return {row[0] for row in rows}


async def seen(conn: Connection, day: date, found: Sequence[Rise]) -> None:
    """Note that rises which were told of are still there."""
    await conn.execute(_SEEN, [one.theme for one in found], day, day - QUIET)


async def save(conn: Connection, day: date, told: Sequence[tuple[Rise, Mapping[str, str], str]]) -> None:
    """Remember what is told: each rise with the names of its theme and the team that it concerns."""
    rows = [
        (
            one.theme, json.dumps(dict(names)), team, one.change.before.value, one.change.after.value,
            one.change.low, one.change.high, one.chance, one.before.n, one.after.n, one.change.before.n,
            one.change.after.n, one.before.negative, one.after.negative, one.after.accounts,
            "\n".join(one.programmes),
        )
        for one, names, team in told
    ]  # fmt: skip
    themes, *columns = zip(*rows, strict=True)
    await conn.execute(_SAVE, themes, day, *columns)


async def standing(conn: Connection, today: date, programme: str = "") -> list[Told]:
    """Rises that were still there within the last week, those told last first."""
    rows = await conn.fetch(_TOLD, today - STANDS, today, programme)
    return [_told(row) for row in map(tuple, rows)]


def _told(row: tuple[Any, ...]) -> Told:
    told: list[Any] = [*row[:3], json.loads(row[3]), *row[4:]]
    return Told(*told)
