"""The directory as far as sending depends on it: who opted out or was erased, who sends, which brakes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.dispatch.domain.model import write_texts
from services.dispatch.store import intake, suppressions
from services.dispatch.store.suppressions import Agreed
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.envelope import Event
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.db.database import Tx
from shared.db.merged import note


async def on_contacts(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep the newest state of each contact; erasure wins over everything before and after it.

    Whoever agreed again after they said stop may be written to again; a stop that came later stays.
    """
    erased: dict[UUID, tuple[UUID, int, datetime]] = {}
    newest: dict[UUID, ContactChanged] = {}
    for event in events:
        data, contact_id = event.data, UUID(event.data.contact_id)
        if isinstance(data, ContactErased):
            erased[contact_id] = (contact_id, data.version, data.erased_at)
        elif contact_id not in newest or data.version > newest[contact_id].version:
            newest[contact_id] = data
    changed = {key: told for key, told in newest.items() if key not in erased}
    await intake.save_contacts(tx.conn, [_contact(key, told) for key, told in changed.items()])
    agreed = [Agreed(key, scope, at) for key, told in changed.items() for scope, at in told.renewed.items()]
    if agreed:
        await suppressions.lift(tx.conn, agreed, tx.now)
    if erased:
        await intake.erase_contacts(tx.conn, list(erased.values()), tx.now)


def _contact(contact_id: UUID, told: ContactChanged) -> tuple[UUID, int, UUID | None, bool, UUID | None]:
    account, merged = (UUID(one) if one else None for one in (told.account_id, told.merged_into))
    return contact_id, told.version, account, told.opted_out, merged


async def on_accounts(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep whether an operator's brake is on an account; that of one that was merged is on what stays."""
    newest = {UUID(e.data.account_id): e.data for e in sorted(events, key=lambda e: e.data.version)}
    rows = [(account, data.version, data.paused) for account, data in newest.items()]
    await note(tx.conn, {key: UUID(told.merged_into) for key, told in newest.items() if told.merged_into})
    await intake.save_accounts(tx.conn, rows)


async def on_programmes(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep whether a programme is paused, and what its messages would say."""
    newest = {e.data.programme: e.data for e in sorted(events, key=lambda e: e.data.revision)}
    await intake.save_programmes(tx.conn, [_programme(data) for data in newest.values()])


def _programme(told: ProgrammePublished) -> tuple[str, int, bool, str, str]:
    texts = write_texts(told.form, told.letter) if told.form and told.letter else ""
    paused = told.state is ProgrammeState.PAUSED
    return told.programme, told.revision, paused, texts, ",".join(told.channels)


async def on_organisation(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep the newest settings of the organisation."""
    newest = max((event.data for event in events), key=lambda data: data.version)
    await intake.save_organisation(tx.conn, newest.version, newest.model_dump_json(), paused=newest.paused)
