"""What comes due in a backtest is decided by the gate of the service, and entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.trigger.domain.backtest.ahead import awaited, rivals
from services.trigger.domain.backtest.state import State
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.expanding import Crowd, expand
from services.trigger.domain.gate import decide, settled
from services.trigger.domain.keeping import serves
from services.trigger.domain.model import Ask, Decision, Plan, PlanState, place_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.reminder_gate import decide_reminder
from services.trigger.domain.reminding import after_reminder, reminder_at
from services.trigger.domain.series import following, leads
from services.trigger.domain.survey import reservation
from services.trigger.domain.timing import add_span
from services.trigger.domain.turns import in_turn
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

_FALLEN = frozenset({PlanState.SUPPRESSED, PlanState.CANCELLED})


@dataclass(slots=True)
class _Round:
    """What one round decides, before it is entered."""

    settled: list[Plan] = field(default_factory=list)
    fresh: list[Plan] = field(default_factory=list)
    said: list[Decision] = field(default_factory=list)
    served: set[UUID | None] = field(default_factory=set)


def all_that_is_due(state: State) -> None:
    """Everything that is due now, until nothing is."""
    while _due_plans(state) or _due_reminders(state):
        pass


def _due_plans(state: State) -> bool:
    due = state.diary.due_plans(state.facts.now)
    if not due:
        return False
    done = _Round()
    persons: list[Plan] = []
    for plan in due:
        if plan.contact_id is None:
            _expand(state, plan, done)
        else:
            persons.append(plan)
    if persons:
        _pass(state, persons, done)
    for plan in due:
        if plan.programme in state.series and leads(plan, state.editions[plan.programme]):
            _go_on(state, plan, done)
    _enter(state, done)
    return True


def _expand(state: State, parent: Plan, done: _Round) -> None:
    """Resolve an audience into one plan a person."""
    edition, facts = state.editions[parent.programme], state.facts
    people = state.parties.crowd(parent, edition, state.people, facts.now)
    crowd = Crowd(people, state.people.accounts, state.last_asked)
    children = 0
    for plan, decision in expand(parent, edition, crowd, state.organisation, facts.now):
        done.said.append(decision)
        if plan is not None:
            done.fresh.append(plan)
            children += 1
    if children:
        done.settled.append(altered(parent, state=PlanState.EXPANDED))
        return
    if parent.programme in state.catalogue.keeping:
        done.served.add(parent.account_id)
    reason = Reason.NOT_IN_AUDIENCE
    done.settled.append(altered(parent, state=PlanState.SUPPRESSED, reason=reason))
    nobody = {"why": "nobody of the account is in the audience"}
    done.said.append(of_plan(parent, Outcome.SUPPRESSED, reason, nobody))


def _pass(state: State, due: Sequence[Plan], done: _Round) -> None:
    """Pass plans through the gate, the most important first, so that they take what caps leave."""
    facts = state.facts
    facts.rivals = rivals(state, due)
    facts.awaited = awaited(state, due) if state.catalogue.keeping else {}
    ordered = in_turn(due, state.edition_of, facts) if len(due) > 1 else due
    for plan in ordered:
        edition = state.editions[plan.programme]
        facts.holds = state.parties.holds_on(plan.account_id)
        decision = decide(plan, edition, facts)
        done.said.append(decision)
        after = settled(plan, decision)
        done.settled.append(after)
        if facts.awaited and serves(after, edition, facts):
            done.served.add(after.account_id)
        if decision.outcome is Outcome.REQUESTED:
            _ask(state, plan, edition)
        elif decision.outcome is Outcome.SHADOW:
            facts.passed(reservation(plan, edition, facts.now, facts.now), plan)
        if facts.awaited:
            facts.decided(after)


def _ask(state: State, plan: Plan, edition: Edition) -> None:
    """Reserve a survey's place, and enter its first reminder."""
    facts = state.facts
    assert plan.contact_id is not None  # noqa: S101 - only people pass the gate
    contact = state.people.contacts[plan.contact_id]
    zone = place_of(contact, facts.account_of(plan), state.organisation).zone
    closes_at = add_span(facts.now, edition.programme.send.open_for, zone)
    placed = reservation(plan, edition, facts.now, closes_at)
    reminder = reminder_at(placed, edition, contact, state.organisation)
    ask = altered(placed, handed_over_at=facts.now, next_step_at=reminder)
    facts.passed(ask, plan)
    state.last_asked[plan.contact_id] = facts.now
    state.diary.remind(ask)


def _go_on(state: State, plan: Plan, done: _Round) -> None:
    """The next plan of a series whose plan came due."""
    contact = state.people.contacts.get(plan.contact_id) if plan.contact_id else None
    account = state.people.accounts.get(plan.account_id) if plan.account_id else None
    ahead = following(plan, state.editions[plan.programme], contact, account, state.world())
    if ahead:
        facts = {"due_at": ahead.due_at.isoformat(), "touchpoint": ahead.moment.touchpoint}
        done.fresh.append(ahead)
        done.said.append(of_plan(ahead, Outcome.PLANNED, None, facts, until=ahead.due_at))


def _enter(state: State, done: _Round) -> None:
    diary, note, now = state.diary, state.note, state.facts.now
    known = {plan.id for plan in done.fresh if plan.id in diary.book.plans} if done.fresh else ()
    if done.served:
        state.give_places_back(done.served)
    for plan in done.settled:
        diary.put(plan)
    for plan in done.fresh:
        if plan.id not in known:
            diary.put(plan)
    for decision in done.said:
        if not known or decision.plan_id not in known:
            note(now, decision)
    fallen = [plan for plan in done.settled if plan.state in _FALLEN]
    if fallen:
        state.wake_outranked(fallen)


def _due_reminders(state: State) -> bool:
    facts = state.facts
    due = state.diary.due_reminders(facts.now)
    for ask in due:
        if ask.closes_at < facts.now:
            state.diary.close(ask.survey_id)  # its time was over before this reminder came due
            continue
        _remind(state, ask)
    return bool(due)


def _remind(state: State, ask: Ask) -> None:
    edition, facts = state.editions[ask.programme], state.facts
    facts.holds = state.parties.holds_on(ask.account_id)
    decision = decide_reminder(ask, edition, facts)
    contact = state.people.contacts[ask.contact_id]
    state.note(facts.now, decision)
    state.diary.remind(after_reminder(ask, decision, edition, contact, state.organisation))
