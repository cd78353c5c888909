"""How often people and companies are asked: an account's budget, a person's quarantines (R52, R53)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.trigger.domain.decisions import deferred, of_plan
from services.trigger.domain.facts import Facts, since
from services.trigger.domain.model import Ask, Decision, Plan, Scalar
from services.trigger.domain.programme import AccountBudget, Edition
from services.trigger.domain.timing import Span, end_of
from shared.contracts.reasons import Outcome, Reason


def account_budget(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """A company is asked no more than its budget allows; whoever is one too many waits for a place."""
    rules = edition.programme.quarantine
    if rules.account is None or rules.exempt or plan.account_id is None:
        return None
    span = rules.account.per
    theirs = since(facts.asked_of_account(plan), span, facts.now)
    if len(theirs) < rules.account.max:
        return None
    ends = [end for end, _ in taken_places(plan, rules.account, facts)]
    if len(ends) < rules.account.max:
        return None
    inputs: dict[str, Scalar] = {"max": rules.account.max, "per": span.text, "asked": len(ends)}
    # A place becomes free when so many of the oldest asks have left the span that one below the maximum
    # remain.
    return _until(plan, Reason.ACCOUNT_BUDGET, sorted(ends)[len(ends) - rules.account.max], inputs)


def taken_places(plan: Plan, budget: AccountBudget, facts: Facts) -> list[tuple[datetime, Ask]]:
    """The places of an account's budget that are taken, each with when it is free again."""
    zone = facts.place_of(plan).zone
    asks = since(facts.asked_of_account(plan), budget.per, facts.now)
    ends = ((end_of(ask.asked_at, budget.per, zone), ask) for ask in asks)
    return [(end, ask) for end, ask in ends if end > facts.now]


def quarantine(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """A person is left alone for a while after each question, and for longer by questions of one family."""
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
        for ask in since(theirs, span, facts.now):
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


def _until(plan: Plan, reason: Reason, end: datetime, inputs: Mapping[str, Scalar]) -> Decision:
    """Wait for something with a known end; beyond the moment there is nothing to wait for."""
    if end >= plan.stale_at:
        facts = {**inputs, "free_at": end.isoformat(), "stale_at": plan.stale_at.isoformat()}
        return of_plan(plan, Outcome.SUPPRESSED, reason, facts)
    return deferred(plan, reason, end, inputs)
