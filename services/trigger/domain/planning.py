"""From a touchpoint to plans: who is to be asked, about what, and when.

With a reason for everybody who is not.

A plan is a programme × subject × occurrence × contact. What is heard twice is planned once; a moved date
moves its plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.audience import No, Person, event_fits, limited, person_fits, sampled
from services.trigger.domain.model import (
    Account,
    Contact,
    Decision,
    Moment,
    Organisation,
    Plan,
    PlanState,
    Scalar,
    place_of,
    plan_id,
)
from services.trigger.domain.programme import RENEWAL, Edition, Per, Who
from services.trigger.domain.timing import Span, add_span, days_before
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far a backend's clock may run ahead before its event counts as one from the future."""

EARLIEST_ZONE = ZoneInfo("Etc/GMT-14")
"""Where every date begins first: an audience is resolved before the day begins anywhere."""

_DST_MARGIN = timedelta(hours=3)
_ONE_DAY = Span(days=1)
_CONTEXT_KEYS, _CONTEXT_CHARS = 20, 200


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A touchpoint with what the directory knows around it, after the event's own news."""

    type: str
    event_id: str
    touchpoint: Touchpoint
    account: Account | None
    people: tuple[Person, ...] = ()


@dataclass(slots=True)
class Book:
    """The plans that a batch may touch, by identity; changed ones are collected for the store."""

    plans: dict[UUID, Plan] = field(default_factory=dict)
    changed: dict[UUID, Plan] = field(default_factory=dict)

    def put(self, plan: Plan) -> None:
        """Take a new or changed plan."""
        self.plans[plan.id] = plan
        self.changed[plan.id] = plan

    def of(self, programme: str, subject: str) -> list[Plan]:
        """All plans of a programme about a subject, oldest occurrence first."""
        found = [p for p in self.plans.values() if p.programme == programme and p.subject == subject]
        return sorted(found, key=lambda plan: (plan.occurrence, str(plan.id)))


@dataclass(frozen=True, slots=True)
class World:
    """What planning looks at besides the event."""

    editions: Sequence[Edition]
    organisation: Organisation
    now: datetime
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)


def plan_surveys(event: Occurrence, world: World, book: Book) -> list[Decision]:
    """Decide about one event; plans are changed in the book.

    Returns:
        A decision for every programme that the event concerns; one `not_matched` when there is none.
    """
    if event.touchpoint.occurred_at > world.now + FUTURE_TOLERANCE:
        facts = {
            "occurred_at": event.touchpoint.occurred_at.isoformat(),
            "why": "the event is from the future",
        }
        return [_event_decision(event, Outcome.NOT_MATCHED, Reason.FILTERED, facts)]
    decisions: list[Decision] = []
    for edition in world.editions:
        decisions += cancelled_by(event, edition, book)
        if edition.state is ProgrammeState.ARCHIVED:
            continue
        if event.type in edition.programme.touchpoints:
            decisions += _after_touchpoint(event, edition, world, book)
        if edition.programme.when.before == RENEWAL and event.touchpoint.renewal_on:
            decisions += _before_date(event, edition, world, book)
    return decisions or [_event_decision(event, Outcome.NOT_MATCHED, Reason.NOT_MATCHED, {})]


def cancelled_by(event: Occurrence, edition: Edition, book: Book) -> Iterator[Decision]:
    """Plans that an event calls off: same programme, same subject, still waiting."""
    if event.type not in edition.programme.when.cancel_on:
        return
    for subject in {
        subject_of(edition.programme.when.per, event, person) for person in (*event.people, None)
    }:
        for plan in book.of(edition.key, subject) if subject else ():
            if plan.state is PlanState.PENDING and plan.moment.at <= event.touchpoint.occurred_at:
                book.put(replace(plan, state=PlanState.CANCELLED, reason=Reason.CANCELLED))
                yield of_plan(plan, Outcome.CANCELLED, Reason.CANCELLED, {"event": event.type})


def called_off(event: Occurrence, edition: Edition, book: Book) -> Iterator[Plan]:
    """Plans that an event calls off although they were requested already.

    Whatever is unsent shall stay so.
    """
    if event.type not in edition.programme.when.cancel_on:
        return
    for subject in {
        subject_of(edition.programme.when.per, event, person) for person in (*event.people, None)
    }:
        for plan in book.of(edition.key, subject) if subject else ():
            if plan.state is PlanState.REQUESTED and plan.moment.at <= event.touchpoint.occurred_at:
                yield plan


def subject_of(per: Per, event: Occurrence, person: Person | None) -> str:
    """What an event is about, in the terms the programme counts in; "" when the event does not say."""
    told = event.touchpoint.subject
    match per:
        case Per.CONTACT:
            return f"contact:{person.contact.id}" if person else ""
        case Per.ACCOUNT:
            return f"account:{event.account.id}" if event.account else ""
        case Per.PRODUCT:
            return f"product:{event.touchpoint.product}" if event.touchpoint.product else ""
        case Per.CONTRACT if event.account and (told is None or told.kind != per):
            return f"contract:account:{event.account.id}"
        case _:
            return f"{per}:{told.id}" if told and told.kind == per else ""


def expand(
    parent: Plan, edition: Edition, people: Iterable[Contact], account: Account | None, world: World
) -> Iterator[tuple[Plan | None, Decision]]:
    """One plan for each person of an audience that comes due now; with a decision for everybody left out."""
    audience = edition.programme.audience
    fitting: list[Person] = []
    for contact in people:
        person = Person(contact)
        refusal = person_fits(audience, person, account)
        if refusal is None:
            fitting.append(person)
        else:
            yield None, _person_decision(parent, contact, refusal)
    chosen, surplus = limited(audience, fitting)
    for person in surplus:
        yield (
            None,
            _person_decision(
                parent, person.contact, No(Reason.SAMPLED_OUT, {"max_per_account": audience.max_per_account})
            ),
        )
    for person in chosen:
        identity = plan_id(parent.programme, parent.subject, parent.occurrence, person.contact.id)
        if not sampled(audience, str(identity)):
            yield (
                None,
                _person_decision(parent, person.contact, No(Reason.SAMPLED_OUT, {"sample": audience.sample})),
            )
            continue
        due_at, stale_at = moment_of(edition, parent.moment, person.contact, account, world.organisation)
        plan = replace(
            parent,
            id=identity,
            contact_id=person.contact.id,
            first_due_at=due_at,
            due_at=due_at,
            stale_at=stale_at,
            state=PlanState.PENDING,
            reason=None,
            waits_for=None,
        )
        yield (
            plan,
            of_plan(
                plan,
                Outcome.PLANNED,
                None,
                {"due_at": due_at.isoformat(), "touchpoint": parent.moment.touchpoint},
            ),
        )


def moment_of(
    edition: Edition,
    moment: Moment,
    contact: Contact | None,
    account: Account | None,
    organisation: Organisation,
) -> tuple[datetime, datetime]:
    """When a programme wants to ask somebody, and from when on that would be too late.

    For an audience not yet resolved (no contact) the moment lies before everybody's own.
    """
    when = edition.programme.when
    place = place_of(contact, account, organisation)
    if moment.renewal_on and when.before:
        zone = place.zone if contact else EARLIEST_ZONE
        due_at = days_before(moment.renewal_on, when.by, zone)
        return due_at, min(add_span(due_at, when.fresh_for, zone), _end_of(moment.renewal_on, zone))
    due_at = add_span(moment.at, when.delay, place.zone)
    if contact is None and (when.delay.days or when.delay.months):
        due_at -= _DST_MARGIN
    return due_at, add_span(due_at, when.fresh_for, place.zone)


def of_plan(
    plan: Plan,
    outcome: Outcome,
    reason: Reason | None,
    inputs: Mapping[str, Scalar],
    until: datetime | None = None,
) -> Decision:
    """A line of the ledger about a plan."""
    return Decision(
        outcome=outcome,
        reason=reason,
        programme=plan.programme,
        version=plan.version,
        plan_id=plan.id,
        contact_id=plan.contact_id,
        account_id=plan.account_id,
        until=until,
        inputs=inputs,
    )


def context_of(touchpoint: Touchpoint) -> dict[str, str]:
    """What of the free context a survey carries along; what looks like an address stays behind."""
    pairs = ((key, "" if value is None else str(value)) for key, value in touchpoint.context.items())
    kept = [(k, v[:_CONTEXT_CHARS]) for k, v in pairs if v and "@" not in v]
    return dict(kept[:_CONTEXT_KEYS])


def _after_touchpoint(event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    refusal = event_fits(edition.programme, event.touchpoint, event.account)
    if refusal:
        yield _programme_decision(event, edition, None, refusal)
        return
    if edition.programme.audience.who is Who.ACCOUNT:
        yield from _one(event, edition, None, world, book)
        return
    if not event.people:
        yield _programme_decision(
            event, edition, None, No(Reason.NOT_IN_AUDIENCE, {"why": "the event names nobody"})
        )
    fitting: list[Person] = []
    for person in event.people:
        refusal = person_fits(edition.programme.audience, person, event.account)
        if refusal:
            yield _programme_decision(event, edition, person.contact, refusal)
        else:
            fitting.append(person)
    chosen, surplus = limited(edition.programme.audience, fitting)
    for person in surplus:
        facts = {"max_per_account": edition.programme.audience.max_per_account}
        yield _programme_decision(event, edition, person.contact, No(Reason.SAMPLED_OUT, facts))
    for person in chosen:
        yield from _one(event, edition, person, world, book)


def _one(
    event: Occurrence, edition: Edition, person: Person | None, world: World, book: Book
) -> Iterator[Decision]:
    """Plan one person, or one audience to be resolved later."""
    contact = person.contact if person else None
    per = edition.programme.when.per
    subject = subject_of(per, event, person)
    if not subject:
        facts: dict[str, Scalar] = {
            "field": per,
            "why": f"the event names no {per}, and the programme counts per {per}",
        }
        yield _programme_decision(event, edition, contact, No(Reason.FILTERED, facts))
        return
    plan = _draft(event, edition, subject, contact, world)
    known = book.plans.get(plan.id)
    if known and not (known.state is PlanState.CANCELLED and known.moment.at < plan.moment.at):
        yield replace(
            of_plan(known, Outcome.NOT_MATCHED, Reason.DUPLICATE, {"state": known.state}), until=known.due_at
        )
    elif contact and not sampled(edition.programme.audience, str(plan.id)):
        facts = {"sample": edition.programme.audience.sample}
        yield _programme_decision(event, edition, contact, No(Reason.SAMPLED_OUT, facts))
    else:
        yield from _book(plan, world, book)


def _book(plan: Plan, world: World, book: Book) -> Iterator[Decision]:
    facts: dict[str, Scalar] = {"due_at": plan.due_at.isoformat(), "touchpoint": plan.moment.touchpoint}
    if plan.stale_at <= world.now:
        facts["stale_at"] = plan.stale_at.isoformat()
        yield replace(of_plan(plan, Outcome.NOT_MATCHED, Reason.EXPIRED, facts), plan_id=None)
        return
    book.put(plan)
    yield of_plan(plan, Outcome.PLANNED, None, facts, until=plan.due_at)


def _draft(
    event: Occurrence,
    edition: Edition,
    subject: str,
    contact: Contact | None,
    world: World,
    occurrence: int = 1,
) -> Plan:
    told = event.touchpoint
    moment = Moment(
        touchpoint=event.type,
        at=told.occurred_at,
        product=told.product,
        service_type=told.service_type,
        subject_kind=told.subject.kind if told.subject else "",
        subject_id=told.subject.id if told.subject else "",
        renewal_on=told.renewal_on,
        context=context_of(told),
    )
    due_at, stale_at = moment_of(edition, moment, contact, event.account, world.organisation)
    account_id = event.account.id if event.account else (contact.account_id if contact else None)
    return Plan(
        id=plan_id(edition.key, subject, occurrence, contact.id if contact else None),
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
    )


def _before_date(event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    """Plan before a date, or move the term's plan when its date moved (R35)."""
    refusal = event_fits(edition.programme, event.touchpoint, event.account)
    subject = subject_of(edition.programme.when.per, event, None)
    if refusal or not subject:
        missing = No(
            Reason.FILTERED,
            {"field": edition.programme.when.per, "why": "the event does not say whose date it is"},
        )
        yield _programme_decision(event, edition, None, refusal or missing)
        return
    term = book.of(edition.key, subject)
    current = [plan for plan in term if plan.occurrence == term[-1].occurrence] if term else []
    if not current or _new_term(current, edition, event.touchpoint):
        occurrence = current[0].occurrence + 1 if current else 1
        yield from _book(_draft(event, edition, subject, None, world, occurrence), world, book)
        return
    for plan in current:
        yield from _move(plan, event, edition, world, book)


def _move(plan: Plan, event: Occurrence, edition: Edition, world: World, book: Book) -> Iterator[Decision]:
    told = event.touchpoint
    if plan.moment.at > told.occurred_at or plan.moment.renewal_on == told.renewal_on:
        yield of_plan(plan, Outcome.NOT_MATCHED, Reason.DUPLICATE, {"state": plan.state}, until=plan.due_at)
        return
    moment = replace(plan.moment, renewal_on=told.renewal_on, at=told.occurred_at)
    contact = world.contacts.get(plan.contact_id) if plan.contact_id else None
    due_at, stale_at = moment_of(edition, moment, contact, event.account, world.organisation)
    if plan.state is PlanState.PENDING or (_revivable(plan) and stale_at > world.now):
        moved = replace(
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
            "moved_from": _iso(plan.moment.renewal_on),
            "moved_to": _iso(told.renewal_on),
        }
        yield of_plan(moved, Outcome.PLANNED, Reason.SUPERSEDED, facts, until=due_at)
    else:
        # The survey of this term went out already; the plan only learns the date, so that the term ends with
        # it.
        book.put(replace(plan, moment=moment))
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


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return add_span(datetime(day.year, day.month, day.day, tzinfo=zone), _ONE_DAY, zone)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _event_decision(
    event: Occurrence, outcome: Outcome, reason: Reason, inputs: Mapping[str, Scalar]
) -> Decision:
    contact = event.people[0].contact.id if event.people else None
    account = event.account.id if event.account else None
    return Decision(
        outcome=outcome,
        reason=reason,
        contact_id=contact,
        account_id=account,
        inputs={"touchpoint": event.type, **inputs},
    )


def _programme_decision(
    event: Occurrence, edition: Edition, contact: Contact | None, refusal: No
) -> Decision:
    return Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=refusal.reason,
        programme=edition.key,
        version=edition.version,
        contact_id=contact.id if contact else None,
        account_id=event.account.id if event.account else None,
        inputs={"touchpoint": event.type, **refusal.inputs},
    )


def _person_decision(parent: Plan, contact: Contact, refusal: No) -> Decision:
    return Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=refusal.reason,
        programme=parent.programme,
        version=parent.version,
        contact_id=contact.id,
        account_id=parent.account_id,
        inputs={"touchpoint": parent.moment.touchpoint, **refusal.inputs},
    )
