"""Who is meant in an event.

People are found again by keyed hashes of their backend id, e-mail address and phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain.directory import Known
from services.trigger.domain.model import account_id
from services.trigger.domain.naming import Named, assign, in_clear, known_of, marks_of, who
from services.trigger.store import directory, leads
from shared.contracts.model import Person
from shared.contracts.touchpoints import TouchpointContact
from shared.db.database import Connection
from shared.security.sealing import Sealer


async def unseal(conn: Connection, sealer: Sealer, told: Sequence[TouchpointContact]) -> list[Named]:
    """Name and addresses of everybody named, from the clear or from what our own intake sealed."""
    sealed = [(UUID(one.ref), one.sealed) for one in told if one.sealed and one.ref]
    opened = iter(await sealer.open(conn, sealed, Person) if sealed else [])
    return [
        Named(one, (next(opened) or Person()) if one.sealed and one.ref else in_clear(one)) for one in told
    ]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who is meant by each person of an event.

    Attributes:
        ids: one a person; None for somebody without any mark.
        shared: who is meant by one mark, and who else has the e-mail address that came with it.
    """

    ids: list[UUID | None]
    shared: list[tuple[UUID, UUID]]


async def resolve(conn: Connection, sealer: Sealer, named: Sequence[Named]) -> Resolved:
    """The contact behind each person, made up where nobody is known.

    New people get an id derived from their mark, the address before all others, so that two events that come
    in at once mean the same person. Whoever was erased stays found, as erased.
    """
    hashes = [marks_of(sealer.blind, one) for one in named]
    known = await directory.find_aliases(conn, {h for marks in hashes for h in marks.values()})
    fresh = assign(named, hashes, known)
    if fresh:
        await directory.add_aliases(conn, fresh)
        known |= await directory.find_aliases(conn, fresh)
    ids = [who(one, marks, known) for one, marks in zip(named, hashes, strict=True)]
    owners = [known.get(marks.get("email", "")) for marks in hashes]
    return Resolved(ids, [(a, b) for a, b in zip(ids, owners, strict=True) if a and b and a != b])


async def seal(conn: Connection, sealer: Sealer, people: Mapping[UUID, Person]) -> dict[UUID, Known]:
    """Seal people with their own keys, with what is needed of them in the open."""
    sealed = await sealer.seal(conn, list(people.items()))
    return {
        contact_id: known_of(sealer.blind, person, text)
        for (contact_id, person), text in zip(people.items(), sealed, strict=True)
    }


async def find_contact(conn: Connection, sealer: Sealer, text: str) -> UUID | None:
    """Whom somebody means by a contact id, a backend's id, an e-mail address or a phone number.

    Former ids of somebody who was merged lead to the one that stayed.
    """
    marks = [sealer.blind(purpose, text) for purpose in ("contact-id", "email", "phone")]
    known = await directory.find_aliases(conn, marks)
    found = next((known[mark] for mark in marks if mark in known), None)
    if found is None and (own := as_uuid(text)):
        contact = (await directory.get_contacts(conn, [own])).get(own)
        return (contact.merged_into or own) if contact else None
    return found


async def all_ids(conn: Connection, contact_id: UUID | None) -> tuple[UUID, ...]:
    """A person's id, and those by which they were known before; nothing for None."""
    return (contact_id, *await leads.former_ids(conn, leads.PEOPLE, [contact_id])) if contact_id else ()


async def all_ids_of_account(conn: Connection, account_id: UUID | None) -> tuple[UUID, ...]:
    """A company's id, and those by which it was known before; nothing for None."""
    return (account_id, *await leads.former_ids(conn, leads.COMPANIES, [account_id])) if account_id else ()


async def find_account(conn: Connection, text: str, *, blank: bool = False) -> UUID | None:
    """Which account somebody means by its id, its backend's id or its name.

    Former ids of one that was merged lead to the one that stayed. With `blank` one is found, too, of which
    nothing but ids was ever told.
    """
    wanted = [account_id(text), *filter(None, [as_uuid(text)])]
    by_id = await directory.get_accounts(conn, wanted)
    leads = {one.merged_into for one in by_id.values() if one.merged_into}
    now = by_id | await directory.get_accounts(conn, leads) if leads else by_id
    if now:
        found = next(one for one in now.values() if not one.merged_into)
        return found.id if found.deleted_at is None and (found.version or blank) else None
    named = await directory.find_accounts(conn, text.strip(), limit=2)
    return named[0].id if len(named) == 1 else None


def as_uuid(text: str) -> UUID | None:
    """The text as an id, if it is one."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
