"""What a touchpoint tells about people and companies, folded into what is already known.

The newest event wins field by field; an older one only fills what is empty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from services.trigger.domain.model import Account, Contact, Reach
from shared.contracts.directory import Consent
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact

T = TypeVar("T")

DELETES = "contact.deleted"


@dataclass(frozen=True, slots=True)
class Known:
    """A contact's unsealed facts as one event gives them, with what must be computed outside the domain."""

    person: Person
    sealed: str
    digest: str
    email_hash: str
    reach: Reach
    domains: tuple[str, ...]


def merge_account(account: Account, touchpoint: Touchpoint) -> Account:
    """The account after an event that names it; the same object when nothing changed."""
    told = touchpoint.account or TouchpointAccount(id=account.external_id)
    fresh = account.known_at is None or touchpoint.occurred_at >= account.known_at

    def pick(new: T, old: T) -> T:
        """The event's value when it has one and is newer, or when nothing was known."""
        return new if new not in (None, "") and (fresh or old in (None, "")) else old

    merged = replace(
        account,
        external_id=account.external_id or told.id,
        name=pick(told.name, account.name),
        tier=pick(told.tier, account.tier),
        industry=pick(told.industry, account.industry),
        size=pick(told.size, account.size),
        owner=pick(told.owner, account.owner),
        region=pick(told.region, account.region),
        annual_value=pick(told.annual_value, account.annual_value),
        phase=pick(told.phase, account.phase),
        started_on=pick(told.started_on, account.started_on),
        renewal_on=pick(touchpoint.renewal_on, account.renewal_on),
    )
    if merged == account and account.version:
        return replace(account, known_at=_later(account.known_at, touchpoint.occurred_at))
    return replace(merged, version=account.version + 1, known_at=_later(account.known_at, touchpoint.occurred_at))


def merge_contact(contact: Contact, told: TouchpointContact, known: Known, at: datetime, account: Account | None) -> Contact:
    """The contact after an event that names it; the version rises only when something changed."""
    if contact.erased_at:
        return contact
    fresh = contact.known_at is None or at >= contact.known_at

    def pick(new: T, old: T) -> T:
        """The event's value when it has one and is newer, or when nothing was known."""
        return new if new not in (None, "") and (fresh or old in (None, "")) else old

    merged = replace(
        contact,
        external_id=contact.external_id or told.id,
        account_id=pick(account.id if account else None, contact.account_id),
        locale=pick(_tag(told.locale), contact.locale),
        zone=pick(told.zone if is_zone(told.zone) else "", contact.zone),
        persona=pick(told.persona, contact.persona),
        job_function=pick(told.job_function, contact.job_function),
        consent=pick(_consent(told.consent), contact.consent),
    )
    if known.sealed and known.digest != contact.digest and (fresh or not contact.person):
        merged = replace(
            merged,
            person=known.sealed,
            digest=known.digest,
            email_hash=known.email_hash,
            reach=known.reach,
            domains=known.domains,
            bounced_at=contact.bounced_at if known.email_hash == contact.email_hash else None,
        )
    version = contact.version + (merged != contact or not contact.version)
    return replace(merged, version=version, known_at=_later(contact.known_at, at))


def complete(old: Person, new: TouchpointContact | Person) -> Person:
    """A person after an event: what it leaves out stays as it was."""
    return Person(name=new.name or old.name, email=new.email or old.email, phone=new.phone or old.phone)


def is_zone(name: str) -> bool:
    """Whether a time zone is one the calendar knows."""
    if not name or name.startswith(("/", ".")) or ".." in name:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _tag(locale: str) -> str:
    return locale.strip().replace("_", "-")[:35]


def _consent(told: bool | None) -> Consent | None:  # noqa: FBT001 - a backend's yes, no or silence
    return None if told is None else (Consent.GIVEN if told else Consent.WITHDRAWN)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
