"""Who is ahead at the accounts of due plans, where the budget may have to keep a place for one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.trigger.domain import keeping
from services.trigger.domain.facts import Facts
from services.trigger.domain.model import Plan
from services.trigger.domain.places import foreseen
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import at_most
from services.trigger.handlers.crowds import crowds_ahead
from services.trigger.store import asks, directory, plans, programmes
from shared.contracts.model import Persona
from shared.db.database import Connection

Crowded = dict[tuple[str, UUID], Edition]
"""Editions by programme and account, where the budget does not hold all who are due and wanted."""


async def look_ahead(
    conn: Connection,
    due: Sequence[Plan],
    edition_of: Callable[[Plan], Edition],
    facts: Facts,
    since: datetime,
) -> None:
    """Fill in what is ahead, with the people and asks that decide about it.

    Nothing is read unless some budget is nearly used up. `since`: how far back asks are read; those of the
    batch's people and accounts are in `facts` already.
    """
    crowded = _crowded(due, edition_of, facts)
    if not crowded:
        return
    personas = sorted({name for one in crowded.values() for name in one.programme.audience.coverage})
    companies = sorted({account_id for _, account_id in crowded})
    longest = max(
        at_most(one.programme.quarantine.account.per)
        for one in crowded.values()
        if one.programme.quarantine.account
    )
    keys = sorted({key for key, _ in crowded})
    ahead = await plans.plans_ahead(conn, companies, keys, facts.now + longest, personas)
    facts.awaited = {key: {} for key in crowded}
    _expect(facts, (plan for plan in ahead if plan.contact_id))
    await _foresee(conn, [plan for plan in ahead if plan.contact_id is None], personas, facts)
    await _know(conn, due, facts, since)


def _crowded(due: Sequence[Plan], edition_of: Callable[[Plan], Edition], facts: Facts) -> Crowded:
    wanted = [(plan, edition) for plan in due if (edition := edition_of(plan)).programme.keeps_places]
    if not wanted:
        return {}
    number = Counter(plan.account_id for plan in due)
    return {
        (plan.programme, plan.account_id): edition
        for plan, edition in wanted
        if plan.account_id and keeping.crowded(plan, edition, facts, number[plan.account_id])
    }


async def _foresee(
    conn: Connection, unresolved: Sequence[Plan], personas: Sequence[Persona], facts: Facts
) -> None:
    """Expect those whom audiences will mean, each by the edition by which it will be resolved."""
    if not unresolved:
        return
    editions = await programmes.editions_of(conn, [(plan.programme, plan.version) for plan in unresolved])
    parents = [(plan, editions[plan.programme, plan.version]) for plan in unresolved]
    there = {one: facts.accounts[one] for _, one in facts.awaited if one in facts.accounts}
    found = await crowds_ahead(conn, parents, facts.now, personas, there)
    for parent, edition in parents:
        _expect(facts, foreseen(parent, edition, found[parent.id], facts.organisation))


def _expect(facts: Facts, plans: Iterable[Plan]) -> None:
    for plan in plans:
        crew = facts.awaited.get((plan.programme, plan.account_id)) if plan.account_id else None
        if crew is not None:
            crew.setdefault(plan.id, plan)


async def _know(conn: Connection, due: Sequence[Plan], facts: Facts, since: datetime) -> None:
    """Read who is awaited and who was asked, and what else those who are awaited were asked."""
    awaited = {plan.contact_id for crew in facts.awaited.values() for plan in crew.values()}
    strangers = {one for one in awaited if one} - {plan.contact_id for plan in due}
    heard = {ask.contact_id for key, account_id in facts.awaited for ask in facts.asked_by(key, account_id)}
    unknown = (strangers | heard) - facts.contacts.keys()
    facts.contacts = {**await directory.get_contacts(conn, unknown), **facts.contacts}
    companies = {plan.account_id for plan in due}
    for ask in await asks.recent_asks(conn, sorted(strangers), [], since) if strangers else ():
        if ask.account_id is None or ask.account_id not in companies:
            facts.asks.add(ask)
