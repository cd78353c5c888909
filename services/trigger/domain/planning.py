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
from services.trigger.domain.model import Contact, Decision, Plan, PlanState
from services.trigger.domain.moments import subject_of, subjects_of
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
    for tally in tallied(event, world.catalogue, world.now):
        book.tallies[tally] = book.tallies.get(tally, 0) + 1
    decisions: list[Decision] = []
    dated = event.touchpoint.renewal_on is not None
    for edition in world.catalogue.concerned(event.type, dated=dated):
        decisions += cancelled_by(event, edition, book)
        if edition.state is ProgrammeState.ARCHIVED:
            continue
        if event.type in edition.programme.touchpoints:
            decisions += _after_touchpoint(event, edition, world, book)
        if edition.programme.when.before and dated:
            decisions += before_date(event, edition, world, book)
    return decisions or of_event(event, Outcome.NOT_MATCHED, Reason.NOT_MATCHED, {})


def from_future(event: Occurrence, now: datetime) -> bool:
    """Whether an event has not happened yet, by more than clocks may differ."""
    return event.touchpoint.occurred_at > now + FUTURE_TOLERANCE


def tallied(event: Occurrence, catalogue: Catalogue, now: datetime) -> Iterator[Tally]:
    """What programmes with `nth` count of an event: one for each subject, whoever of its people is meant."""
    if from_future(event, now):
        return
    for edition in catalogue.by_type.get(event.type, ()):
        when = edition.programme.when
        counts = when.nth > 1 and event.type in when.starts_on
        if counts and event_fits(edition.programme, event.touchpoint, event.account) is None:
            yield from ((edition.key, subject) for subject in sorted(subjects_of(when.per, event)))


def cancelled_by(event: Occurrence, edition: Edition, book: Book) -> Iterator[Decision]:
    """Plans that an event calls off: same programme, same subject, still waiting."""
    if event.type not in edition.programme.when.ends_on:
        return
    for subject in sorted(subjects_of(edition.programme.when.per, event)):
        for plan in book.of(edition, subject):
            if plan.state is PlanState.PENDING and plan.moment.at <= event.touchpoint.occurred_at:
                book.put(altered(plan, state=PlanState.CANCELLED, reason=Reason.CANCELLED))
                yield of_plan(plan, Outcome.CANCELLED, Reason.CANCELLED, {"event": event.type})


def called_off(event: Occurrence, edition: Edition, book: Book) -> Iterator[Plan]:
    """Plans that an event calls off although they were requested already.

    Whatever is unsent shall stay so.
    """
    if event.type not in edition.programme.when.ends_on:
        return
    for subject in sorted(subjects_of(edition.programme.when.per, event)):
        for plan in book.of(edition, subject):
            if plan.state is PlanState.REQUESTED and plan.moment.at <= event.touchpoint.occurred_at:
                yield plan


def _after_touchpoint(event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    rules = edition.programme
    if rules.when.by_hand and event.touchpoint.context.get("programme") != edition.key:
        return
    refusal = event_fits(rules, event.touchpoint, event.account)
    if refusal:
        meant = event.people if rules.audience.who is Who.EVENT else ()
        people: list[Contact | None] = [person.contact for person in meant]
        for contact in people or [None]:
            yield of_programme(event, edition, contact, refusal)
        return
    if rules.audience.who is not Who.EVENT:
        yield from _one(event, edition, None, world, book)
        return
    yield from _of_people(event, edition, world, book)


def _of_people(event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    """Plan those of the event's people who are in the audience."""
    rules = edition.programme
    if not event.people:
        nobody = No(Reason.NOT_IN_AUDIENCE, {"why": "the event names nobody"})
        yield of_programme(event, edition, None, nobody)
    fitting: list[Person] = []
    for person in event.people:
        refusal = person_fits(rules.audience, person, event.account)
        if refusal:
            yield of_programme(event, edition, person.contact, refusal)
        else:
            fitting.append(person)
    chosen, surplus = limited(rules.audience, fitting, world.asked)
    for person in surplus:
        facts = {"max_per_account": rules.audience.max_per_account}
        yield of_programme(event, edition, person.contact, No(Reason.SAMPLED_OUT, facts))
    for person in chosen:
        yield from _one(event, edition, person, world, book)


def _one(
    event: Occurrence, edition: Edition, person: Person | None, world: World, book: Book
) -> Iterator[Decision]:
    """Plan one person, or one audience to be resolved later."""
    contact = person.contact if person else None
    subject = subject_of(edition.programme.when.per, event, person)
    refusal = _not_counted(edition, subject, book)
    if refusal:
        yield of_programme(event, edition, contact, refusal)
        return
    contact_id = contact.id if contact else None
    earlier = [plan for plan in book.of(edition, subject) if plan.contact_id == contact_id]
    again = edition.programme.when.recurring or edition.programme.when.by_hand
    known = _standing(earlier, event, again=again)
    if known:
        yield altered(
            of_plan(known, Outcome.NOT_MATCHED, Reason.DUPLICATE, {"state": known.state}), until=known.due_at
        )
        return
    plan = draft(event, edition, subject, contact, world, _occurrence(earlier, again=again))
    if edition.programme.when.recurring:
        plan = ahead(plan, edition, contact, event.account, world)
    if contact and not sampled(edition.programme.audience, plan.id):
        facts = {"sample": edition.programme.audience.sample}
        yield of_programme(event, edition, contact, No(Reason.SAMPLED_OUT, facts))
    else:
        yield from book_new(plan, world, book)


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
