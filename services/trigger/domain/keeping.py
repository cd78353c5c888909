"""Whether a place of an account's budget is kept for somebody whom `coverage` still wants (R59, R62)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.trigger.domain.caps import quarantine, taken_places
from services.trigger.domain.decisions import deferred
from services.trigger.domain.facts import Facts, since
from services.trigger.domain.model import Ask, Decision, Plan, PlanState, Scalar
from services.trigger.domain.places import LOOK_AGAIN, Awaited, keeps, lacking
from services.trigger.domain.programme import Edition
from services.trigger.domain.refusals import no_channel, refused_person
from services.trigger.domain.timing import end_of
from shared.contracts.model import Persona
from shared.contracts.reasons import Outcome, Reason


def place_kept(plan: Plan, edition: Edition, facts: Facts) -> Decision | None:
    """Asking now would leave no place for the persona that is still missing: one is kept for them (R59)."""
    crew, budget = facts.crew_of(plan), edition.programme.quarantine.account
    contact = facts.contact_of(plan)
    if not crew or budget is None or contact is None or edition.programme.quarantine.exempt:
        return None
    taken = taken_places(plan, budget, facts)
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
    return deferred(plan, Reason.PLACE_KEPT, until, inputs)


def _lacking(
    plan: Plan, edition: Edition, taken: Sequence[tuple[datetime, Ask]], facts: Facts
) -> dict[Persona, int]:
    """Whom `coverage` still wants at an account, after those whom the programme asked within its budget."""
    asked = (facts.current(ask.contact_id) for _, ask in taken if ask.programme == plan.programme)
    people = {contact.id: contact for contact in asked if contact}
    return lacking(edition.programme.audience.coverage, people.values())


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
    later = quarantine(other, edition, facts)
    due_at = max(other.due_at, facts.now, later.until if later and later.until else facts.now)
    over = later is not None and later.outcome is Outcome.SUPPRESSED
    # What waits until its moment is over waits for something without a known end, as an open case.
    return None if over or due_at >= other.stale_at else Awaited(due_at, contact.id, contact.persona)


def crowded(plan: Plan, edition: Edition, facts: Facts, due: int) -> bool:
    """Whether a place may have to be kept: the budget does not hold all who are due and all who are wanted.

    `due`: how many plans of the account are decided about at once. Where it is not crowded, nothing more has
    to be known.
    """
    rules = edition.programme
    budget = rules.quarantine.account
    if budget is None or plan.account_id is None or not rules.keeps_places:
        return False
    asked = len(since(facts.asked_of_account(plan), budget.per, facts.now))
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
    return contact.persona in _lacking(plan, edition, taken_places(plan, budget, facts), facts)
