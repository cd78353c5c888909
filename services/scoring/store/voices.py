"""What accounts said: answers grouped by account and persona, read from the newest facts of a span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.definitions import Known, People, Told, Weighed
from services.scoring.domain.design import Sums, Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, Split, is_difference
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.db.merged import families

NEWEST = 10_000
"""Answers of which it is told what accounts said."""

Key = tuple[Metric, str, str]
"""Metric, family, programme; the empty one is all of a family together."""


def _each(select: str, facts: str) -> str:
    """A statement on some facts for every metric: `{metric}`, with the ends of its groups."""
    parts = [
        select.format(metric=metric.value, middle=FROM[metric][0], high=FROM[metric][1]) for metric in Metric
    ]
    return f"with f as materialized ({facts}) {' union all '.join(parts)}"


_COUNTS = """count(*)::int, (count(*) filter (where {metric} >= {high}))::int,
    (count(*) filter (where {metric} < {middle}))::int"""


def _newest(which: str, programme: str = "programme") -> str:
    """The newest facts, of nothing but columns that the index has."""
    return f"""
    select {programme}, persona, account_id, family, nps, nps5, csat, ces from answer_facts
    where state = 'counted' and day between $1 and $2 and {which} and ($4::text is null or family = $4)
    order by day desc limit $5
    """  # noqa: S608 - texts of this module


# Statements of their own, not one with a choice in it: only then some programmes are found by the index.
_NEWEST = {
    "all": _newest("$3::text is null"),
    "one": _newest("programme = $3"),
    "some": _newest("programme = any ($3::text[])"),
    # By its programmes: those of a family that is seldom answered are found without reading all others. They
    # have the collation of the index, else it could not be looked up in.
    "together": _newest(
        "$3::text is null and programme = any "
        '(array(select programme collate "default" from headlines where family = $4))',
        "''::text as programme",
    ),
}
# Thousands of answers are added up before it is looked who was merged: of hundreds of accounts that costs
# nothing. Whoever belongs to no account stands alone.
_SUMS = {
    which: _each(
        """
        select '{metric}', family, programme,
            sum(case when account is null then n else 1 end)::int, sum(n)::int,
            sum(case when account is null then n else n * n end)::bigint, sum(high)::int, sum(low)::int,
            sum(case when account is null then high else high * high / n::float8 end)::float8,
            sum(case when account is null then high + low
                else (high - low) * (high - low) / n::float8 end)::float8
        from (
            select family, programme, coalesce(m.id, account_id) as account, sum(n)::bigint as n,
                sum(high)::bigint as high, sum(low)::bigint as low
            from (
                select family, programme, account_id, count(*) as n,
                    count(*) filter (where {metric} >= {high}) as high,
                    count(*) filter (where {metric} < {middle}) as low
                from f where {metric} is not null group by family, programme, account_id
            ) as said left join merged m on m.former = account_id group by 1, 2, 3
        ) as accounts
        group by 2, 3
        """,
        newest,
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
    (select coalesce(sum(annual_value), 0)::float8 from accounts a where annual_value > 0 and {_STAYS}),
    (select count(*) from (
        select distinct account_id from people where persona = 'decision_maker' and account_id is not null
            and contact_id <> all (array(select former from merged))
    ) as deciding)::int
"""  # noqa: S608 - texts of this module


def _people(before: str, sign: int) -> str:
    """Sums of some people by account, of columns whose names begin so; of no account each stands alone.

    Answers by group, known accounts; then clusters, squared answers, and squared what they said by answers.
    """
    n, high, low = (f"{before}{name}" for name in ("n", "high", "low"))
    return f"""
        sum({n})::int, sum({high})::int, sum({low})::int, count(account) filter (where {n} > 0)::int,
        sum(case when account is null then {n} when {n} > 0 then 1 else 0 end)::int,
        sum(case when account is null then {n} else {n} * {n} end)::bigint,
        coalesce(sum(case when account is null then {high} + {sign} * {low}
            else ({high} - {sign} * {low}) * ({high} - {sign} * {low}) / nullif({n}, 0)::float8 end), 0)"""


def _weighed(weight: str, sign: int, which: str) -> str:
    """Sums of accounts by weight: those of `Weighed`, in its order."""
    said = f"(high - {sign} * low) / n::float8"
    parts = (
        weight, f"{weight} * high / n", f"{weight} * low / n", f"{weight} * {weight} / n",
        f"{weight} * {weight}", f"{weight} * {weight} * {said}", f"{weight} * {weight} * {said} * {said}",
    )  # fmt: skip
    counts = ", ".join(
        f"coalesce(sum({name}) filter (where {which}), 0)::int" for name in ("n", "high", "low")
    )
    sums = ", ".join(f"coalesce(sum({part}) filter (where {which}), 0)::float8" for part in parts)
    return f"count(*) filter (where {which})::int, {counts}, {sums}"


def _reading(metric: Metric) -> str:
    """Sums of one metric by family; in front the answers that were read, whatever they say."""
    middle, high = FROM[metric]
    sign = 1 if is_difference(metric) else 0
    deciding = ", ".join(
        f"coalesce(sum({name}) filter (where deciding), 0)::bigint as deciding_{name}"
        for name in ("n", "high", "low")
    )
    return f"""
    select '{metric}', family, sum(answers)::int, {_people("", sign)}, {_people("deciding_", sign)},
        {_weighed("1::float8", sign, "account is not null and n > 0")},
        {_weighed("value", sign, "value > 0 and n > 0")}
    from (
        select said.*, annual_value::float8 as value
        from (
            select family, coalesce(m.id, account_id) as account, sum(answers) as answers,
                sum(n)::bigint as n, sum(high)::bigint as high, sum(low)::bigint as low, {deciding}
            from (
                select family, account_id, coalesce(persona = 'decision_maker', false) as deciding,
                    count(*) as answers, count({metric}) as n,
                    count(*) filter (where {metric} >= {high}) as high,
                    count(*) filter (where {metric} < {middle}) as low
                from f group by 1, 2, 3
            ) as each left join merged m on m.former = account_id group by 1, 2
        ) as said left join accounts a on a.account_id = said.account
    ) as accounts group by family"""  # noqa: S608 - texts of this module


@lru_cache(maxsize=64)
def _readings(facts: str, metrics: Sequence[Metric]) -> str:
    """Sums of some metrics; of one the answers are added up as they are found, and kept nowhere."""
    return f"with f as ({facts}) {' union all '.join(map(_reading, metrics))}"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the people of one persona of an account said to one question of one kind of survey."""

    metric: Metric
    family: Family
    persona: str
    voices: Voices


async def sums(
    conn: Connection, span: Span, programmes: Sequence[str], family: str | None, most: int
) -> dict[Key, Sums]:
    """The newest `most` answers of a span to some programmes, or to all, added up by account."""
    which, of = {0: ("all", None), 1: ("one", programmes and programmes[0])}.get(
        len(programmes), ("some", programmes)
    )
    return await _sums(conn, which, span, of, family, most)


async def sums_together(conn: Connection, family: str, most: int) -> dict[Key, Sums]:
    """The newest `most` answers of a family, all its programmes taken together: keys name none of them."""
    return await _sums(conn, "together", Span(), None, family, most)


async def _sums(
    conn: Connection, which: str, span: Span, of: object, family: str | None, most: int
) -> dict[Key, Sums]:
    found: dict[Key, Sums] = {}
    for row in await conn.fetch(_SUMS[which], span.first, span.last, of, family, most):
        name, kind, programme, *counts = tuple(row)
        found[Metric(name), kind, programme] = sums_of(Metric(name), counts)
    return found


def sums_of(metric: Metric, counts: Sequence[Any]) -> Sums:
    """A sample from what a statement adds up: accounts, n, sizes, high, low, shares, differences."""
    accounts, n, sizes, high, low, shares, differences = counts
    if is_difference(metric):
        return Sums(accounts, n, sizes, high - low, high + low, differences)
    return Sums(accounts, n, sizes, high, high, shares)


async def readings(
    conn: Connection, span: Span, programme: str, metrics: Sequence[Metric], most: int = NEWEST
) -> tuple[dict[tuple[Metric, str], Told], bool]:
    """What was answered to a programme in a span, by metric and family; False where there is more.

    Args:
        conn: connection.
        span: days.
        programme: whose answers.
        metrics: that are wanted, best no more than were answered: each costs a look at all answers.
        most: answers that are read, the newest.
    """
    values = (span.first, span.last, programme, None, most)
    found, read = await told_in(conn, _NEWEST["one"], values, metrics)
    return found, read < most


async def told_in(
    conn: Connection, facts: str, values: Sequence[object], metrics: Sequence[Metric]
) -> tuple[dict[tuple[Metric, str], Told], int]:
    """What some facts say by metric and family, and how many of them there are.

    Args:
        conn: connection.
        facts: a statement that finds them.
        values: its parameters.
        metrics: that are wanted.
    """
    found: dict[tuple[Metric, str], Told] = {}
    read: dict[str, int] = {}
    if not metrics:
        return found, 0
    rows = await conn.fetch(_readings(facts, tuple(metrics)), *values)
    for name, family, answers, *sums in map(tuple, rows):
        read[name] = read.get(name, 0) + answers
        metric = Metric(name)
        if sums[0]:
            found[metric, family] = Told(
                _people_of(metric, sums[:7]), _people_of(metric, sums[7:14]),
                _weighed_of(sums[14:25]), _weighed_of(sums[25:]), answers,
            )  # fmt: skip
    return found, max(read.values(), default=0)


def _people_of(metric: Metric, told: Sequence[Any]) -> People:
    n, high, low, known, accounts, sizes, between = told
    sums = sums_of(metric, (accounts, n, sizes, high, low, between, between))
    return People(Split(high, n - high - low, low), sums, known)


def _weighed_of(told: Sequence[Any]) -> Weighed:
    accounts, n, high, low, *sums = told
    return Weighed(accounts, Split(high, n - high - low, low), *sums)


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


async def known(conn: Connection, answering: Mapping[str, float]) -> Known:
    """What the directory says of all accounts, beside the share of people asked who answered."""
    accounts, value, deciding = tuple(await conn.fetchrow(_KNOWN) or (0, 0.0, 0))
    return Known(value, accounts, deciding, answering)
