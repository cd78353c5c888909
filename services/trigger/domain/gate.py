"""The gate that every plan passes when it is due, and again after each wait.

In this order, each outcome with its inputs: programme ended → erased or opted out → consent → brake → hold →
no longer fresh → channel → account budget → contact quarantine → arbitration → a place kept → best moment →
send window → requested.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.trigger.domain import consent
from services.trigger.domain.audience import Person, person_fits
from services.trigger.domain.best_moment import NOTHING, Learned, segment_of
from services.trigger.domain.best_moment import choose as best_moment
from services.trigger.domain.decisions import of_ask, of_plan
from services.trigger.domain.model import (
    Account,
    Ask,
    AskState,
    Contact,
    Decision,
    Hold,
    Organisation,
    Plan,
    PlanState,
    Reach,
    Scalar,
    owner_address,
    place_of,
)
from services.trigger.domain.moments import moment_of
from services.trigger.domain.parties import of_account
from services.trigger.domain.places import LOOK_AGAIN, Awaited, Crew, keeps, lacking
from services.trigger.domain.programme import AccountBudget, Edition
from services.trigger.domain.survey import language_for
from services.trigger.domain.timing import Place, Slot, Span, at_most, choose_slot, end_of
from shared.contracts.directory import Consent
from shared.contracts.model import Channel, Persona
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered, quick


@dataclass(frozen=True, slots=True)
class Brakes:
    """What an operator stopped: everything, some programmes, some accounts."""

    all_sending: bool = False
    programmes: frozenset[str] = frozenset()
    accounts: frozenset[UUID] = frozenset()

    def on(self, programme: str, account_id: UUID | None) -> str:
        """Which brake holds a plan; "" = none."""
        if self.all_sending:
            return "all sending"
        if programme in self.programmes:
            return f"programme {programme}"
        return "account" if account_id in self.accounts else ""


@quick
@dataclass(frozen=True, slots=True)
class Rival:
    """Another plan of the same person that waits for its turn.

    `resolved_at`: when it will be known whether it comes to anything, and who waits for it looks again.
    """

    plan_id: UUID
    programme: str
    priority: int
    due_at: datetime
    quarantine: Span
    exempt: bool = False
    resolved_at: datetime | None = None


class Asks:
    """Asks that use up quarantine and budget, by person and by company, oldest first.

    Those that never reached the person are left out.
    """

    def __init__(self, asks: Iterable[Ask] = ()) -> None:
        self._of_contact: dict[UUID, list[Ask]] = {}
        self._of_account: dict[UUID, list[Ask]] = {}
        for ask in asks:
            self.add(ask)

    def add(self, ask: Ask) -> None:
        """Count one more."""
        recalled_in_time = ask.state is AskState.CANCELLED and ask.handed_over_at is None
        if ask.released_at is not None or ask.state is AskState.RELEASED or recalled_in_time:
            return
        insort(self._of_contact.setdefault(ask.contact_id, []), ask, key=_asked_at)
        if ask.account_id is not None:
            insort(self._of_account.setdefault(ask.account_id, []), ask, key=_asked_at)

    def move(self, gone: UUID, survivor: UUID) -> None:
        """What somebody was asked under a former id counts for the one who stays."""
        for ask in self._of_contact.pop(gone, ()):
            insort(self._of_contact.setdefault(survivor, []), ask, key=_asked_at)

    def move_account(self, gone: UUID, survivor: UUID) -> None:
        """What was asked at a former account counts for the one that stays."""
        for ask in self._of_account.pop(gone, ()):
            insort(self._of_account.setdefault(survivor, []), ask, key=_asked_at)

    def of_contact(self, contact_id: UUID | None) -> Sequence[Ask]:
        """A person's."""
        return self._of_contact.get(contact_id, ()) if contact_id else ()

    def of_account(self, account_id: UUID | None) -> Sequence[Ask]:
        """A company's."""
        return self._of_account.get(account_id, ()) if account_id else ()


def _asked_at(ask: Ask) -> datetime:
    return ask.asked_at


def _since(asks: Sequence[Ask], span: Span, now: datetime) -> Sequence[Ask]:
    """Those that may lie less than a span back; the calendar decides about the first of them."""
    if not asks:
        return asks
    return asks[bisect_left(asks, now - at_most(span), key=_asked_at) :]


@dataclass(slots=True)
class Facts:
    """What the gate looks at, for all plans of one claimed batch; asks grow as plans pass.

    `would_be`: what programmes in shadow would have asked, by programme; it counts for that programme alone.
    `learned`: when people answer, by kind of people. `awaited`: plans that are ahead, by programme and
    account, where a place of the budget may have to be kept for one of them.
    """

    now: datetime
    organisation: Organisation
    own_domains: frozenset[str] = frozenset()
    brakes: Brakes = field(default_factory=Brakes)
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    asks: Asks = field(default_factory=Asks)
    would_be: dict[str, Asks] = field(default_factory=dict)
    learned: Mapping[str, Learned] = field(default_factory=dict)
    holds: Sequence[Hold] = ()
    rivals: Mapping[UUID, Sequence[Rival]] = field(default_factory=dict)
    awaited: dict[tuple[str, UUID], Crew] = field(default_factory=dict)
    _around: tuple[Plan, Contact | None, Account | None, Place] | None = field(
        default=None, init=False, repr=False
    )

    def contact_of(self, plan: Plan) -> Contact | None:
        """Whom a plan is about, as the directory knows them now."""
        return self._look(plan)[1]

    def account_of(self, plan: Plan) -> Account | None:
        """Whose company."""
        return self._look(plan)[2]

    def place_of(self, plan: Plan) -> Place:
        """Where its person is."""
        return self._look(plan)[3]

    def _look(self, plan: Plan) -> tuple[Plan, Contact | None, Account | None, Place]:
        """What is around a plan, kept until another one is looked at: each step of the gate asks for it."""
        around = self._around
        if around is None or around[0] is not plan:
            contact = self.contacts.get(plan.contact_id) if plan.contact_id else None
            account = self.accounts.get(plan.account_id) if plan.account_id else None
            place = place_of(contact, account, self.organisation)
            around = self._around = (plan, contact, account, place)
        return around

    def asked_of_contact(self, plan: Plan) -> Sequence[Ask]:
        """Asks that count for a plan's person."""
        shadow = self.would_be.get(plan.programme) if plan.shadow else None
        real = self.asks.of_contact(plan.contact_id)
        return sorted([*real, *shadow.of_contact(plan.contact_id)], key=_asked_at) if shadow else real

    def asked_of_account(self, plan: Plan) -> Sequence[Ask]:
        """Asks that count for a plan's company."""
        shadow = self.would_be.get(plan.programme) if plan.shadow else None
        real = self.asks.of_account(plan.account_id)
        return sorted([*real, *shadow.of_account(plan.account_id)], key=_asked_at) if shadow else real

    def passed(self, ask: Ask, plan: Plan) -> None:
        """Count what just passed."""
        (self.would_be.setdefault(plan.programme, Asks()) if plan.shadow else self.asks).add(ask)

    def current(self, contact_id: UUID) -> Contact | None:
        """Somebody as the directory knows them now, whoever they were merged into."""
        contact = self.contacts.get(contact_id)
        while contact and contact.merged_into:
            contact = self.contacts.get(contact.merged_into)
        return contact

    def asked_by(self, programme: str, account_id: UUID) -> list[Ask]:
        """What a programme asked at an account, or would have."""
        kept = (self.asks, self.would_be.get(programme))
        found = (ask for asks in kept if asks for ask in asks.of_account(account_id))
        return [ask for ask in found if ask.programme == programme]

    def crew_of(self, plan: Plan) -> Crew | None:
        """What is ahead beside a plan, where a place may have to be kept."""
        if not self.awaited or plan.account_id is None:
            return None
        return self.awaited.get((plan.programme, plan.account_id))

    def decided(self, plan: Plan) -> None:
        """Look ahead on a plan as it is now that it was decided about."""
        crew = self.crew_of(plan)
        if crew is None:
            return
        if plan.state is PlanState.PENDING:
            crew[plan.id] = plan
        else:
            crew.pop(plan.id, None)


OPEN_ENDED = frozenset({Reason.HELD, Reason.PAUSED, Reason.OUTRANKED, Reason.PLACE_KEPT})
"""Waits without a known end; when the moment passes meanwhile, they are why nobody was asked."""

Step = Callable[[Plan, Edition, Facts], Decision | None]


def decide(plan: Plan, edition: Edition, facts: Facts) -> Decision:
    """What becomes of a due plan.

    Requested, deferred until, suppressed or (for a shadow programme) only noted.
    """
    for step in GATE:
        decision = step(plan, edition, facts)
        if decision is not None:
            return decision
    inputs: dict[str, Scalar] = {
        "touchpoint": plan.moment.touchpoint,
        "due_at": plan.first_due_at.isoformat(),
    }
    if plan.shadow:
        return of_plan(plan, Outcome.SHADOW, Reason.SHADOW, inputs)
    return of_plan(plan, Outcome.REQUESTED, None, inputs)


def stopped(plan: Plan, edition: Edition, _facts: Facts | None = None) -> Decision | None:
    """The end of a plan whose programme was ended, or is in shadow no more, or only now.

    What was planned in shadow is not sent when the programme goes live: who was meant was never told.
    """
    if edition.state is ProgrammeState.ARCHIVED:
        return of_plan(plan, Outcome.CANCELLED, Reason.PROGRAMME_ARCHIVED, {})
    if edition.state is ProgrammeState.PAUSED or plan.shadow is (edition.state is ProgrammeState.SHADOW):
        return None
    why = (
        "it was planned in shadow, and the programme runs now"
        if plan.shadow
        else "the programme went into shadow"
    )
    return of_plan(plan, Outcome.CANCELLED, Reason.SHADOW, {"why": why})


def refused_person(contact: Contact | None, edition: Edition) -> tuple[Reason, str] | None:
    """Why a person may not be asked at all, whatever the moment; None = may be."""
    if contact is None or contact.erased_at:
        return Reason.ERASED, "erased"
    programme = edition.programme
    if scope := consent.refuses(contact, edition.key, programme.family):
        return Reason.OPTED_OUT, scope
    if not programme.send.to_owner and not consent.wanted_channels(contact, programme.send.channels):
        return Reason.OPTED_OUT, "channel"
    if edition.programme.consent == "opt_in" and contact.consent is not Consent.GIVEN:
        return Reason.NO_CONSENT, "opt_in"
    return None


def no_channel(
    contact: Contact, account: Account | None, edition: Edition, own_domains: frozenset[str]
) -> Reason | None:
    """Why no channel of the programme reaches somebody; None = one does.

    What the account's owner passes on needs the owner's address alone.
    """
    if edition.programme.send.to_owner:
        return None if account and owner_address(account) else Reason.NO_CHANNEL
    wanted = consent.wanted_channels(contact, edition.programme.send.channels)
    if not own_domains.isdisjoint(contact.domains):
        return Reason.OWN_COMPANY
    # Telephone, product and backend are dispatch's to know: it passes on what one channel cannot deliver.
    if any(channel is not Channel.EMAIL for channel in wanted):
        return None
    if not wanted:
        return Reason.NO_CHANNEL
    if contact.reach is not Reach.OK:
        return Reason.INVALID_ADDRESS if contact.reach is Reach.INVALID else Reason.NO_CHANNEL
    return Reason.BOUNCED if contact.bounced_at else None


def holding(
    plan_contact: UUID | None, account: UUID | None, kinds: Sequence[str], holds: Sequence[Hold]
) -> Hold | None:
    """The hold that makes somebody wait: their own, or one of their whole account."""
    for hold in holds:
        mine = hold.contact_id is not None and hold.contact_id == plan_contact
        ours = hold.contact_id is None and hold.account_id is not None and hold.account_id == account
        if hold.kind in kinds and (mine or ours):
            return hold
    return None


def rival_of(
    audience: Plan, plan: Plan, edition: Edition, facts: Facts, part: str | None = None
) -> Rival | None:
    """An audience that is not yet resolved, as a rival of a plan for one person who will be in it.

    `part`: the person's role in what the audience is about, "" for one without a name; None when they take no
    part in it.
    """
    # Whatever is not more important never goes first, nor what begins for nobody within its quarantine.
    rules = edition.programme.quarantine
    if audience.priority <= plan.priority or audience.due_at >= facts.now + at_most(rules.contact):
        return None
    contact = facts.contact_of(plan)
    waits = facts.brakes.on(audience.programme, audience.account_id)
    if contact is None or waits or audience.shadow or edition.state is not ProgrammeState.ACTIVE:
        return None
    meant = audience.account_id == contact.account_id if of_account(edition) else part is not None
    home = audience.account_id or contact.account_id
    account = facts.accounts.get(home) if home else None
    if not meant or person_fits(edition.programme.audience, Person(contact, part or ""), account):
        return None
    due_at, _ = moment_of(edition, audience.moment, contact, account, facts.organisation)
    # Nobody who waits for an audience of no account in particular is woken when it falls away.
    resolved_at = None if audience.account_id else audience.due_at
    return Rival(
        audience.id, audience.programme, audience.priority, due_at, rules.contact,
        exempt=rules.exempt, resolved_at=resolved_at,
    )  # fmt: skip


def _person(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    refused = refused_person(facts.contact_of(plan), edition)
    return of_plan(plan, Outcome.SUPPRESSED, refused[0], {"scope": refused[1]}) if refused else None


def _brake(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    brake = facts.brakes.on(plan.programme, plan.account_id)
    if not brake and edition.state is not ProgrammeState.PAUSED:
        return None
    return _wait(plan, facts, Reason.PAUSED, {"brake": brake or f"programme {plan.programme}"})


def _hold(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    if not facts.holds:
        return None
    hold = holding(plan.contact_id, plan.account_id, edition.programme.when.holds, facts.holds)
    return _wait(plan, facts, Reason.HELD, {"hold": hold.kind, "ref": hold.ref}) if hold else None


def _fresh(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    if facts.now < plan.stale_at:
        return None
    inputs: dict[str, Scalar] = {
        "stale_at": plan.stale_at.isoformat(),
        "fresh_for": edition.programme.when.fresh_for.text,
    }
    waited = plan.waits_for if plan.waits_for in OPEN_ENDED else None
    return of_plan(plan, Outcome.SUPPRESSED, waited or Reason.EXPIRED, inputs)


def _channel(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    contact = facts.contact_of(plan)
    reason = (
        no_channel(contact, facts.account_of(plan), edition, facts.own_domains)
        if contact
        else Reason.NO_CHANNEL
    )
    if reason is None:
        return None
    inputs: dict[str, Scalar] = {"channels": ", ".join(edition.programme.send.channels)}
    return of_plan(plan, Outcome.SUPPRESSED, reason, inputs)


def _budget(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    rules = edition.programme.quarantine
    if rules.account is None or rules.exempt or plan.account_id is None:
        return None
    span = rules.account.per
    theirs = _since(facts.asked_of_account(plan), span, facts.now)
    if len(theirs) < rules.account.max:
        return None
    ends = [end for end, _ in _taken(plan, rules.account, facts)]
    if len(ends) < rules.account.max:
        return None
    inputs: dict[str, Scalar] = {"max": rules.account.max, "per": span.text, "asked": len(ends)}
    # A place becomes free when so many of the oldest asks have left the span that one below the maximum
    # remain.
    return _until(plan, Reason.ACCOUNT_BUDGET, sorted(ends)[len(ends) - rules.account.max], inputs)


def _taken(plan: Plan, budget: AccountBudget, facts: Facts) -> list[tuple[datetime, Ask]]:
    """The places of an account's budget that are taken, each with when it is free again."""
    zone = facts.place_of(plan).zone
    asks = _since(facts.asked_of_account(plan), budget.per, facts.now)
    ends = ((end_of(ask.asked_at, budget.per, zone), ask) for ask in asks)
    return [(end, ask) for end, ask in ends if end > facts.now]


def _quarantine(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    rules = edition.programme.quarantine
    if rules.exempt:
        return None
    theirs = facts.asked_of_contact(plan)
    if not theirs:
        return None
    zone = facts.place_of(plan).zone
    worst: tuple[datetime, Ask, Span] | None = None
    for span, family in ((rules.contact, None), (rules.family, edition.programme.family)):
        if span is None:
            continue
        for ask in _since(theirs, span, facts.now):
            end = end_of(ask.asked_at, span, zone) if family is None or ask.family is family else facts.now
            if end > facts.now and (worst is None or end > worst[0]):
                worst = (end, ask, span)
    if worst is None:
        return None
    end, ask, span = worst
    inputs: dict[str, Scalar] = {
        "asked_at": ask.asked_at.isoformat(),
        "by": ask.programme,
        "quarantine": span.text,
    }
    return _until(plan, Reason.QUARANTINED, end, inputs)


def _arbitration(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """Asking now would quarantine the person when something more important comes due: that one goes first."""
    rules = edition.programme.quarantine
    if rules.exempt or plan.contact_id is None:
        return None
    rivals = facts.rivals.get(plan.contact_id, ())
    above = [r for r in rivals if r.priority > plan.priority and not r.exempt and r.plan_id != plan.id]
    if not above:
        return None
    zone = facts.place_of(plan).zone
    for rival in sorted(above, key=lambda r: (-r.priority, r.due_at)):
        due_at = max(rival.due_at, facts.now)
        if due_at < end_of(facts.now, rival.quarantine, zone):
            inputs: dict[str, Scalar] = {
                "by": rival.programme,
                "priority": rival.priority,
                "own_priority": plan.priority,
            }
            free_at = end_of(due_at, rules.contact, zone)
            known_at = max(rival.resolved_at, facts.now + LOOK_AGAIN) if rival.resolved_at else free_at
            # The other may yet fall away, so even a wait that seems too long lasts until the moment is over.
            return _deferred(plan, Reason.OUTRANKED, min(free_at, known_at, plan.stale_at), inputs)
    return None


def crowded(plan: Plan, edition: Edition, facts: Facts, due: int) -> bool:
    """Whether a place may have to be kept: the budget does not hold all who are due and all who are wanted.

    `due`: how many plans of the account are decided about at once. Where it is not crowded, nothing more has
    to be known.
    """
    rules = edition.programme
    budget = rules.quarantine.account
    if budget is None or plan.account_id is None or not rules.keeps_places:
        return False
    asked = len(_since(facts.asked_of_account(plan), budget.per, facts.now))
    return asked + due + sum(rules.audience.coverage.values()) > budget.max


def serves(plan: Plan, edition: Edition, facts: Facts) -> bool:
    """Whether a plan that was just decided about leaves a place that may have been kept for it.

    Because it takes it, or because it is over. To be asked before what passed is counted.
    """
    if plan.state is PlanState.PENDING or facts.crew_of(plan) is None:
        return False
    contact, budget = facts.contact_of(plan), edition.programme.quarantine.account
    if contact is None or budget is None:
        return False
    return contact.persona in _lacking(plan, edition, _taken(plan, budget, facts), facts)


def _lacking(
    plan: Plan, edition: Edition, taken: Sequence[tuple[datetime, Ask]], facts: Facts
) -> dict[Persona, int]:
    """Whom `coverage` still wants at an account, after those whom the programme asked within its budget."""
    asked = (facts.current(ask.contact_id) for _, ask in taken if ask.programme == plan.programme)
    people = {contact.id: contact for contact in asked if contact}
    return lacking(edition.programme.audience.coverage, people.values())


def _place_kept(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """Asking now would leave no place for the persona that is still missing: one is kept for them (R59)."""
    crew, budget = facts.crew_of(plan), edition.programme.quarantine.account
    contact = facts.contact_of(plan)
    if not crew or budget is None or contact is None or edition.programme.quarantine.exempt:
        return None
    taken = _taken(plan, budget, facts)
    lacks = _lacking(plan, edition, taken, facts)
    if not lacks or contact.persona in lacks:
        return None
    own = end_of(facts.now, budget.per, facts.place_of(plan).zone)
    awaited = [one for other in crew.values() if (one := _awaited(other, plan, edition, lacks, facts))]
    kept = keeps(lacks, awaited, [*(end for end, _ in taken), own], budget.max)
    if kept is None:
        return None
    inputs: dict[str, Scalar] = {
        "why": f"a place is kept for a {kept.persona.value.replace('_', ' ')} of this account",
        "kept_until": kept.due_at.isoformat(),
        "max": budget.max,
        "per": budget.per.text,
        "asked": len(taken),
    }
    # They may yet fall out, so even a wait that seems too long lasts until the moment is over.
    until = min(max(kept.due_at, facts.now + LOOK_AGAIN), plan.stale_at)
    return _deferred(plan, Reason.PLACE_KEPT, until, inputs)


def _awaited(
    other: Plan, plan: Plan, edition: Edition, lacks: Mapping[Persona, int], facts: Facts
) -> Awaited | None:
    """When somebody of a missing persona will be asked, as far as can be foreseen; None when not."""
    contact = facts.contacts.get(other.contact_id) if other.contact_id else None
    if (
        contact is None
        or contact.persona is None
        or contact.persona not in lacks
        or other.shadow is not plan.shadow
    ):
        return None
    if refused_person(contact, edition):
        return None
    if no_channel(contact, facts.account_of(plan), edition, facts.own_domains):
        return None
    later = _quarantine(other, edition, facts)
    due_at = max(other.due_at, facts.now, later.until if later and later.until else facts.now)
    over = later is not None and later.outcome is Outcome.SUPPRESSED
    # What waits until its moment is over waits for something without a known end, as an open case.
    return None if over or due_at >= other.stale_at else Awaited(due_at, contact.id, contact.persona)


def _best_moment(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """Wait for the moment inside the window at which most answer; chosen once, then it stands (R46)."""
    send, contact = edition.programme.send, facts.contact_of(plan)
    if not send.learns or send.rule is None or contact is None or plan.waits_for is Reason.BEST_MOMENT:
        return None
    # The language that the mail will have, as the survey will remember it.
    locale = language_for(contact.locale, edition.programme.title, facts.organisation.locales)
    segment = segment_of(edition.programme.family, contact.persona, locale)
    known = facts.learned.get(segment, NOTHING)
    choice = best_moment(plan.id, known, facts.now, plan.stale_at, send.rule, facts.place_of(plan))
    if choice is None or choice.at <= facts.now:
        return None
    inputs: dict[str, Scalar] = {
        "slot": choice.slot.name,
        "share": f"{choice.belief.mean:.0%}",
        "asked_then": choice.belief.seen.asked,
        "answered_then": choice.belief.seen.answered,
        "tried": choice.tried,
    }
    if choice.tried:
        inputs["why"] = "it is tried whether people like this one answer more often then"
    return _deferred(plan, Reason.BEST_MOMENT, choice.at, inputs)


def _window(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    send = edition.programme.send
    slot = choose_slot(
        facts.now,
        plan.stale_at,
        send.rule,
        facts.place_of(plan),
        outside_before_stale=send.outside_before_stale,
    )
    if slot is not None and slot.at <= facts.now:
        return None
    inputs: dict[str, Scalar] = {
        "zone": str(facts.place_of(plan).zone),
        "country": facts.place_of(plan).country,
    }
    if slot is None:
        return of_plan(
            plan, Outcome.SUPPRESSED, Reason.EXPIRED, {**inputs, "window": "not before the moment is over"}
        )
    return _deferred(plan, Reason.SEND_WINDOW, slot.at, inputs)


GATE: tuple[Step, ...] = (
    stopped,
    _person,
    _brake,
    _hold,
    _fresh,
    _channel,
    _budget,
    _quarantine,
    _arbitration,
    _place_kept,
    _best_moment,
    _window,
)
"""The steps in their order; the first that has something to say decides."""


def settled(plan: Plan, decision: Decision) -> Plan:
    """A plan after the gate decided about it."""
    match decision.outcome:
        case Outcome.REQUESTED:
            return altered(plan, state=PlanState.REQUESTED, waits_for=None)
        case Outcome.DEFERRED:
            return altered(plan, due_at=decision.until or plan.due_at, waits_for=decision.reason)
        case Outcome.CANCELLED:
            return altered(plan, state=PlanState.CANCELLED, reason=decision.reason, waits_for=None)
        case _:
            return altered(plan, state=PlanState.SUPPRESSED, reason=decision.reason)


def reminder_slot(after: datetime, closes_at: datetime, edition: Edition, place: Place) -> Slot | None:
    """When a reminder may go out; None when there is no time in the window left before the survey closes."""
    send = edition.programme.send
    return choose_slot(after, closes_at, send.rule, place, outside_before_stale=send.outside_before_stale)


def decide_reminder(ask: Ask, edition: Edition, facts: Facts) -> Decision:
    """Whether a due reminder goes out (R49): the same gate, but its own survey quarantines nothing."""
    contact = facts.contacts.get(ask.contact_id)
    over = _no_more(ask, edition, contact, facts)
    if over or contact is None:
        return over or of_ask(ask, Outcome.SUPPRESSED, Reason.ERASED, {})
    waits = _reminder_waits(ask, edition, facts)
    if waits:
        return waits
    account = facts.accounts.get(ask.account_id) if ask.account_id else None
    unreachable = no_channel(contact, account, edition, facts.own_domains)
    if unreachable:
        return of_ask(ask, Outcome.SUPPRESSED, unreachable, {})
    return _remind_when_free(ask, edition, facts, contact)


def _no_more(ask: Ask, edition: Edition, contact: Contact | None, facts: Facts) -> Decision | None:
    """Why nobody is reminded of a survey any more: it or its programme is over, or the person is gone."""
    inputs: dict[str, Scalar] = {}
    if ask.state is not AskState.OPEN:
        reason = Reason.ANSWERED if ask.answered_at else Reason.CANCELLED
        inputs["state"] = ask.state
    elif edition.state is ProgrammeState.ARCHIVED:
        reason = Reason.PROGRAMME_ARCHIVED
    elif edition.state is ProgrammeState.SHADOW:
        reason, inputs["why"] = Reason.SHADOW, "the programme went into shadow"
    elif refused := refused_person(contact, edition):
        reason = refused[0]
    elif facts.now >= ask.closes_at:
        reason, inputs["closes_at"] = Reason.EXPIRED, ask.closes_at.isoformat()
    else:
        return None
    return of_ask(ask, Outcome.SUPPRESSED, reason, inputs)


def _reminder_waits(ask: Ask, edition: Edition, facts: Facts) -> Decision | None:
    """The brake or the hold for which a reminder waits as long as the survey is open."""
    brake = facts.brakes.on(ask.programme, ask.account_id)
    if brake or edition.state is ProgrammeState.PAUSED:
        return of_ask(ask, Outcome.DEFERRED, Reason.PAUSED, {"brake": brake}, until=ask.closes_at)
    hold = holding(ask.contact_id, ask.account_id, edition.programme.when.holds, facts.holds)
    if hold is None:
        return None
    inputs: dict[str, Scalar] = {"hold": hold.kind, "ref": hold.ref}
    return of_ask(ask, Outcome.DEFERRED, Reason.HELD, inputs, until=ask.closes_at)


def _remind_when_free(ask: Ask, edition: Edition, facts: Facts, contact: Contact) -> Decision:
    place = place_of(
        contact, facts.accounts.get(ask.account_id) if ask.account_id else None, facts.organisation
    )
    # An ask made before this one was within its rights then; only a later one makes the reminder too much.
    if _asked_since(ask, edition.programme.quarantine.contact, place, facts):
        return of_ask(
            ask,
            Outcome.SUPPRESSED,
            Reason.QUARANTINED,
            {"quarantine": edition.programme.quarantine.contact.text},
        )
    slot = reminder_slot(facts.now, ask.closes_at, edition, place)
    if slot is None:
        return of_ask(ask, Outcome.SUPPRESSED, Reason.EXPIRED, {"window": "not before the survey closes"})
    if slot.at > facts.now:
        return of_ask(ask, Outcome.DEFERRED, Reason.SEND_WINDOW, {"zone": str(place.zone)}, until=slot.at)
    return of_ask(ask, Outcome.REQUESTED, None, {"asked_at": ask.asked_at.isoformat()})


def _asked_since(ask: Ask, span: Span, place: Place, facts: Facts) -> bool:
    """Whether somebody was asked something else after a survey, and is in quarantine for anything else."""
    theirs = facts.asks.of_contact(ask.contact_id)
    if not theirs or theirs[-1].asked_at <= ask.asked_at:
        return False
    others = (a for a in _since(theirs, span, facts.now) if a.survey_id != ask.survey_id)
    return any(end_of(a.asked_at, span, place.zone) > facts.now for a in others)


def _wait(plan: Plan, facts: Facts, reason: Reason, inputs: Mapping[str, Scalar]) -> Decision:
    """Wait for something without a known end: until it is released, or the moment is over."""
    if facts.now >= plan.stale_at:
        return of_plan(plan, Outcome.SUPPRESSED, reason, {**inputs, "stale_at": plan.stale_at.isoformat()})
    return _deferred(plan, reason, plan.stale_at, inputs)


def _until(plan: Plan, reason: Reason, end: datetime, inputs: Mapping[str, Scalar]) -> Decision:
    """Wait for something with a known end; beyond the moment there is nothing to wait for."""
    if end >= plan.stale_at:
        facts = {**inputs, "free_at": end.isoformat(), "stale_at": plan.stale_at.isoformat()}
        return of_plan(plan, Outcome.SUPPRESSED, reason, facts)
    return _deferred(plan, reason, end, inputs)


def _deferred(plan: Plan, reason: Reason, until: datetime, inputs: Mapping[str, Scalar]) -> Decision:
    return of_plan(plan, Outcome.DEFERRED, reason, inputs, until)
