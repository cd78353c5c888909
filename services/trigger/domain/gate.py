"""The gate that every plan passes when it is due, and again after each wait.

In this order, each outcome with its inputs: programme ended → erased or opted out → consent → brake → hold →
no longer fresh → channel → account budget → contact quarantine → arbitration → a place kept → best moment →
send window → requested.

Each rule looks at one plan, its edition and the facts around it. Those about who may be asked stand in
`refusals`, those about how often in `caps`, those between questions in `arbitration` and `keeping`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from services.trigger.domain.arbitration import outranked
from services.trigger.domain.best_moment import NOTHING, segment_of
from services.trigger.domain.best_moment import choose as best_moment
from services.trigger.domain.caps import account_budget, quarantine
from services.trigger.domain.decisions import deferred, of_plan
from services.trigger.domain.facts import Facts
from services.trigger.domain.keeping import place_kept
from services.trigger.domain.model import Decision, Plan, PlanState, Scalar
from services.trigger.domain.programme import Edition, Restraints
from services.trigger.domain.refusals import holding, no_channel, refused_person
from services.trigger.domain.survey import language_for
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered
from shared.windows import choose_slot

Step = Callable[[Plan, Edition, Facts], Decision | None]

OPEN_ENDED = frozenset({Reason.HELD, Reason.PAUSED, Reason.OUTRANKED, Reason.PLACE_KEPT})
"""Waits without a known end; when the moment passes meanwhile, they are why nobody was asked."""


def decide(plan: Plan, edition: Edition, facts: Facts) -> Decision:
    """What becomes of a due plan.

    Requested, deferred until, suppressed or (for a shadow programme) only noted.
    """
    for step in steps_of(edition):
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


def steps_of(edition: Edition) -> tuple[Step, ...]:
    """The steps that may have something to say about plans of a programme, as its rules are."""
    return _steps(edition.programme.restraints)


@cache
def _steps(rules: Restraints) -> tuple[Step, ...]:
    idle: dict[Step, bool] = {
        account_budget: rules.exempt or not rules.budget,
        quarantine: rules.exempt,
        outranked: rules.exempt,
        place_kept: not rules.keeps,
        _best_moment: not rules.learns,
    }
    return tuple(step for step in GATE if not idle.get(step))


def settled(plan: Plan, decision: Decision) -> Plan:
    """A plan after the gate decided about it."""
    outcome = decision.outcome
    if outcome is Outcome.DEFERRED:
        return altered(plan, due_at=decision.until or plan.due_at, waits_for=decision.reason)
    if outcome is Outcome.REQUESTED:
        return altered(plan, state=PlanState.REQUESTED, waits_for=None)
    if outcome is Outcome.CANCELLED:
        return altered(plan, state=PlanState.CANCELLED, reason=decision.reason, waits_for=None)
    return altered(plan, state=PlanState.SUPPRESSED, reason=decision.reason)


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


UNTRIED_GUIDES = "guides advise that hour, and no better one is known yet"
UNTRIED = "no better hour is known yet"


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
    elif not choice.belief.seen.asked:
        inputs["why"] = UNTRIED_GUIDES if choice.slot.guides else UNTRIED
    return deferred(plan, Reason.BEST_MOMENT, choice.at, inputs)


def _window(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    send, place = edition.programme.send, facts.place_of(plan)
    slot = choose_slot(
        facts.now, plan.stale_at, send.rule, place, outside_before_stale=send.outside_before_stale
    )
    if slot is not None and slot.at <= facts.now:
        return None
    inputs: dict[str, Scalar] = {"zone": str(place.zone), "country": place.country}
    if slot is None:
        return of_plan(
            plan, Outcome.SUPPRESSED, Reason.EXPIRED, {**inputs, "window": "not before the moment is over"}
        )
    return deferred(plan, Reason.SEND_WINDOW, slot.at, inputs)


def _wait(plan: Plan, facts: Facts, reason: Reason, inputs: Mapping[str, Scalar]) -> Decision:
    """Wait for something without a known end: until it is released, or the moment is over."""
    if facts.now >= plan.stale_at:
        return of_plan(plan, Outcome.SUPPRESSED, reason, {**inputs, "stale_at": plan.stale_at.isoformat()})
    return deferred(plan, reason, plan.stale_at, inputs)


GATE: tuple[Step, ...] = (
    stopped,
    _person,
    _brake,
    _hold,
    _fresh,
    _channel,
    account_budget,
    quarantine,
    outranked,
    place_kept,
    _best_moment,
    _window,
)
"""The steps in their order; the first that has something to say decides."""
