"""What a touchpoint tells about people and companies, folded into what is already known.

The newest event wins field by field; an older one only fills what is empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from services.trigger.domain.consent import ALL, Said
from services.trigger.domain.model import Account, Contact, Reach
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact
from shared.values import altered

T = TypeVar("T")

_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*\Z")
_LONGEST_LOCAL = 64
_PLAIN_LENGTH = 200
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_PHONE = re.compile(r"\+?[\d\s()./-]{5,40}((ext|x|#)\.?\s*\d{1,6})?", re.IGNORECASE)
_FEWEST_DIGITS, _MOST_DIGITS = 5, 21
"""Longer ones go the long way: limits of the whole address are not in the short one."""

MAX_OWNER = 320
DELETES = "contact.deleted"
_told_of_contact = attrgetter(*(name for name in Contact.__struct_fields__ if name != "known_at"))
_told_of_account = attrgetter(*(name for name in Account.__struct_fields__ if name != "known_at"))


@dataclass(frozen=True, slots=True)
class Known:
    """A person's sealed facts, with what is computed from the unsealed ones outside the domain."""

    sealed: str
    digest: str
    email_hash: str
    reach: Reach
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What one event tells of one person; `person` holds name and addresses in clear."""

    contact: TouchpointContact
    person: Person
    at: datetime


def merge_account(account: Account, touchpoint: Touchpoint) -> Account:
    """The account after an event that names it; one that was deleted comes back with newer news alone."""
    if account.deleted_at and touchpoint.occurred_at <= account.deleted_at:
        return account
    told = touchpoint.company or TouchpointAccount(id=account.external_id)
    fresh = account.known_at is None or touchpoint.occurred_at >= account.known_at
    return altered(
        account,
        external_id=account.external_id or told.id,
        name=_pick(told.name, account.name, fresh=fresh),
        tier=_pick(told.tier, account.tier, fresh=fresh),
        industry=_pick(told.industry, account.industry, fresh=fresh),
        size=_pick(told.size, account.size, fresh=fresh),
        owner=_pick(owner_in(told.owner), account.owner, fresh=fresh),
        region=_pick(told.region, account.region, fresh=fresh),
        annual_value=_pick(told.annual_value, account.annual_value, fresh=fresh),
        acquisition_cost=_pick(told.acquisition_cost, account.acquisition_cost, fresh=fresh),
        phase=_pick(told.phase, account.phase, fresh=fresh),
        started_on=_pick(told.started_on, account.started_on, fresh=fresh),
        renewal_on=_pick(touchpoint.renewal_on, account.renewal_on, fresh=fresh),
        known_at=_later(account.known_at, touchpoint.occurred_at),
        deleted_at=None,
    )


def owner_in(text: str) -> str:
    """An account's owner as a source names them, on one line and no longer than an address may be.

    Whoever it names no address of still counts in reports; only cases and mails find nobody by it.
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())[:MAX_OWNER]


def merge_contact(contact: Contact, told: Told, account_id: UUID | None) -> Contact:
    """The contact after an event that names it, all but the person's sealed facts and their consent."""
    if contact.erased_at:
        return contact
    event = told.contact
    fresh = contact.known_at is None or told.at >= contact.known_at
    return altered(
        contact,
        external_id=contact.external_id or event.id,
        account_id=_pick(account_id, contact.account_id, fresh=fresh),
        locale=_pick(event.locale.strip().replace("_", "-")[:35], contact.locale, fresh=fresh),
        zone=_pick(event.zone if is_zone(event.zone) else "", contact.zone, fresh=fresh),
        persona=_pick(event.persona, contact.persona, fresh=fresh),
        job_function=_pick(event.job_function, contact.job_function, fresh=fresh),
        known_at=_later(contact.known_at, told.at),
    )


def merge_person(old: Person, told: Person, *, fresh: bool) -> Person:
    """A person after an event: what it leaves out stays as it was.

    An older event only fills what is empty.
    """
    if not (old.name or old.email or old.phone):
        return told
    return Person(
        name=_pick(told.name, old.name, fresh=fresh),
        email=_pick(told.email, old.email, fresh=fresh),
        phone=_pick(told.phone, old.phone, fresh=fresh),
    )


def with_known(contact: Contact, known: Known) -> Contact:
    """The contact with newly sealed facts; an address that came back is forgotten when it changed."""
    return altered(
        contact,
        person=known.sealed,
        digest=known.digest,
        email_hash=known.email_hash,
        reach=known.reach,
        domains=known.domains,
        bounced_at=contact.bounced_at if known.email_hash == contact.email_hash else None,
    )


def bumped_contact(before: Contact, after: Contact) -> Contact | None:
    """The contact under its next version; None when nothing changed that others are told."""
    if before.version and _told_of_contact(after) == _told_of_contact(before):
        return None
    return altered(after, version=before.version + 1)


def bumped_account(before: Account, after: Account) -> Account | None:
    """The account under its next version; None when nothing changed that others are told."""
    if before.version and _told_of_account(after) == _told_of_account(before):
        return None
    return altered(after, version=before.version + 1)


def reach_of(email: str) -> tuple[Reach, str]:
    """Whether an address can be right, and its domain in lower case."""
    if not email.strip():
        return Reach.NONE, ""
    local, _, domain = email.strip().rpartition("@")
    # Most addresses are plain: their domain alone needs the whole check, and it comes again and again.
    plain = _PLAIN_LOCAL.match(local) and len(local) <= _LONGEST_LOCAL and len(email) <= _PLAIN_LENGTH
    found = _domain_of(domain) if plain else _checked(email.strip())
    return (Reach.OK, found) if found else (Reach.INVALID, "")


@lru_cache(maxsize=8192)
def _domain_of(domain: str) -> str:
    return _checked(f"somebody@{domain}")


def _checked(email: str) -> str:
    """The domain of an address in lower-case ASCII; "" when the address cannot be right."""
    try:
        found = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return ""
    return found.ascii_domain.lower()


def parents_of(domain: str) -> tuple[str, ...]:
    """A domain and all above it: an address of a sub-domain belongs to the company too."""
    labels = domain.split(".") if domain else []
    return tuple(".".join(labels[index:]) for index in range(max(len(labels) - 1, min(len(labels), 1))))


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether a time zone is one the calendar knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def is_locale(text: str) -> bool:
    """Whether a text can be a language tag, perhaps with a country: sv, sv-SE, pt_BR."""
    return bool(_LOCALE.fullmatch(text))


def is_phone(text: str) -> bool:
    """Whether a text can be a phone number, however it is spaced; what a spreadsheet makes of one is none."""
    digits = sum(letter.isdigit() for letter in text)
    return bool(_PHONE.fullmatch(text)) and _FEWEST_DIGITS <= digits <= _MOST_DIGITS


def erased(contact: Contact, at: datetime) -> Contact:
    """All that may remain of a person: that nobody asks again."""
    return Contact(
        id=contact.id,
        version=contact.version + 1,
        account_id=contact.account_id,
        erased_at=at,
        known_at=contact.known_at,
    )


def deleted(account: Account, at: datetime) -> Account:
    """All that remains of an account that was deleted: its id, so that it can come back."""
    return Account(
        id=account.id,
        version=account.version + 1,
        external_id=account.external_id,
        known_at=at,
        deleted_at=at,
    )


def said_in(told: Told, source: str, event_id: str) -> Said | None:
    """What an event tells of somebody's consent; None when it tells nothing."""
    given = told.contact.consent
    if given is None:
        return None
    own = told.contact.consent_at
    at = min(own, told.at) if own else told.at
    return Said(ALL, given, at, source, firm=own is not None, event_id=event_id)


def contact_changed(contact: Contact) -> ContactChanged:
    """The event that tells the others about a contact."""
    return ContactChanged(
        contact_id=str(contact.id),
        version=contact.version,
        external_id=contact.external_id,
        account_id=str(contact.account_id) if contact.account_id else None,
        person=contact.person,
        locale=contact.locale,
        zone=contact.zone,
        persona=contact.persona,
        job_function=contact.job_function,
        consent=contact.consent,
        opted_out=contact.opted_out_at is not None,
        merged_into=str(contact.merged_into) if contact.merged_into else None,
        renewed=dict(contact.renewed),
    )


def contact_erased(contact: Contact) -> ContactErased:
    """The event that tells the others that nothing personal may be kept."""
    assert contact.erased_at is not None  # noqa: S101 - called for erased contacts alone
    return ContactErased(
        contact_id=str(contact.id),
        version=contact.version,
        account_id=str(contact.account_id) if contact.account_id else None,
        erased_at=contact.erased_at,
    )


def account_changed(account: Account) -> AccountChanged:
    """The event that tells the others about an account."""
    return AccountChanged(
        account_id=str(account.id),
        version=account.version,
        external_id=account.external_id,
        name=account.name,
        tier=account.tier,
        industry=account.industry,
        size=account.size,
        owner=account.owner,
        region=account.region,
        annual_value=account.annual_value,
        acquisition_cost=account.acquisition_cost,
        phase=account.phase,
        started_on=account.started_on,
        renewal_on=account.renewal_on,
        paused=account.paused,
        merged_into=str(account.merged_into) if account.merged_into else None,
    )


def _pick(new: T, old: T, *, fresh: bool) -> T:
    """The event's value when it has one and is newer, or when nothing was known."""
    return new if new not in (None, "") and (fresh or old in (None, "")) else old


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
