"""Contacts, accounts, the organisation, and things that happened around them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.model import Instant, LocalText, Part, Payload, Persona, Sealed, Tier
from shared.contracts.topics import Topic


class Consent(StrEnum):
    """What a person said about being asked."""

    UNKNOWN = "unknown"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class ContactChanged(Payload):
    """A contact as the directory knows it now; `person` is a sealed `Person`.

    `merged_into` names the contact that the same person is known as from now on. `renewed` holds when
    somebody who had said no said yes again, by what it is about: `all`, a programme's key, `family:...` or
    `channel:...`. It lifts what was said before it and nothing that was said after it.
    """

    TYPE: ClassVar[str] = "contact.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.DIRECTORY
    AGGREGATE: ClassVar[str] = "contact"

    contact_id: str
    version: int
    external_id: str = ""
    account_id: str | None = None
    person: Sealed = ""
    locale: str = ""
    zone: str = ""
    persona: Persona | None = None
    job_function: str = ""
    consent: Consent = Consent.UNKNOWN
    opted_out: bool = False
    merged_into: str | None = None
    renewed: dict[str, Instant] = Field(default_factory=dict)


class ContactErased(Payload):
    """A contact was erased: the key is destroyed, nothing personal may be kept, nobody asks again."""

    TYPE: ClassVar[str] = "contact.erased.v1"
    TOPIC: ClassVar[Topic] = Topic.DIRECTORY
    AGGREGATE: ClassVar[str] = "contact"

    contact_id: str
    version: int
    account_id: str | None = None
    erased_at: Instant


class AccountChanged(Payload):
    """An account as the directory knows it now; `paused` while an operator's brake is on it.

    `merged_into` names the account that the same company is known as from now on.
    """

    TYPE: ClassVar[str] = "account.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.DIRECTORY
    AGGREGATE: ClassVar[str] = "account"

    account_id: str
    version: int
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
    merged_into: str | None = None


class Brand(Part):
    """How the organisation looks to the people it asks (R43)."""

    name: str
    logo_url: str = ""
    colour: str = "#1f5eff"
    address: str = ""


class Sender(Part):
    """A real person who signs and reads the replies (R51)."""

    name: str
    email: str
    reply_to: str = ""


class OrganisationChanged(Payload):
    """Settings of the organisation that runs this deployment; `paused` while all sending is stopped."""

    TYPE: ClassVar[str] = "organisation.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.DIRECTORY
    AGGREGATE: ClassVar[str] = "organisation"

    version: int
    name: str
    zone: str = "UTC"
    locales: tuple[str, ...] = ("en", "es", "sv")
    brand: Brand
    sender: Sender
    public_url: str
    own_domains: tuple[str, ...] = ()
    privacy_note: LocalText = Field(default_factory=dict)
    paused: bool = False


class ContextKind(StrEnum):
    """What else happened at an account that later explains a score."""

    USAGE = "usage"
    RENEWAL = "renewal"
    CHURN = "churn"
    RELEASE = "release"
    INCIDENT = "incident"
    SUPPORT_TICKET = "support_ticket"
    CHANGE_SHIPPED = "change_shipped"


class ContextRecorded(Payload):
    """Something that is not asked about but explains or confirms a score."""

    TYPE: ClassVar[str] = "context.recorded.v1"
    TOPIC: ClassVar[Topic] = Topic.CONTEXT
    AGGREGATE: ClassVar[str] = "none"

    kind: ContextKind
    at: Instant
    account_id: str | None = None
    contact_id: str | None = None
    product: str = ""
    data: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
