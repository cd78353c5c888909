"""What accounts said: answers grouped by account and persona, read from the newest facts of a span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.definitions import Known, Voice
from services.scoring.domain.design import Sums, Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, is_difference
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.db.merged import families

NEWEST = 10_000
"""Answers of which it is told what accounts said."""

Key = tuple[Metric, str, str]
"""Metric, family, programme."""


def _each(select: str, facts: str) -> str:
    """A statement on some facts for every metric: `{metric}`, with the ends of its groups."""
    parts = [
        select.format(metric=metric.value, middle=FROM[metric][0], high=FROM[metric][1]) for metric in Metric
    ]
    return f"with f as materialized ({facts}) {' union all '.join(parts)}"


_COUNTS = """count(*)::int, (count(*) filter (where {metric} >= {high}))::int,
    (count(*) filter (where {metric} < {middle}))::int"""
_TIMES = """sum(times)::int, coalesce(sum(times) filter (where {metric} >= {high}), 0)::int,
    coalesce(sum(times) filter (where {metric} < {middle}), 0)::int"""


def _newest(which: str) -> str:
    """The newest facts, of nothing but columns that the index has."""
    return f"""
    select programme, coalesce(persona, '') as persona, coalesce(m.id, account_id) as account, family,
        nps, nps5, csat, ces
    from (
        select programme, persona, account_id, family, nps, nps5, csat, ces from answer_facts
        where state = 'counted' and day between $1 and $2 and {which} and ($4::text is null or family = $4)
        order by day desc limit $5
    ) newest left join merged m on m.former = account_id
    """  # noqa: S608 - texts of this module


# Two statements, not one with a choice in it: only then one programme is found by the index.
_NEWEST = {"": _newest("$3 = ''"), "one": _newest("programme = $3")}
# Equal answers are added up before they are told apart by metric: of thousands there are some hundreds.
_SAID = {
    which: _each(
        f"""
        select '{{metric}}', family, programme, coalesce(account::text, ''), persona, {_TIMES}
        from f where {{metric}} is not null group by family, programme, account, persona
        """,  # noqa: S608 - texts of this module
        f"""
        select programme, persona, account, family, nps, nps5, csat, ces, count(*) as times
        from ({newest}) as each group by 1, 2, 3, 4, 5, 6, 7, 8
        """,  # noqa: S608 - as above
    )
    for which, newest in _NEWEST.items()
}
# People of no known account each stand for themselves, under an id that nobody has.
_SUMS = {
    which: _each(
        """
        select '{metric}', family, programme,
            count(*)::int, sum(n)::int, sum(n * n)::bigint, sum(high)::int, sum(low)::int,
            sum(high * high / n::float8), sum((high - low) * (high - low) / n::float8)
        from (
            select family, programme, count(*) as n, count(*) filter (where {metric} >= {high}) as high,
                count(*) filter (where {metric} < {middle}) as low
            from f where {metric} is not null group by family, programme, account
        ) as accounts
        group by 2, 3
        """,
        f"""
        select programme, coalesce(account, gen_random_uuid()) as account, family, nps, nps5, csat, ces
        from ({newest}) as each
        """,  # noqa: S608 - as above
    )
    for which, newest in _NEWEST.items()
}
_OF_ACCOUNTS = """
select coalesce(m.id, account_id) as account, coalesce(persona, '') as persona, family, programme, day,
    nps, nps5, csat, ces
from answer_facts left join merged m on m.former = account_id
where account_id = any($1::uuid[]) and state = 'counted' and day between $2 and $3
"""
_OF = _each(
    f"""
    select account, '{{metric}}', family, persona, {_COUNTS}
    from f where {{metric}} is not null group by account, family, persona
    """,  # noqa: S608 - as above
    _OF_ACCOUNTS,
)
_OF_FAMILIES = _each(
    f"""
    select account, '{{metric}}', family, max(day), {_COUNTS}
    from f where {{metric}} is not null group by account, family
    """,  # noqa: S608 - as above
    _OF_ACCOUNTS,
)
_OF_PROGRAMMES = _each(
    f"""
    select '{{metric}}', family, programme, {_COUNTS}
    from f where {{metric}} is not null group by family, programme, account
    """,  # noqa: S608 - as above
    _OF_ACCOUNTS,
)
_STAYS = "not exists (select from merged m where m.former = a.account_id)"
_KNOWN = f"""
select (select count(*) from accounts a where {_STAYS})::int,
    (select count(*) from (
        select distinct account_id from people where persona = 'decision_maker' and account_id is not null
            and contact_id <> all (array(select former from merged))
    ) as deciding)::int
"""  # noqa: S608 - texts of this module
_VALUES = f"""
select account_id::text, annual_value from accounts a where annual_value > 0 and {_STAYS}
"""  # noqa: S608 - texts of this module


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the people of one persona of an account said to one question of one kind of survey."""

    metric: Metric
    family: Family
    persona: str
    voices: Voices


@dataclass(frozen=True, slots=True)
class Said:
    """Voices by metric, family and programme; `complete` is false where older answers were not read."""

    voices: Mapping[Key, Sequence[Voice]]
    complete: bool


async def sums(
    conn: Connection, span: Span, programme: str, family: str | None, most: int
) -> dict[Key, Sums]:
    """The newest `most` answers of a span, added up by account."""
    found: dict[Key, Sums] = {}
    for row in await conn.fetch(
        _SUMS["one" if programme else ""], span.first, span.last, programme, family, most
    ):
        name, kind, of, *counts = tuple(row)
        found[Metric(name), kind, of] = sums_of(Metric(name), counts)
    return found


def sums_of(metric: Metric, counts: Sequence[Any]) -> Sums:
    """A sample from what a statement adds up: accounts, n, sizes, high, low, shares, differences."""
    accounts, n, sizes, high, low, shares, differences = counts
    if is_difference(metric):
        return Sums(accounts, n, sizes, high - low, high + low, differences)
    return Sums(accounts, n, sizes, high, high, shares)


async def said(
    conn: Connection, span: Span, *, programme: str = "", family: str | None = None, most: int = NEWEST
) -> Said:
    """What accounts said in a span, as far as the newest `most` answers tell."""
    statement = _SAID["one" if programme else ""]
    rows = await conn.fetch(statement, span.first, span.last, programme, family, most)
    found: dict[Key, list[Voice]] = {}
    for metric, kind, name, account, persona, *counts in map(tuple, rows):
        key = (Metric(metric), kind, name)
        found.setdefault(key, []).append(Voice(account, persona, Voices(*counts)))
    counted = sum(voice.voices.n for voices in found.values() for voice in voices)
    return Said(found, counted < most)


async def said_by(
    conn: Connection, accounts: Sequence[UUID], first: date, last: date
) -> dict[UUID, list[Spoken]]:
    """What some accounts said; programmes of one kind are together, kinds never are (R6)."""
    found: dict[UUID, list[Spoken]] = {}
    ids = [one for found in (await families(conn, accounts)).values() for one in found]
    for account, metric, family, persona, *counts in map(tuple, await conn.fetch(_OF, ids, first, last)):
        spoken = Spoken(Metric(metric), Family(family), persona, Voices(*counts))
        found.setdefault(account, []).append(spoken)
    return found


async def said_in_families(
    conn: Connection, accounts: Sequence[UUID], first: date, last: date
) -> dict[tuple[UUID, Metric, str], tuple[Voices, date]]:
    """What some accounts said, by metric and family, with the day of the last answer."""
    ids = [one for found in (await families(conn, accounts)).values() for one in found]
    rows = await conn.fetch(_OF_FAMILIES, ids, first, last)
    return {
        (account, Metric(metric), family): (Voices(*counts), day)
        for account, metric, family, day, *counts in map(tuple, rows)
    }


async def said_of(conn: Connection, accounts: Sequence[UUID], span: Span) -> dict[Key, list[Voices]]:
    """What some accounts said in a span by metric, family and programme; one voice an account."""
    found: dict[Key, list[Voices]] = {}
    rows = await conn.fetch(_OF_PROGRAMMES, list(accounts), span.first, span.last)
    for metric, family, programme, *counts in map(tuple, rows):
        found.setdefault((Metric(metric), family, programme), []).append(Voices(*counts))
    return found


async def known(conn: Connection, asked: int) -> Known:
    """What the directory says of all accounts."""
    accounts, deciding = tuple(await conn.fetchrow(_KNOWN) or (0, 0))
    rows = await conn.fetch(_VALUES)
    return Known(dict(map(tuple, rows)), accounts, deciding, asked)
