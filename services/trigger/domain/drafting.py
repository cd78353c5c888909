"""New plans: as an event makes them, and into the book."""

from __future__ import annotations

from uuid import UUID

from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence, of_plan
from services.trigger.domain.model import Contact, Decision, Plan, Scalar, plan_id
from services.trigger.domain.moments import moment_of
from services.trigger.domain.programme import Edition, Who
from services.trigger.domain.when import Per
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered


def draft(
    event: Occurrence,
    edition: Edition,
    subject: str,
    contact: Contact | None,
    world: World,
    occurrence: int = 1,
) -> Plan:
    """The plan that an event makes for somebody, or for an audience to be resolved later."""
    moment = event.moment
    due_at, stale_at = moment_of(edition, moment, contact, event.account, world.organisation)
    return Plan(
        id=plan_id(edition.key, subject, occurrence, contact.id if contact else None, shadow=edition.shadow),
        programme=edition.key,
        version=edition.version,
        subject=subject,
        occurrence=occurrence,
        contact_id=contact.id if contact else None,
        account_id=_account_id(event, edition, contact),
        moment=moment,
        first_due_at=due_at,
        due_at=due_at,
        stale_at=stale_at,
        priority=edition.programme.priority,
        event_id=event.event_id,
        shadow=edition.shadow,
    )


def _account_id(event: Occurrence, edition: Edition, contact: Contact | None) -> UUID | None:
    """At whose account is asked; a release is every user's, whoever's account the event names."""
    rules = edition.programme
    if rules.audience.who is Who.PRODUCT and rules.when.per is Per.PRODUCT:
        return None
    if event.account:
        return event.account.id
    return contact.account_id if contact else None


def book_new(plan: Plan, world: World, book: Book) -> Decision:
    """Take a new plan into the book, unless its moment is over already."""
    facts: dict[str, Scalar] = {"due_at": plan.due_at.isoformat(), "touchpoint": plan.moment.touchpoint}
    if plan.stale_at <= world.now:
        facts["stale_at"] = plan.stale_at.isoformat()
        return altered(of_plan(plan, Outcome.NOT_MATCHED, Reason.EXPIRED, facts), plan_id=None)
    book.put(plan)
    return of_plan(plan, Outcome.PLANNED, None, facts, until=plan.due_at)
