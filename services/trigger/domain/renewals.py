"""Programmes before a date: one plan a term, which moves when the date moves (R35)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.trigger.domain.audience import No, event_fits
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence, of_plan, of_programme
from services.trigger.domain.drafting import book_new, draft
from services.trigger.domain.model import Decision, Plan, PlanState, Scalar
from services.trigger.domain.moments import iso, moment_of, subject_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.series import STOPPED
from services.trigger.domain.timing import EARLIEST_ZONE, days_before
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import altered


def before_date(event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    """Plan before a date, or move the term's plan when its date moved (R35)."""
    refusal = event_fits(edition.programme, event.touchpoint, event.account)
    subject = subject_of(edition.programme.when.per, event, None)
    if refusal or not subject:
        missing = No(
            Reason.FILTERED,
            {"field": edition.programme.when.per, "why": "the event does not say whose date it is"},
        )
        yield of_programme(event, edition, None, refusal or missing)
        return
    term = book.of(edition, subject)
    current = [plan for plan in term if plan.occurrence == term[-1].occurrence] if term else []
    if not current or _new_term(current, edition, event.touchpoint):
        occurrence = current[0].occurrence + 1 if current else 1
        yield book_new(draft(event, edition, subject, None, world, occurrence), world, book)
        return
    for plan in current:
        yield from _move(plan, event, edition, world, book)


def _move(plan: Plan, event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    told = event.touchpoint
    same = plan.moment.renewal_on == told.renewal_on and plan.reason not in STOPPED
    if plan.moment.at > told.occurred_at or same:
        yield of_plan(plan, Outcome.NOT_MATCHED, Reason.DUPLICATE, {"state": plan.state}, until=plan.due_at)
        return
    moment = altered(plan.moment, renewal_on=told.renewal_on, at=told.occurred_at)
    contact = world.contacts.get(plan.contact_id) if plan.contact_id else None
    due_at, stale_at = moment_of(edition, moment, contact, event.account, world.organisation)
    if plan.state is PlanState.PENDING or (_revivable(plan) and stale_at > world.now):
        moved = altered(
            plan,
            moment=moment,
            version=edition.version,
            priority=edition.programme.priority,
            first_due_at=due_at,
            due_at=due_at,
            stale_at=stale_at,
            state=PlanState.PENDING,
            reason=None,
            waits_for=None,
            event_id=event.event_id,
        )
        book.put(moved)
        facts: dict[str, Scalar] = {
            "moved_from": iso(plan.moment.renewal_on),
            "moved_to": iso(told.renewal_on),
        }
        yield of_plan(moved, Outcome.PLANNED, Reason.SUPERSEDED, facts, until=due_at)
    else:
        # The survey of this term went out already; the plan only learns the date, so that the term ends with
        # it.
        book.put(altered(plan, moment=moment))
        yield of_plan(plan, Outcome.NOT_MATCHED, Reason.DUPLICATE, {"state": plan.state})


def _revivable(plan: Plan) -> bool:
    return plan.state is PlanState.CANCELLED or (
        plan.state is PlanState.SUPPRESSED and plan.reason is Reason.EXPIRED
    )


def _new_term(current: Sequence[Plan], edition: Edition, told: Touchpoint) -> bool:
    """Whether a date belongs to the next term.

    It is told after the old one passed, or, when this term was asked about already, its own time to ask
    begins after the old one.
    """
    last = max((plan.moment.renewal_on for plan in current if plan.moment.renewal_on), default=None)
    if last is None or told.renewal_on is None:
        return False
    opens = days_before(told.renewal_on, edition.programme.when.by, EARLIEST_ZONE).date()
    asked = any(plan.state in {PlanState.REQUESTED, PlanState.SUPPRESSED} for plan in current)
    return last < told.occurred_at.date() or (asked and opens > last)
