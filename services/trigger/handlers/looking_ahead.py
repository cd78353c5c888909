"""Who is ahead at the accounts of due plans, where the budget may have to keep a place for one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.trigger.domain import gate
from services.trigger.domain.model import Contact, Plan
from services.trigger.domain.places import Crew, foreseen
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import at_most
from services.trigger.store import asks, directory, plans
from shared.db.database import Connection

Crowded = dict[tuple[str, UUID], Edition]
"""Editions by programme and account, where the budget does not hold all who are due and wanted."""


async def look_ahead(
    conn: Connection,
    due: Sequence[Plan],
    edition_of: Callable[[Plan], Edition],
    facts: gate.Facts,
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
    unresolved = {plan.account_id for plan in ahead if plan.contact_id is None and plan.account_id}
    staff = await directory.contacts_by_persona(conn, unresolved, personas) if unresolved else {}
    facts.awaited = _crews(ahead, crowded, staff, facts)
    await _know(conn, due, facts, since)


def _crowded(due: Sequence[Plan], edition_of: Callable[[Plan], Edition], facts: gate.Facts) -> Crowded:
    keeping = [(plan, edition) for plan in due if (edition := edition_of(plan)).programme.keeps_places]
    if not keeping:
        return {}
    number = Counter(plan.account_id for plan in due)
    return {
        (plan.programme, plan.account_id): edition
        for plan, edition in keeping
        if plan.account_id and gate.crowded(plan, edition, facts, number[plan.account_id])
    }


def _crews(
    ahead: Sequence[Plan], crowded: Crowded, staff: Mapping[UUID, list[Contact]], facts: gate.Facts
) -> dict[tuple[str, UUID], Crew]:
    crews: dict[tuple[str, UUID], Crew] = {key: {} for key in crowded}
    for plan in ahead:
        key = (plan.programme, plan.account_id) if plan.account_id else None
        edition = crowded.get(key) if key else None
        account = facts.accounts.get(plan.account_id) if plan.account_id else None
        if key is None or edition is None or account is None:
            continue
        if plan.contact_id:
            crews[key][plan.id] = plan
            continue
        for child in foreseen(plan, edition, staff.get(account.id, ()), account, facts.organisation):
            crews[key].setdefault(child.id, child)
    return crews


async def _know(conn: Connection, due: Sequence[Plan], facts: gate.Facts, since: datetime) -> None:
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
