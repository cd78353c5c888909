"""New plans: as an event makes them, and into the book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence, of_plan
from services.trigger.domain.model import Contact, Decision, Plan, Scalar, plan_id
from services.trigger.domain.moments import moment_of
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Outcome, Reason


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
    account_id = event.account.id if event.account else (contact.account_id if contact else None)
    return Plan(
        id=plan_id(edition.key, subject, occurrence, contact.id if contact else None, shadow=edition.shadow),
        programme=edition.key,
        version=edition.version,
        subject=subject,
        occurrence=occurrence,
        contact_id=contact.id if contact else None,
        account_id=account_id,
        moment=moment,
        first_due_at=due_at,
        due_at=due_at,
        stale_at=stale_at,
        priority=edition.programme.priority,
        event_id=event.event_id,
        shadow=edition.shadow,
    )


def book_new(plan: Plan, world: World, book: Book) -> Iterator[Decision]:
    """Take a new plan into the book, unless its moment is over already."""
    facts: dict[str, Scalar] = {"due_at": plan.due_at.isoformat(), "touchpoint": plan.moment.touchpoint}
    if plan.stale_at <= world.now:
        facts["stale_at"] = plan.stale_at.isoformat()
        yield replace(of_plan(plan, Outcome.NOT_MATCHED, Reason.EXPIRED, facts), plan_id=None)
        return
    book.put(plan)
    yield of_plan(plan, Outcome.PLANNED, None, facts, until=plan.due_at)
