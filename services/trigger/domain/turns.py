"""In which order due plans pass the gate, so that what caps leave goes to whom it should (R59, R63).

The more important first. Among people of one account whom a programme asks: those whom its `coverage` wants,
then whoever was asked longest ago, so that a budget does not always go to the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from services.trigger.domain.audience import Person, turns
from services.trigger.domain.facts import Facts
from services.trigger.domain.model import Plan
from services.trigger.domain.programme import Edition


def in_turn(due: Sequence[Plan], edition_of: Callable[[Plan], Edition], facts: Facts) -> list[Plan]:
    """The plans in the order in which they pass the gate."""
    groups: dict[tuple[str, str, UUID], list[Plan]] = {}
    for plan in due:
        if plan.account_id is not None:
            groups.setdefault((plan.programme, plan.version, plan.account_id), []).append(plan)
    ranks: dict[UUID, int] = {}
    for plans in groups.values():
        if len(plans) > 1:
            ranks |= _ranks(plans, edition_of(plans[0]), facts)
    return sorted(due, key=lambda p: (-p.priority, ranks.get(p.id, 0), p.first_due_at, str(p.id)))


def _ranks(plans: Sequence[Plan], edition: Edition, facts: Facts) -> dict[UUID, int]:
    """The turn of each plan of one programme at one account."""
    people = {contact.id: Person(contact) for plan in plans if (contact := facts.contact_of(plan))}
    asked = {
        p.contact_id: asks[-1].asked_at for p in plans if p.contact_id and (asks := facts.asked_of_contact(p))
    }
    ordered, _ = turns(edition.programme.audience, list(people.values()), asked)
    place = {person.contact.id: number for number, person in enumerate(ordered)}
    return {plan.id: place.get(plan.contact_id, 0) for plan in plans if plan.contact_id}
