"""Contacts, accounts and the organisation change: keep the copies current, forget the erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.alerts.store import directory, tasks
from shared.contracts.directory import AccountChanged, ContactChanged, ContactErased, OrganisationChanged
from shared.contracts.envelope import Event
from shared.db.database import Tx
from shared.db.merged import note
from shared.runtime.consumer import Route


async def on_contacts(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep the newest version of each contact; an erasure empties what was sealed for it.

    Of whoever was merged the answers and cases are found under the one who stays.
    """
    newest: dict[str, ContactChanged | ContactErased] = {}
    for event in events:
        contact = event.data
        known = newest.get(contact.contact_id)
        if known is None or (contact.version > known.version and not isinstance(known, ContactErased)):
            newest[contact.contact_id] = contact
    await directory.save_contacts(tx.conn, _in_order(newest))
    merged = {UUID(c.contact_id): c.merged_into for c in newest.values() if isinstance(c, ContactChanged)}
    await note(tx.conn, {former: UUID(into) for former, into in merged.items() if into})
    erased = [UUID(c.contact_id) for c in newest.values() if isinstance(c, ContactErased)]
    if erased:
        await directory.forget(tx.conn, erased)
        await tasks.forget(tx.conn, erased, tx.now)


async def on_accounts(events: Sequence[Event[AccountChanged]], tx: Tx) -> None:
    """Keep the newest version of each account; cases of one that was merged are found under what stays."""
    newest: dict[str, AccountChanged] = {}
    for event in events:
        known = newest.get(event.data.account_id)
        if known is None or event.data.version > known.version:
            newest[event.data.account_id] = event.data
    await directory.save_accounts(tx.conn, [newest[key] for key in sorted(newest)])
    merged = {UUID(key): told.merged_into for key, told in newest.items()}
    await note(tx.conn, {former: UUID(into) for former, into in merged.items() if into})


async def on_organisation(events: Sequence[Event[OrganisationChanged]], tx: Tx) -> None:
    """Keep the newest settings."""
    await directory.save_organisation(tx.conn, max((e.data for e in events), key=lambda data: data.version))


def _in_order(newest: dict[str, ContactChanged | ContactErased]) -> list[ContactChanged | ContactErased]:
    return [newest[key] for key in sorted(newest)]


ROUTES: tuple[Route, ...] = (
    Route((ContactChanged.TYPE, ContactErased.TYPE), on_contacts),
    Route((AccountChanged.TYPE,), on_accounts),
    Route((OrganisationChanged.TYPE,), on_organisation),
)
