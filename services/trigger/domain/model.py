"""What trigger knows: people, companies, the organisation, plans, asks, holds, brakes, and its decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.timing import country_of
from shared.contracts.directory import Brand, Consent, OrganisationChanged, Sender
from shared.contracts.model import Family, Persona, Tier
from shared.contracts.reasons import Outcome, Reason
from shared.identity import named
from shared.values import Value
from shared.windows import Place

Scalar = str | int | float | bool | None
NAMESPACE = UUID("2b1c2f7e-7c0e-5d0b-9a9b-0d6f6f0f5a11")


_NAMESPACE_BYTES = NAMESPACE.bytes


def identity(*parts: object) -> UUID:
    """The id of a natural key; the same parts always give the same id."""
    return named(_NAMESPACE_BYTES, "\x1f".join(map(str, parts)).encode())


@lru_cache(maxsize=8192)
def account_id(external_id: str) -> UUID:
    """The id of an account by the id that its backend gives it."""
    return identity("account", external_id.strip())


class Reach(StrEnum):
    """Whether an e-mail address is known and well-formed."""

    NONE = "none"
    INVALID = "invalid"
    OK = "ok"


class Contact(Value, frozen=True, kw_only=True):
    """A person as the directory knows them; who they are lies sealed in `person`.

    `digest` is a keyed hash of the unsealed person, to see a change without opening; `email_hash` and
    `domains` are keyed hashes of the address, of its domain and the domain's parents; `known_at` is when the
    newest event happened that told of them. With `merged_into` they are somebody else under a former id.
    `consent`, `opted_out_at` and `opted_out_of` follow from what they said (`domain/consent.py`).
    """

    id: UUID
    version: int = 0
    external_id: str = ""
    account_id: UUID | None = None
    person: str = ""
    digest: str = ""
    locale: str = ""
    zone: str = ""
    persona: Persona | None = None
    job_function: str = ""
    consent: Consent = Consent.UNKNOWN
    email_hash: str = ""
    reach: Reach = Reach.NONE
    domains: tuple[str, ...] = ()
    opted_out_at: datetime | None = None
    opted_out_of: tuple[str, ...] = ()
    bounced_at: datetime | None = None
    erased_at: datetime | None = None
    known_at: datetime | None = None
    merged_into: UUID | None = None
    renewed: tuple[tuple[str, datetime], ...] = ()


class Account(Value, frozen=True, kw_only=True):
    """A customer company as the directory knows it."""

    id: UUID
    version: int = 0
    external_id: str = ""
    name: str = ""
    tier: Tier | None = None
    industry: str = ""
    size: str = ""
    owner: str = ""
    region: str = ""
    annual_value: float | None = None
    acquisition_cost: float | None = None
    phase: str = ""
    started_on: date | None = None
    renewal_on: date | None = None
    paused: bool = False
    known_at: datetime | None = None
    deleted_at: datetime | None = None
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Who runs this deployment."""

    version: int = 0
    name: str
    zone: str = "UTC"
    locales: tuple[str, ...] = ("en", "es", "sv")
    brand: Brand
    sender: Sender
    public_url: str
    own_domains: tuple[str, ...] = ()
    privacy_note: Mapping[str, str] = field(default_factory=dict)

    def announcement(self, *, paused: bool) -> OrganisationChanged:
        """The event that tells the others."""
        return OrganisationChanged(
            version=self.version,
            name=self.name,
            zone=self.zone,
            locales=self.locales,
            brand=self.brand,
            sender=self.sender,
            public_url=self.public_url,
            own_domains=self.own_domains,
            privacy_note=dict(self.privacy_note),
            paused=paused,
        )


class PlanState(StrEnum):
    """Where a plan stands. EXPANDED: its audience was resolved into one plan a person.

    It counts no more itself.
    """

    PENDING = "pending"
    EXPANDED = "expanded"
    REQUESTED = "requested"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


class Moment(Value, frozen=True, kw_only=True):
    """What happened, as far as a survey needs to remember it; `period` counts within a series, from 1."""

    touchpoint: str
    at: datetime
    product: str = ""
    service_type: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    renewal_on: date | None = None
    period: int = 0
    context: Mapping[str, str] = {}


class Plan(Value, frozen=True, kw_only=True):
    """One person (or a yet unresolved audience) to be asked once about one thing.

    Identity = programme × subject × occurrence × contact. `due_at` is when the gate looks at it next,
    `first_due_at` when the programme wanted to ask, `stale_at` the first instant that is too late.
    `waits_for` is why it was deferred. A `shadow` plan was made by a programme in shadow: it is decided about
    like any other, is never sent, and nothing of it counts for anybody else.
    """

    id: UUID
    programme: str
    version: str
    subject: str
    occurrence: int = 1
    contact_id: UUID | None
    account_id: UUID | None
    moment: Moment
    first_due_at: datetime
    due_at: datetime
    stale_at: datetime
    state: PlanState = PlanState.PENDING
    reason: Reason | None = None
    waits_for: Reason | None = None
    priority: int = 50
    event_id: str = ""
    shadow: bool = False


def plan_id(
    programme: str, subject: str, occurrence: int, contact_id: UUID | None, *, shadow: bool = False
) -> UUID:
    """Identity of a plan; whoever was only planned in shadow is still new to the programme that runs."""
    whose = contact_id or "audience"
    return identity("plan", programme, subject, occurrence, whose, *(("shadow",) if shadow else ()))


class AskState(StrEnum):
    """Where a survey stands, from trigger's view.

    RELEASED: it never reached the person and counts for no cap.
    """

    OPEN = "open"
    ANSWERED = "answered"
    RELEASED = "released"
    CANCELLED = "cancelled"


class Ask(Value, frozen=True, kw_only=True):
    """A survey that was requested: the reservation that quarantine and budgets count, and its reminders.

    `answered_at` may be a machine's doing, `heard_at` is when a person answered. `family` is None of what was
    asked beside surveys.
    """

    survey_id: UUID
    plan_id: UUID
    programme: str
    version: str
    family: Family | None
    contact_id: UUID
    account_id: UUID | None
    asked_at: datetime
    closes_at: datetime
    state: AskState = AskState.OPEN
    handed_over_at: datetime | None = None
    answered_at: datetime | None = None
    released_at: datetime | None = None
    closed_at: datetime | None = None
    next_step: int = 1
    next_step_at: datetime | None = None
    waits_for: Reason | None = None
    event_version: int = 1
    snapshot: str = "{}"
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to wait: an incident or unpaid invoice at an account, or an open ticket of a contact."""

    kind: str
    ref: str
    contact_id: UUID | None = None
    account_id: UUID | None = None


class Decision(Value, frozen=True, kw_only=True):
    """One line of the ledger.

    What was decided about whom, why, and from which facts (none of them personal). `shadow`: by a programme
    in shadow, so that nothing came of it.
    """

    outcome: Outcome
    reason: Reason | None = None
    programme: str = ""
    version: str = ""
    plan_id: UUID | None = None
    contact_id: UUID | None = None
    account_id: UUID | None = None
    step: int = 0
    until: datetime | None = None
    inputs: Mapping[str, Scalar] = {}
    shadow: bool = False


def place_of(contact: Contact | None, account: Account | None, organisation: Organisation) -> Place:
    """Where a recipient is: the contact's zone, else the organisation's.

    The country by zone, else the account's region.
    """
    return _place(contact.zone if contact else "", account.region if account else "", organisation.zone)


@lru_cache(maxsize=4096)
def _place(own_zone: str, region: str, fallback: str) -> Place:
    zone = own_zone or fallback
    own = country_of(zone) if own_zone else ""
    ours = country_of(zone, region)
    # The account's region says more about a person's holidays only where both are in one country.
    return Place(ZoneInfo(zone), own if own and ours[:2] != own else ours)


def owner_address(account: Account) -> str:
    """The e-mail address of an account's owner; "" when the owner is not told by one."""
    return account.owner.strip() if "@" in account.owner else ""
