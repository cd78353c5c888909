"""Whom an audience means: everybody when it comes due, and those who have to be foreseen before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from services.trigger.domain.audience import Person
from services.trigger.domain.expanding import Crowd
from services.trigger.domain.model import Account, Contact, Plan
from services.trigger.domain.parties import (
    TAKES_PART,
    USES,
    needs_roles,
    of_account,
    open_to,
    taken_part_in,
    takes_turns,
)
from services.trigger.domain.programme import Edition, Who
from services.trigger.store import audiences, directory
from shared.contracts.model import Persona
from shared.db.database import Connection

Parents = Sequence[tuple[Plan, Edition]]
"""Audiences that are not yet resolved, with the editions that they were planned with."""

Roles = dict[str, dict[UUID, str]]
_Look = Callable[[Iterable[str], datetime], Awaitable[Roles]]


async def crowds(conn: Connection, parents: Parents, now: datetime) -> dict[UUID, Crowd]:
    """Everybody whom each audience may mean, by the plan's id."""
    roles = await _roles(parents, now, partial(audiences.participants, conn))
    companies = {plan.account_id for plan, _ in parents if plan.account_id}
    staff = await directory.contacts_of(
        conn, {p.account_id for p, e in parents if p.account_id and of_account(e)}
    )
    named = await directory.get_contacts(conn, {c for found in roles.values() for c in found})
    people = {plan.id: _people(plan, edition, roles, staff, named) for plan, edition in parents}
    everybody = [person.contact for found in people.values() for person in found]
    homes = {contact.account_id for contact in everybody if contact.account_id}
    accounts = await directory.get_accounts(conn, homes | companies)
    turns = any(takes_turns(edition) for _, edition in parents)
    asked = await audiences.last_asked(conn, [c.id for c in everybody if turns])
    return {plan_id: Crowd(found, accounts, asked) for plan_id, found in people.items()}


async def crowds_ahead(
    conn: Connection,
    parents: Parents,
    now: datetime,
    personas: Collection[Persona],
    accounts: Mapping[UUID, Account],
) -> dict[UUID, Crowd]:
    """Those of some personas whom each audience will mean when it comes due, by the plan's id.

    `accounts`: where they count; an audience of no account in particular means people of others too.
    """
    bound = {taken_part_in(*pair) for pair in parents if pair[0].account_id}
    look = partial(
        audiences.participants_of, conn, personas=personas, accounts=accounts, anywhere=sorted(bound)
    )
    roles = await _roles(parents, now, look)
    companies = {p.account_id for p, e in parents if p.account_id and of_account(e)}
    staff = await directory.contacts_by_persona(conn, companies, personas) if companies else {}
    strangers = {c for found in roles.values() for c in found}
    strangers -= {contact.id for found in staff.values() for contact in found}
    named = await directory.get_contacts(conn, strangers) if strangers else {}
    return {
        plan.id: Crowd(_people(plan, edition, roles, staff, named), accounts) for plan, edition in parents
    }


async def parts_ahead(
    conn: Connection, parents: Parents, now: datetime, contacts: Sequence[UUID]
) -> dict[UUID, dict[UUID, str]]:
    """Which of some people take part in what each audience is about, with their roles, by the plan's id."""
    return await _roles(parents, now, partial(audiences.participants_among, conn, contacts=contacts))


def _people(
    plan: Plan,
    edition: Edition,
    roles: Mapping[UUID, Mapping[UUID, str]],
    staff: Mapping[UUID, Sequence[Contact]],
    named: Mapping[UUID, Contact],
) -> list[Person]:
    own = roles.get(plan.id, {})
    folk: Iterable[Contact] = (
        staff.get(plan.account_id, []) if plan.account_id and of_account(edition) else
        (named[contact_id] for contact_id in own if contact_id in named)
    )  # fmt: skip
    return [Person(one, own.get(one.id, "")) for one in folk if open_to(plan, edition, one)]


async def _roles(parents: Parents, now: datetime, look: _Look) -> dict[UUID, dict[UUID, str]]:
    """Who was seen with what each audience is about, with the role they had."""
    users = {p.id: taken_part_in(p, e) for p, e in parents if e.programme.audience.who is Who.PRODUCT}
    others = {p.id: taken_part_in(p, e) for p, e in parents if p.id not in users and needs_roles(e)}
    by_use = await look(users.values(), now - USES) if users else {}
    by_part = await look(others.values(), now - TAKES_PART) if others else {}
    return {
        **{key: by_use.get(subject, {}) for key, subject in users.items()},
        **{key: by_part.get(subject, {}) for key, subject in others.items()},
    }
