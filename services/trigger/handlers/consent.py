"""Words about being asked: written down, and folded into how their people stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.trigger.domain.consent import Said, absorb, standing_of
from services.trigger.domain.directory import contact_changed
from services.trigger.domain.model import Contact
from services.trigger.handlers.freeing import give_places_back
from services.trigger.store import consents, directory
from shared.db.database import Tx
from shared.values import altered


async def note(
    tx: Tx, words: Sequence[tuple[UUID, Said]], contacts: Mapping[UUID, Contact]
) -> dict[UUID, Contact]:
    """Write words down, in whatever order they come.

    Args:
        tx: The rows of these contacts are locked in it.
        words: Whose they are; those of people who were erased or are not in `contacts` are left out.
        contacts: How they stood.

    Returns:
        How everybody stands who said something.
    """
    words = [(who, said) for who, said in words if who in contacts and not contacts[who].erased_at]
    if not words:
        return {}
    known = await consents.histories(tx.conn, {who for who, _ in words})
    fresh: list[tuple[UUID, int]] = []
    longer: dict[int, Said] = {}
    for who, said in words:
        found = absorb(known[who], said)
        if found is None:
            continue
        if found.id:
            longer[found.id] = found
            known[who] = [found if one.id == found.id else one for one in known[who]]
        elif (at := _place(known[who], found)) is not None:
            known[who][at] = found
        else:
            known[who].append(found)
            fresh.append((who, len(known[who]) - 1))
    await consents.add(tx.conn, [(who, known[who][at]) for who, at in fresh], tx.now)
    await consents.prolong(tx.conn, list(longer.values()))
    return {who: standing_of(contacts[who], known[who]) for who, _ in words}


async def tell(tx: Tx, contact: Contact, said: Said) -> Contact:
    """Write down one word of a contact whose row is locked, and tell the others how they stand."""
    stands = (await note(tx, [(contact.id, said)], {contact.id: contact})).get(contact.id, contact)
    if stands == contact:
        return contact
    after = altered(stands, version=contact.version + 1)
    await directory.save_contacts(tx.conn, [after])
    key = str(after.account_id or after.id)
    tx.emit(contact_changed(after), identity=f"{after.id}/{after.version}", key=key)
    await give_places_back(tx, [after.account_id])
    return after


def _place(history: Sequence[Said], found: Said) -> int | None:
    """Where in a history a word of the same batch stands that was only prolonged."""
    return next(
        (
            index
            for index, one in enumerate(history)
            if not one.id
            and one.at == found.at
            and (one.scope, one.source, one.by, one.given, one.firm, one.takes_back)
            == (found.scope, found.source, found.by, found.given, found.firm, found.takes_back)
        ),
        None,
    )
