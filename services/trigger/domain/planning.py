"""From a touchpoint to plans: who is to be asked, about what, and when.

With a reason for everybody who is not.

A plan is a programme × subject × occurrence × contact. What is heard twice is planned once; a moved date
moves its plan; a series has one plan ahead at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.trigger.domain.audience import No, Person, event_fits, limited, person_fits, sampled
from services.trigger.domain.book import Book, Tally, World
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.decisions import Occurrence, of_event, of_plan, of_programme
from services.trigger.domain.drafting import book_new, draft
from services.trigger.domain.model import Contact, Decision, Plan, PlanState, Scalar
from services.trigger.domain.moments import account_ended, subject_of, subjects_of
from services.trigger.domain.programme import Edition, Who
from services.trigger.domain.renewals import before_date
from services.trigger.domain.series import ahead
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far a backend's clock may run ahead before its event counts as one from the future."""


def plan_surveys(event: Occurrence, world: World, book: Book) -> list[Decision]:
    """Decide about one event; plans are changed in the book.

    Returns:
        Decisions of every programme that the event concerns; without one, `not_matched` for each person.
    """
    if from_future(event, world.now):
        facts = {
            "occurred_at": event.touchpoint.occurred_at.isoformat(),
            "why": "the event is from the future",
        }
        return of_event(event, Outcome.NOT_MATCHED, Reason.FILTERED, facts)
    kind = event.type
    if kind in world.catalogue.counting:
        _count(event, world, book)
    decisions: list[Decision] = []
    dated = event.touchpoint.renewal_on is not None
    for edition in world.catalogue.concerned(kind, dated=dated):
        if kind in edition.programme.when.ends_on:
            decisions += cancelled_by(event, edition, book)
        if edition.state is ProgrammeState.ARCHIVED:
            continue
        if kind in edition.programme.touchpoints:
            decisions += _after_touchpoint(event, edition, world, book)
        if edition.programme.when.before and dated:
            decisions += before_date(event, edition, world, book)
    return decisions or of_event(event, Outcome.NOT_MATCHED, Reason.NOT_MATCHED, {})


def _count(event: Occurrence, world: World, book: Book) -> None:
    for tally in tallied(event, world.catalogue, world.now):
        book.tallies[tally] = book.tallies.get(tally, 0) + 1


def from_future(event: Occurrence, now: datetime) -> bool:
    """Whether an event has not happened yet, by more than clocks may differ."""
    return event.touchpoint.occurred_at > now + FUTURE_TOLERANCE


def tallied(event: Occurrence, catalogue: Catalogue, now: datetime) -> Iterator[Tally]:
    """What programmes with `nth` count of an event: one for each subject, whoever of its people is meant."""
    if from_future(event, now):
        return
    for edition in catalogue.counting.get(event.type, ()):
        if event_fits(edition.programme, event.touchpoint, event.account) is None:
            subjects = subjects_of(edition.programme.when.per, event)
            yield from ((edition.key, subject) for subject in sorted(subjects))


def cancelled_by(event: Occurrence, edition: Edition, book: Book) -> Iterator[Decision]:
    """Plans that an event which ends a programme's moment calls off, as far as they still wait."""
    for plan in _ended(event, edition, book):
        if plan.state is PlanState.PENDING:
            book.put(altered(plan, state=PlanState.CANCELLED, reason=Reason.CANCELLED))
            yield of_plan(plan, Outcome.CANCELLED, Reason.CANCELLED, {"event": event.type})


def called_off(event: Occurrence, edition: Edition, book: Book) -> Iterator[Plan]:
    """Plans that an event calls off although they were requested already.

    Whatever is unsent shall stay so.
    """
    if event.type not in edition.programme.when.ends_on:
        return
    yield from (plan for plan in _ended(event, edition, book) if plan.state is PlanState.REQUESTED)


def _ended(event: Occurrence, edition: Edition, book: Book) -> list[Plan]:
    """Plans whose moment an event ends: those about the same thing, or all of an account that is lost."""
    per = edition.programme.when.per
    found = {plan.id: plan for subject in subjects_of(per, event) for plan in book.of(edition, subject)}
    account_id = account_ended(per, event)
    if account_id is not None:
        found |= {plan.id: plan for plan in book.of_account(edition, account_id)}
    past = [plan for plan in found.values() if plan.moment.at <= event.touchpoint.occurred_at]
    return sorted(past, key=lambda plan: (plan.subject, plan.occurrence, str(plan.id)))


def _after_touchpoint(event: Occurrence, edition: Edition, world: World, book: Book) -> list[Decision]:
    rules = edition.programme
    if rules.when.by_hand and event.touchpoint.context.get("programme") != edition.key:
        return []
    refusal = event_fits(rules, event.touchpoint, event.account)
    if refusal:
        meant = event.people if rules.audience.who is Who.EVENT else ()
        people: list[Contact | None] = [person.contact for person in meant]
        return [of_programme(event, edition, contact, refusal) for contact in people or [None]]
    if rules.audience.who is not Who.EVENT:
        return [_one(event, edition, None, world, book)]
    return _of_people(event, edition, world, book)


def _of_people(event: Occurrence, edition: Edition, world: World, book: Book) -> list[Decision]:
    """Plan those of the event's people who are in the audience."""
    rules = edition.programme
    if not event.people:
        nobody = No(Reason.NOT_IN_AUDIENCE, {"why": "the event names nobody"})
        return [of_programme(event, edition, None, nobody)]
    decisions: list[Decision] = []
    fitting: list[Person] = []
    for person in event.people:
        refusal = person_fits(rules.audience, person, event.account)
        if refusal:
            decisions.append(of_programme(event, edition, person.contact, refusal))
        else:
            fitting.append(person)
    chosen, surplus = limited(rules.audience, fitting, world.asked)
    for person in surplus:
        facts = {"max_per_account": rules.audience.max_per_account}
        decisions.append(of_programme(event, edition, person.contact, No(Reason.SAMPLED_OUT, facts)))
    decisions += [_one(event, edition, person, world, book) for person in chosen]
    return decisions


def _one(event: Occurrence, edition: Edition, person: Person | None, world: World, book: Book) -> Decision:
    """Plan one person, or one audience to be resolved later."""
    contact = person.contact if person else None
    when = edition.programme.when
    subject = subject_of(when.per, event, person)
    refusal = _not_counted(edition, subject, book)
    if refusal:
        return of_programme(event, edition, contact, refusal)
    contact_id = contact.id if contact else None
    earlier = [plan for plan in book.of(edition, subject) if plan.contact_id == contact_id]
    again = when.recurring or when.by_hand
    known = _standing(earlier, event, again=again)
    if known:
        facts: dict[str, Scalar] = {"state": known.state}
        return of_plan(known, Outcome.NOT_MATCHED, Reason.DUPLICATE, facts, until=known.due_at)
    plan = draft(event, edition, subject, contact, world, _occurrence(earlier, again=again))
    if when.recurring:
        plan = ahead(plan, edition, contact, event.account, world)
    if contact and not sampled(edition.programme.audience, plan.id):
        facts = {"sample": edition.programme.audience.sample}
        return of_programme(event, edition, contact, No(Reason.SAMPLED_OUT, facts))
    return book_new(plan, world, book)


def _not_counted(edition: Edition, subject: str, book: Book) -> No | None:
    """Why an event is not the one that a programme waits for: it names no subject, or is not the n-th."""
    when = edition.programme.when
    if not subject:
        why = f"the event names no {when.per}, and the programme counts per {when.per}"
        return No(Reason.FILTERED, {"field": when.per, "why": why})
    seen = book.tallies.get((edition.key, subject), 0)
    if when.nth > 1 and seen != when.nth:
        return No(Reason.FILTERED, {"field": "nth", "found": seen, "wanted": when.nth})
    return None


def _standing(earlier: Sequence[Plan], event: Occurrence, *, again: bool) -> Plan | None:
    """The plan because of which an event is heard twice.

    One called off by something that happened before the event does not count. What may be asked `again` is
    planned once at a time.
    """
    if again:
        return next((plan for plan in earlier if plan.state is PlanState.PENDING), None)
    known = earlier[0] if earlier else None
    at = event.touchpoint.occurred_at
    called_off_before = known and known.state is PlanState.CANCELLED and known.moment.at < at
    return None if called_off_before else known


def _occurrence(earlier: Sequence[Plan], *, again: bool) -> int:
    return earlier[-1].occurrence + 1 if earlier and again else 1
