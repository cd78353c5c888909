"""What accounts said: answers grouped by account and persona, read from the newest facts of a span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.definitions import Known, Voice
from services.scoring.domain.design import Sums, Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, is_difference
from shared.db.database import Connection
from shared.db.merged import families

Key = tuple[Metric, str, str]
"""Metric, family, programme."""


def _group(place: int) -> str:
    """Whether an answer is of the high group (1) or, for place 0, at least of the middle one."""
    cases = " ".join(f"when '{metric.value}' then {FROM[metric][place]}" for metric in Metric)
    return f"given >= case metric {cases} end"


_HIGH, _NOT_LOW = _group(1), _group(0)
_POINTS = "lateral (values ('nps', nps), ('nps5', nps5), ('csat', csat), ('ces', ces)) as p (metric, given)"
_NEWEST = """
select response_id, programme, persona, account_id, family, nps, nps5, csat, ces from answer_facts
where state = 'counted' and day between $1 and $2
    and ($3 = '' or programme = $3) and ($4::text is null or family = $4)
order by day desc limit $5
"""
_SAID = f"""
select metric, family, programme, coalesce(coalesce(m.id, account_id)::text, ''), coalesce(persona, ''),
    count(*)::int,
    (count(*) filter (where {_HIGH}))::int, (count(*) filter (where not {_NOT_LOW}))::int
from ({_NEWEST}) f left join merged m on m.former = f.account_id, {_POINTS} where given is not null
group by 1, 2, 3, 4, 5
"""  # noqa: S608 - texts of this module
# People of no known account each stand for themselves.
_SUMS = f"""
select metric, family, programme,
    count(*)::int, sum(n)::int, sum(n * n)::bigint, sum(high)::int, sum(low)::int,
    sum(high * high / n::float8), sum((high - low) * (high - low) / n::float8)
from (
    select metric, family, programme, count(*) as n,
        count(*) filter (where {_HIGH}) as high, count(*) filter (where not {_NOT_LOW}) as low
    from ({_NEWEST}) f left join merged m on m.former = f.account_id, {_POINTS} where given is not null
    group by metric, family, programme, coalesce(m.id, account_id, response_id)
) as accounts
group by 1, 2, 3
"""  # noqa: S608 - texts of this module
_OF = f"""
select coalesce(m.id, account_id), metric, coalesce(persona, ''), count(*)::int,
    (count(*) filter (where {_HIGH}))::int, (count(*) filter (where not {_NOT_LOW}))::int
from answer_facts f left join merged m on m.former = f.account_id, {_POINTS}
where account_id = any($1::uuid[]) and state = 'counted' and day between $2 and $3 and given is not null
group by 1, 2, 3
"""  # noqa: S608 - texts of this module
_OF_FAMILIES = f"""
select coalesce(m.id, account_id), metric, family, max(day), count(*)::int,
    (count(*) filter (where {_HIGH}))::int, (count(*) filter (where not {_NOT_LOW}))::int
from answer_facts f left join merged m on m.former = f.account_id, {_POINTS}
where account_id = any($1::uuid[]) and state = 'counted' and day between $2 and $3 and given is not null
group by 1, 2, 3 order by 1, 2, 3
"""  # noqa: S608 - texts of this module
_OF_PROGRAMMES = f"""
select metric, family, programme, count(*)::int,
    (count(*) filter (where {_HIGH}))::int, (count(*) filter (where not {_NOT_LOW}))::int
from answer_facts f left join merged m on m.former = f.account_id, {_POINTS}
where account_id = any($1::uuid[]) and state = 'counted' and day between $2 and $3 and given is not null
group by metric, family, programme, coalesce(m.id, account_id) order by metric, family, programme
"""  # noqa: S608 - texts of this module
_STAYS = "not exists (select from merged m where m.former = a.account_id)"
_KNOWN = f"""
select (select count(*) from accounts a where {_STAYS})::int,
    (select count(distinct account_id) from people p
        where persona = 'decision_maker'
            and not exists (select from merged m where m.former = p.contact_id))::int
"""  # noqa: S608 - texts of this module
_VALUES = f"""
select account_id::text, annual_value from accounts a where annual_value > 0 and {_STAYS}
"""  # noqa: S608 - texts of this module


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
    for row in await conn.fetch(_SUMS, span.first, span.last, programme, family, most):
        name, kind, of, accounts, n, sizes, high, low, shares, differences = row
        metric = Metric(name)
        found[metric, kind, of] = (
            Sums(accounts, n, sizes, high - low, high + low, differences)
            if is_difference(metric)
            else Sums(accounts, n, sizes, high, high, shares)
        )
    return found


async def said(
    conn: Connection, span: Span, *, programme: str = "", family: str | None = None, most: int = MOST_FACTS
) -> Said:
    """What accounts said in a span, as far as the newest `most` answers tell."""
    rows = await conn.fetch(_SAID, span.first, span.last, programme, family, most)
    found: dict[Key, list[Voice]] = {}
    for metric, kind, name, account, persona, *counts in map(tuple, rows):
        key = (Metric(metric), kind, name)
        found.setdefault(key, []).append(Voice(account, persona, Voices(*counts)))
    counted = sum(voice.voices.n for voices in found.values() for voice in voices)
    return Said(found, counted < most)


async def said_by(
    conn: Connection, accounts: Sequence[UUID], first: date, last: date
) -> dict[UUID, list[tuple[Metric, str, Voices]]]:
    """What some accounts said, by metric and persona; programmes of one metric together."""
    found: dict[UUID, list[tuple[Metric, str, Voices]]] = {}
    ids = [one for found in (await families(conn, accounts)).values() for one in found]
    for account, metric, persona, *counts in map(tuple, await conn.fetch(_OF, ids, first, last)):
        found.setdefault(account, []).append((Metric(metric), persona, Voices(*counts)))
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
