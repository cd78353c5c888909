"""What happened at a customer. Types are open: any event on the topic is a touchpoint named by its type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from shared.contracts.model import Instant, Part, Payload, Persona, Tier
from shared.contracts.topics import Topic

CASE_RESOLVED = "case.resolved"
CASE_REOPENED = "case.reopened"
"""What trigger itself tells of tickets: a case was resolved, or is open again."""

PRESET_TOUCHPOINTS: tuple[str, ...] = (
    "customer.signed_up", "customer.onboarded", "implementation.completed", "integration.completed",
    "purchase.completed", "deal.closed", "order.shipped", "order.delivered", "tracking.viewed",
    "support_ticket.opened", "support_ticket.resolved", "support_ticket.reopened", "support.contacted",
    "claim.resolved", "incident.opened", "incident.resolved", "feature.released", "feature.first_used",
    "product.used", "usage.reported", "transaction.completed", "billing_cycle.closed", "project.started",
    "project.completed", "service.completed", "contract.signed", "contract.renewal_date_set",
    "contract.renewed", "contract.ended", "account.churned", "change.shipped", "contact.updated",
    "contact.deleted", "account.updated", "invoice.overdue", "invoice.paid", "invoice.written_off",
    "ask.requested", CASE_RESOLVED, CASE_REOPENED,
)  # fmt: skip
"""Touchpoints that have presets or a built-in meaning; others may be named by programmes freely."""


FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
"""Days that can be reckoned with. Systems write 9999-12-31 for what never ends, 0001-01-01 for no day."""


def _within_reason(day: date | None) -> date | None:
    return day if day is None else min(max(day, FIRST_DAY), LAST_DAY)


def _since_then(at: datetime) -> datetime:
    return max(at, FIRST_INSTANT)


FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
Moment = Annotated[Instant, AfterValidator(_since_then)]
"""When something happened; what comes from before is of the first moment that can be reckoned with."""

Day = Annotated[date | None, AfterValidator(_within_reason)]
"""A day, if it is told; one beyond those that can be reckoned with is the nearest of them."""


class TouchpointContact(Part):
    """A person in a touchpoint: in clear from a backend, as a sealed reference from our own intake.

    `id` is the backend's id. `consent_at` is when `consent` was said; a yes without it lifts no earlier no.
    `ref` is the directory's contact id; with it, name, e-mail and phone are in
    `sealed`.
    """

    id: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    locale: str = ""
    zone: str = ""
    persona: Persona | None = None
    job_function: str = ""
    role: str = ""
    consent: bool | None = None
    consent_at: Instant | None = None
    ref: str = ""
    sealed: str = ""


class TouchpointAccount(Part):
    """The customer company in a touchpoint, as far as the backend knows it."""

    id: str = Field(min_length=1, max_length=200)
    name: str = ""
    tier: Tier | None = None
    industry: str = ""
    size: str = ""
    owner: str = ""
    region: str = ""
    annual_value: float | None = None
    acquisition_cost: float | None = None
    phase: str = ""
    started_on: Day = None


class Subject(Part):
    """The thing a touchpoint is about: a ticket, an order, a project, a contract."""

    kind: str = Field(min_length=1, max_length=60)
    id: str = Field(min_length=1, max_length=200)


class Touchpoint(Payload):
    """Something happened at a customer; trigger decides whether to ask somebody about it.

    `accounts` are named by `account.merged` alone: the first company that it names stays.
    """

    TYPE: ClassVar[str] = "touchpoint"
    TOPIC: ClassVar[Topic] = Topic.TOUCHPOINTS
    AGGREGATE: ClassVar[str] = "none"

    occurred_at: Moment
    contact: TouchpointContact | None = None
    contacts: tuple[TouchpointContact, ...] = ()
    account: TouchpointAccount | None = None
    accounts: tuple[TouchpointAccount, ...] = ()
    product: str = ""
    service_type: str = ""
    subject: Subject | None = None
    renewal_on: Day = None
    context: dict[str, str | int | float | bool | None] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_somebody(self) -> Touchpoint:
        if not (self.contact or self.account or self.product or self.contacts or self.accounts):
            msg = "at least one of contact, contacts, account, accounts or product is needed"
            raise ValueError(msg)
        return self

    @property
    def people(self) -> tuple[TouchpointContact, ...]:
        """Everyone named in the event, in its order."""
        return ((self.contact,) if self.contact else ()) + self.contacts

    @property
    def companies(self) -> tuple[TouchpointAccount, ...]:
        """Every company named in the event, in its order."""
        return ((self.account,) if self.account else ()) + self.accounts

    @property
    def company(self) -> TouchpointAccount | None:
        """The company at which it happened; of several that are merged the one that stays."""
        return self.account or next(iter(self.accounts), None)
