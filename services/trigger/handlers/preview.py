"""What would become of asking somebody by hand now: the decisions of earnest, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.trigger.domain import gate
from services.trigger.domain.audience import Person
from services.trigger.domain.book import Book, World
from services.trigger.domain.by_hand import EVENT
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.model import Contact, Decision, Plan
from services.trigger.domain.moments import subjects_of
from services.trigger.domain.naming import Blind
from services.trigger.domain.planning import plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.handlers.facts import load_facts, load_people
from services.trigger.store import directory, plans, programmes, slots
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact
from shared.db.database import Connection
from shared.errors import Unavailable
from shared.values import altered


async def by_hand(conn: Connection) -> list[Edition]:
    """The programmes that may be asked by hand at present."""
    return [
        edition
        for edition in await programmes.current_editions(conn)
        if edition.programme.when.by_hand and edition.state is not ProgrammeState.ARCHIVED
    ]


async def preview(
    conn: Connection, blind: Blind, contact: Contact, edition: Edition, now: datetime
) -> Decision:
    """The decision that asking this person now would come to, unless something changes until then.

    Raises:
        Unavailable: The organisation's settings are not written yet.
    """
    organisation = await programmes.get_organisation(conn)
    if organisation is None:
        raise Unavailable("the organisation's settings are not written yet")
    accounts = await directory.get_accounts(conn, [contact.account_id] if contact.account_id else [])
    account = next(iter(accounts.values()), None)
    told = Touchpoint(
        occurred_at=now,
        contact=TouchpointContact(ref=str(contact.id)),
        account=TouchpointAccount(id=account.external_id) if account and account.external_id else None,
        context={"programme": edition.key},
    )
    event = Occurrence(EVENT, "", told, account, (Person(contact),))
    subjects = subjects_of(edition.programme.when.per, event)
    known = await plans.plans_about(conn, subjects, [edition.key]) if subjects else []
    book = Book({plan.id: plan for plan in known})
    decisions = plan_surveys(event, World([edition], organisation, now, {contact.id: contact}), book)
    ahead = _ahead(list(book.changed.values()), contact)
    if ahead is None:
        return decisions[-1]
    facts = await load_facts(conn, now, blind)
    facts.contacts, facts.accounts = {contact.id: contact}, accounts
    facts.learned = await slots.learned(conn)
    await load_people(conn, [ahead], lambda _: edition, facts)
    decided = gate.decide(ahead, edition, facts)
    later = ahead.due_at > now and decided.outcome in {Outcome.REQUESTED, Outcome.SHADOW}
    return altered(decided, outcome=Outcome.PLANNED, until=ahead.due_at) if later else decided


def _ahead(made: Sequence[Plan], contact: Contact) -> Plan | None:
    return next((plan for plan in made if plan.contact_id == contact.id), None)
