"""Comments as pages and the API show them: themes counted, and the answers themselves, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import Metric
from services.scoring.domain.themes import Named, Tally
from services.scoring.store.queries import of_programme
from services.scoring.store.quoting import QUOTABLE
from shared.db.database import Connection
from shared.words.reading import Tone

MOST = 5_000
"""Comments of which themes are counted at most, the newest first."""

# Words are those of the answer as it stands; of an amendment that was not read yet nothing is shown.
_WANTED = """
from comments c join answer_facts f on f.response_id = c.response_id and f.version = c.version
where f.state = 'counted' and c.day between $1 and $2 and {of_programme}
    and ($4::text is null or c.family = $4)
"""
# Only columns that an index has are read of so many; the few answers that do not count are taken out after.
# People of no known account each stand for themselves. The last join is a full one, for that is never made by
# comparing each with each, whatever few rows PostgreSQL expects; accounts that name nothing come as no theme.
_NEWEST = """
with newest as materialized (
    select response_id, account_id, themes, tones from comments
    where day between $1 and $2 and {of_programme} and ($4::text is null or family = $4)
    order by day desc limit $5
), counted as materialized (
    select coalesce(m.id, n.account_id, n.response_id) as account, themes, tones
    from newest n left join merged m on m.former = n.account_id
    where not exists (select from answer_facts f where f.response_id = n.response_id and f.state <> 'counted')
), sizes as materialized (
    select account, count(*) as n from counted group by account
), said as (
    select account, unnest(themes) as theme, unnest(tones) as tone from counted
), named as (
    select theme, account, count(*) as y, count(*) filter (where tone = 'negative') as bad,
        count(*) filter (where tone = 'positive') as good
    from said group by theme, account
)
select '' as theme, coalesce(sum(n), 0)::int, count(*)::int, coalesce(sum(n * n), 0)::int, 0, 0, 0, 0::float8,
    0, 0, 0::float8
from sizes
union all
select theme, sum(bad)::int, sum(y - bad - good)::int, sum(good)::int, count(*)::int, sum(y * y)::int,
    sum(y * n)::int, sum(y * y / n::float8), sum(bad * bad)::int, sum(bad * y)::int,
    sum(bad * bad / y::float8)
from named full join sizes using (account) group by theme
"""
_LIST = f"""
select c.response_id, c.contact_id, c.words, c.day, c.programme, c.family, c.language, c.tone, c.at_odds,
    {QUOTABLE}, c.themes, c.tones, f.account_id, coalesce(f.snapshot ->> 'account_name', ''),
    coalesce(f.persona, ''), f.nps, f.nps5, f.csat, f.ces
{_WANTED}
    and ($5 = '' or $5 = any (c.themes)) and ($6 = '' or c.tone = $6) and ($7 = '' or c.language = $7)
    and (not $8 or {QUOTABLE})
    and ($9::date is null or (c.day, c.response_id) < ($9, $10))
order by c.day desc, c.response_id desc limit $11
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments; empty texts leave all in. `quotable`: only those that may be shown to everybody."""

    span: Span
    programme: str = ""
    family: str | None = None
    theme: str = ""
    tone: str = ""
    language: str = ""
    quotable: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """One open answer; its words are sealed."""

    response_id: UUID
    contact_id: UUID
    words: str
    day: date
    programme: str
    family: str
    language: str
    tone: str
    at_odds: bool
    quotable: bool
    themes: Sequence[tuple[str, str]]
    account_id: UUID | None
    account_name: str
    persona: str
    points: Sequence[tuple[Metric, int]]

    @property
    def main_theme(self) -> str:
        """The first thing that it complains of, else the first that it names; "" for none."""
        ordered = sorted(self.themes, key=lambda one: one[1] != Tone.NEGATIVE)
        return ordered[0][0] if ordered else ""


async def themes(conn: Connection, wanted: Wanted) -> Tally:
    """How often each theme is named in a span and by how many accounts; of the newest comments."""
    rows = await conn.fetch(
        _NEWEST.format(of_programme=of_programme(wanted.programme, 3)),
        wanted.span.first, wanted.span.last, wanted.programme, wanted.family, MOST,
    )  # fmt: skip
    told = {theme: counts for theme, *counts in map(tuple, rows)}
    comments, accounts, sizes, *_ = told.pop("")
    told.pop(None, None)
    return Tally(comments, accounts, sizes, {theme: Named(*counts) for theme, counts in told.items()})


async def listed(
    conn: Connection, wanted: Wanted, after: tuple[date, UUID] | None, limit: int
) -> list[Comment]:
    """Comments, newest first."""
    # Days that are over are not read again: the last page takes no longer than the first.
    last = min(wanted.span.last, after[0]) if after else wanted.span.last
    rows = await conn.fetch(
        _LIST.format(of_programme=of_programme(wanted.programme, 3, "c.")),
        wanted.span.first, last, wanted.programme, wanted.family, wanted.theme,
        wanted.tone, wanted.language, wanted.quotable, *(after or (None, None)), limit,
    )  # fmt: skip
    return [_comment(row) for row in map(tuple, rows)]


def _comment(row: tuple[Any, ...]) -> Comment:
    themes, tones, account_id, name, persona, *values = row[10:]
    points = [(metric, value) for metric, value in zip(Metric, values, strict=True) if value is not None]
    named = tuple(zip(themes, tones, strict=True))
    told: list[Any] = [*row[:10], named, account_id, name, persona, points]
    return Comment(*told)
