"""Lines of the ledger, as planning and the gate write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.trigger.domain.audience import No, Person
from services.trigger.domain.model import Account, Ask, Contact, Decision, Plan, Scalar
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A touchpoint with what the directory knows around it, after the event's own news."""

    type: str
    event_id: str
    touchpoint: Touchpoint
    account: Account | None
    people: tuple[Person, ...] = ()


def of_plan(
    plan: Plan,
    outcome: Outcome,
    reason: Reason | None,
    inputs: Mapping[str, Scalar],
    until: datetime | None = None,
) -> Decision:
    """A line about a plan."""
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
        shadow=plan.shadow,
    )


def of_ask(
    ask: Ask,
    outcome: Outcome,
    reason: Reason | None,
    inputs: Mapping[str, Scalar],
    until: datetime | None = None,
) -> Decision:
    """A line about a step of a survey that was asked."""
    return Decision(
        outcome=outcome,
        reason=reason,
        programme=ask.programme,
        version=ask.version,
        plan_id=ask.plan_id,
        contact_id=ask.contact_id,
        account_id=ask.account_id,
        step=ask.next_step,
        until=until,
        inputs=inputs,
    )


def of_event(event: Occurrence, outcome: Outcome, reason: Reason, inputs: Mapping[str, Scalar]) -> Decision:
    """A line about an event that no programme wants."""
    contact = event.people[0].contact.id if event.people else None
    account = event.account.id if event.account else None
    return Decision(
        outcome=outcome,
        reason=reason,
        contact_id=contact,
        account_id=account,
        inputs={"touchpoint": event.type, **inputs},
    )


def of_programme(event: Occurrence, edition: Edition, contact: Contact | None, refusal: No) -> Decision:
    """A line about a programme that wants the event, but not this one or not this person."""
    return Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=refusal.reason,
        programme=edition.key,
        version=edition.version,
        contact_id=contact.id if contact else None,
        account_id=event.account.id if event.account else None,
        inputs={"touchpoint": event.type, **refusal.inputs},
        shadow=edition.shadow,
    )


def of_person(parent: Plan, contact: Contact, refusal: No) -> Decision:
    """A line about somebody who is left out when an audience is resolved."""
    return Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=refusal.reason,
        programme=parent.programme,
        version=parent.version,
        contact_id=contact.id,
        account_id=parent.account_id or contact.account_id,
        inputs={"touchpoint": parent.moment.touchpoint, **refusal.inputs},
        shadow=parent.shadow,
    )
