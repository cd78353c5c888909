"""Audiences that come due: who is meant, and the plan after them in a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.trigger.domain import series
from services.trigger.domain.audience import Person
from services.trigger.domain.book import World
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.expanding import Crowd
from services.trigger.domain.model import Account, Contact, Decision, Organisation, Plan
from services.trigger.domain.parties import (
    TAKES_PART,
    USES,
    needs_roles,
    of_account,
    taken_part_in,
    takes_turns,
)
from services.trigger.domain.programme import Edition, Who
from services.trigger.store import audiences, directory, programmes
from shared.contracts.reasons import Outcome
from shared.db.database import Connection, Tx

Wanted = Mapping[UUID, tuple[Plan, Edition]]


async def crowds(
    conn: Connection, parents: Sequence[tuple[Plan, Edition]], now: datetime
) -> dict[UUID, Crowd]:
    """Everybody whom each audience may mean, by the plan's id."""
    wanted = {plan.id: (plan, edition) for plan, edition in parents}
    roles = await _roles(conn, wanted, now)
    companies = {p.account_id for p, e in parents if p.account_id and of_account(e)}
    staff = await directory.contacts_of(conn, companies)
    named = await directory.get_contacts(conn, {c for found in roles.values() for c in found})
    people: dict[UUID, list[Person]] = {}
    for plan, edition in parents:
        own = roles.get(plan.id, {})
        folk: Sequence[Contact] = (
            staff.get(plan.account_id, []) if plan.account_id and of_account(edition) else
            [named[contact_id] for contact_id in own if contact_id in named]
        )  # fmt: skip
        people[plan.id] = [Person(contact, own.get(contact.id, "")) for contact in folk]
    everybody = [person.contact for found in people.values() for person in found]
    accounts = await directory.get_accounts(
        conn,
        {c.account_id for c in everybody if c.account_id}
        | {p.account_id for p, _ in parents if p.account_id},
    )
    turns = any(takes_turns(edition) for _, edition in parents)
    asked = await audiences.last_asked(conn, [c.id for c in everybody if turns])
    return {plan_id: Crowd(found, accounts, asked) for plan_id, found in people.items()}


async def plans_ahead(
    claimed: Sequence[Plan],
    editions: Mapping[tuple[str, str], Edition],
    accounts: Mapping[UUID, Account],
    contacts: Mapping[UUID, Contact],
    organisation: Organisation,
    tx: Tx,
) -> list[tuple[Plan, Decision]]:
    """The next plan of each series whose plan came due, by the programme as it stands now."""
    leading = [p for p in claimed if series.leads(p, editions[p.programme, p.version])]
    if not leading:
        return []
    current = {edition.key: edition for edition in await programmes.current_editions(tx.conn)}
    world = World((), organisation, tx.now)
    found: list[tuple[Plan, Decision]] = []
    for plan in leading:
        contact = contacts.get(plan.contact_id) if plan.contact_id else None
        account = accounts.get(plan.account_id) if plan.account_id else None
        edition = current.get(plan.programme)
        ahead = series.following(plan, edition, contact, account, world) if edition else None
        if ahead:
            facts = {"due_at": ahead.due_at.isoformat(), "touchpoint": ahead.moment.touchpoint}
            found.append((ahead, of_plan(ahead, Outcome.PLANNED, None, facts, until=ahead.due_at)))
    return found


async def _roles(conn: Connection, wanted: Wanted, now: datetime) -> dict[UUID, dict[UUID, str]]:
    """Who was seen with what each audience is about, with the role they had."""
    users = {
        key: taken_part_in(*pair)
        for key, pair in wanted.items()
        if pair[1].programme.audience.who is Who.PRODUCT
    }
    others = {
        key: taken_part_in(*pair) for key, pair in wanted.items() if key not in users and needs_roles(pair[1])
    }
    by_use = await audiences.participants(conn, users.values(), now - USES) if users else {}
    by_part = await audiences.participants(conn, others.values(), now - TAKES_PART) if others else {}
    return {
        **{key: by_use.get(subject, {}) for key, subject in users.items()},
        **{key: by_part.get(subject, {}) for key, subject in others.items()},
    }
