"""The current state of everything compacted, for a broker that lost it."""

from __future__ import annotations

from services.trigger.domain.directory import account_changed, contact_changed, contact_erased
from services.trigger.handlers.publishing import announcement
from services.trigger.store import brakes, directory, programmes
from shared.db.database import Tx

PAGE = 500


async def republish(tx: Tx) -> None:
    """Announce organisation, programmes, accounts and contacts once more, under the identities they had."""
    organisation = await programmes.get_organisation(tx.conn)
    if organisation:
        paused = (await brakes.brakes_now(tx.conn)).all_sending
        event = organisation.announcement(paused=paused)
        tx.emit(event, identity=str(organisation.version), key="organisation")
    groups = await programmes.groups(tx.conn)
    for one in await programmes.standings(tx.conn):
        definition = await programmes.definition_of(tx.conn, one.key)
        if definition is not None:
            tx.emit(announcement(one, definition, groups), identity=f"{one.key}/{one.revision}", key=one.key)
    ids = await directory.ids_of(tx.conn, "accounts")
    for start in range(0, len(ids), PAGE):
        for account in (await directory.get_accounts(tx.conn, ids[start : start + PAGE])).values():
            tx.emit(account_changed(account), identity=f"{account.id}/{account.version}", key=str(account.id))
    ids = await directory.ids_of(tx.conn, "contacts")
    for start in range(0, len(ids), PAGE):
        for contact in (await directory.get_contacts(tx.conn, ids[start : start + PAGE])).values():
            told = contact_erased(contact) if contact.erased_at else contact_changed(contact)
            key = str(contact.account_id or contact.id)
            tx.emit(told, identity=f"{contact.id}/{contact.version}", key=key)
