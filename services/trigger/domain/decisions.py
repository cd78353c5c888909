"""Lines of the ledger, as planning and the gate write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from uuid import UUID

from services.trigger.domain.audience import No, Person
from services.trigger.domain.model import Account, Ask, Contact, Decision, Moment, Plan, Scalar
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import Value, altered

_CONTEXT_KEYS, _CONTEXT_CHARS = 20, 200
INVITED, DOUBTFUL = "invitation", "uncertain"
"""Inputs of a line about an invitation to take part in a fix: its message; nobody knows whether it went."""


class Occurrence(Value, frozen=True, dict=True, gc=True):
    """A touchpoint with what the directory knows around it, after the event's own news."""

    type: str
    event_id: str
    touchpoint: Touchpoint
    account: Account | None
    people: tuple[Person, ...] = ()

    @cached_property
    def moment(self) -> Moment:
        """What a survey remembers of it, the same for all plans that it makes."""
        told = self.touchpoint
        return Moment(
            touchpoint=self.type,
            at=told.occurred_at,
            product=told.product,
            service_type=told.service_type,
            subject_kind=told.subject.kind if told.subject else "",
            subject_id=told.subject.id if told.subject else "",
            renewal_on=told.renewal_on,
            context=context_of(told),
        )


def context_of(touchpoint: Touchpoint) -> dict[str, str]:
    """What of the free context a survey carries along; what looks like an address stays behind."""
    if not touchpoint.context:
        return {}
    pairs = ((key, "" if value is None else str(value)) for key, value in touchpoint.context.items())
    kept = [(k, v[:_CONTEXT_CHARS]) for k, v in pairs if v and "@" not in v]
    return dict(kept[:_CONTEXT_KEYS])


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


def deferred(plan: Plan, reason: Reason, until: datetime, inputs: Mapping[str, Scalar]) -> Decision:
    """A line about a plan that is looked at again at a moment."""
    return of_plan(plan, Outcome.DEFERRED, reason, inputs, until)


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


def of_recall(ask: Ask, reason: Reason) -> Decision | None:
    """A line about a survey that is called off: taken back unsent, or nobody is reminded of it any more.

    None where it was sent and no reminder was ahead.
    """
    if ask.handed_over_at and not ask.next_step_at:
        return None
    line = of_ask(ask, Outcome.CANCELLED, reason, {})
    return line if ask.handed_over_at else altered(line, step=0)


def of_event(
    event: Occurrence, outcome: Outcome, reason: Reason, inputs: Mapping[str, Scalar]
) -> list[Decision]:
    """Lines about an event that no programme wants: one for each of its people, so that all find it."""
    account = event.account.id if event.account else None
    people: list[UUID | None] = [person.contact.id for person in event.people]
    return [
        Decision(
            outcome=outcome,
            reason=reason,
            contact_id=contact,
            account_id=account,
            inputs={"touchpoint": event.type, **inputs},
        )
        for contact in people or [None]
    ]


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


def of_invitation(
    message_id: UUID,
    contact: UUID,
    account: UUID | None,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    doubtful: bool = False,
) -> Decision:
    """A line about an invitation to take part in a fix: others decide on it, it keeps surveys back (R94)."""
    return Decision(
        outcome=outcome,
        reason=reason,
        contact_id=contact,
        account_id=account,
        inputs={INVITED: str(message_id), **({DOUBTFUL: True} if doubtful else {})},
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
