"""Figures as CRMs are to hold them, and by what their records are found, read for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.scoring.domain.change import compare
from services.scoring.domain.crm import (
    HEALTH_BEFORE,
    Figures,
    Said,
    Scores,
    Subject,
    account_figures,
    contact_figures,
)
from services.scoring.domain.design import Voices
from services.scoring.domain.health import Part
from services.scoring.domain.histogram import Metric
from services.scoring.store import accounts, customers, voices
from shared.db.database import Connection
from shared.db.merged import families

# The last two of each metric and family are enough to say where it went.
_SAID = """
select id, metric, family, given, day from (
    select t.id, metric, family, given, day, answered_at, response_id, row_number() over (
        partition by t.id, metric, family order by day desc, answered_at desc, response_id desc) as place
    from unnest($1::uuid[], $2::uuid[]) as t (id, one) join answer_facts f on f.contact_id = t.one,
        lateral (values ('nps', nps), ('nps5', nps5), ('csat', csat), ('ces', ces)) as p (metric, given)
    where state = 'counted' and given is not null
) said where place <= 2 order by id, day desc, answered_at desc, response_id desc
"""
_PEOPLE = """
select contact_id, external_id, person from people where contact_id = any($1::uuid[])
"""


async def of_contacts(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of contacts, from what was said under all ids of each."""
    known = await families(conn, ids)
    pairs = [(head, one) for head, family in known.items() for one in family]
    said: dict[UUID, list[Said]] = {one: [] for one in ids}
    rows = await conn.fetch(_SAID, [head for head, _ in pairs], [one for _, one in pairs])
    for one, metric, family, given, day in map(tuple, rows):
        said[one].append(Said(Metric(metric), family, given, day))
    return {one: contact_figures(found) for one, found in said.items()}


async def of_accounts(
    conn: Connection, ids: Sequence[UUID], now: datetime, weights: Mapping[Part, float]
) -> tuple[dict[UUID, Figures], dict[UUID, Subject]]:
    """The figures of accounts, and by what each is found; none of those the directory never told of."""
    found = await accounts.some(conn, ids)
    health, before = [
        {
            one.account.account_id: one.health.value
            for one in await customers.customers(conn, found, at, weights)
        }
        for at in (now, now - HEALTH_BEFORE)
    ]
    scores = await _scores(conn, [one.account_id for one in found], now)
    figures = {
        one.account_id: account_figures(
            scores.get(one.account_id, ()), health[one.account_id], before[one.account_id]
        )
        for one in found
    }
    return figures, {one.account_id: Subject(one.account_id, one.external_id, name=one.name) for one in found}


async def people(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """The id that a backend gives to contacts, and who they are, sealed."""
    return {row[0]: (row[1], row[2]) for row in await conn.fetch(_PEOPLE, list(ids))}


async def _scores(conn: Connection, ids: Sequence[UUID], now: datetime) -> dict[UUID, list[Scores]]:
    today, year = now.date(), customers.LOOKED_BACK
    first, earlier = today - year, today - 2 * year
    after = await voices.said_in_families(conn, ids, first, today)
    was = await voices.said_in_families(conn, ids, earlier, date.fromordinal(first.toordinal() - 1))
    found: dict[UUID, list[Scores]] = {}
    for (account, metric, family), (said, last) in after.items():
        nothing = (Voices(0, 0, 0), last)
        then = was.get((account, metric, family), nothing)[0]
        change = compare(customers.pooled_of_one(metric, then), customers.pooled_of_one(metric, said))
        found.setdefault(account, []).append(Scores(metric, family, change, last))
    return found
