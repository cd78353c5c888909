"""Who is meant in an event: people are found again by marks, keyed hashes of what a backend tells of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain.directory import Known, parents_of, reach_of
from shared.contracts.model import Person
from shared.contracts.touchpoints import TouchpointContact
from shared.errors import Unprocessable
from shared.people import contact_of_address

Blind = Callable[[str, str], str]
"""A keyed hash of a value for a purpose."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody an event names: the event's own words, and name and addresses in clear."""

    told: TouchpointContact
    person: Person


def in_clear(told: TouchpointContact) -> Person:
    """What an event says openly of a person."""
    return Person(name=told.name.strip()[:200], email=told.email.strip()[:320], phone=told.phone.strip()[:40])


def marks_of(blind: Blind, named: Named) -> dict[str, str]:
    """Marks of a person by what they are made of, strongest first."""
    marks = {"contact-id": named.told.id, "email": named.person.email, "phone": named.person.phone}
    return {purpose: blind(purpose, value) for purpose, value in marks.items() if value.strip()}


def assign(
    named: Sequence[Named], marks: Sequence[Mapping[str, str]], known: Mapping[str, UUID]
) -> dict[str, UUID]:
    """New marks and whose they are, in the order of the events.

    New people get an id derived from their mark, the address before all others, so that two events that come
    in at once mean the same person.
    """
    fresh: dict[str, UUID] = {}
    for one, own in zip(named, marks, strict=True):
        contact_id = who(one, own, fresh, known)
        if contact_id is None and own:
            contact_id = contact_of_address(own.get("email") or next(iter(own.values())))
        if contact_id is not None:
            told = [mark for mark in own.values() if mark not in fresh and mark not in known]
            fresh.update(dict.fromkeys(told, contact_id))
    return fresh


def who(named: Named, marks: Mapping[str, str], *known: Mapping[str, UUID]) -> UUID | None:
    """Whose the marks are; the strongest that is known decides. None = nobody is known by them.

    Raises:
        Unprocessable: The event refers to a contact by something that is no id.
    """
    if named.told.ref:
        try:
            return UUID(named.told.ref)
        except ValueError as error:
            raise Unprocessable("contact.ref: not a contact id") from error
    return next((whose[mark] for mark in marks.values() for whose in known if mark in whose), None)


def known_of(blind: Blind, person: Person, sealed: str) -> Known:
    """The open side of a sealed person."""
    reach, domain = reach_of(person.email)
    return Known(
        sealed=sealed,
        digest=digest_of(blind, person),
        email_hash=blind("email", person.email) if person.email else "",
        reach=reach,
        domains=tuple(blind("domain", parent) for parent in parents_of(domain)),
    )


def digest_of(blind: Blind, person: Person) -> str:
    """A keyed hash that changes with any letter of a person, also one that only becomes a capital."""
    return blind("person", f"{person.name}\x1f{person.email}\x1f{person.phone}".encode().hex())
