"""Accounts, people, tickets and what happened: kept as they are told, the newest version of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.scoring.domain.around import kind_of, label_of, number_of
from services.scoring.store import around, fates
from shared.contracts.directory import AccountChanged, ContactChanged, ContextKind, ContextRecorded
from shared.contracts.envelope import Event
from shared.contracts.tickets import TICKET_TYPES, Ticket
from shared.db.database import Tx
from shared.db.merged import note
from shared.runtime.consumer import Route


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


_Kind = TypeVar("_Kind", bound=_Versioned)


async def on_accounts(events: Sequence[Event[AccountChanged]], tx: Tx) -> None:
    """Keep the newest version of each account; what was said at one that was merged is said at what stays."""
    newest = _newest((event.data.account_id, event.data) for event in events)
    leads = {UUID(told.account_id): UUID(told.merged_into) for told in newest if told.merged_into}
    if leads:
        await fates.close_door(tx.conn)
        await note(tx.conn, leads)
        await fates.count(tx.conn, leads)
    await around.save_accounts(tx.conn, [_account(told) for told in newest])


async def on_contacts(events: Sequence[Event[ContactChanged]], tx: Tx) -> None:
    """Keep to which account people belong, and whether they decide; who was merged is one person."""
    newest = _newest((event.data.contact_id, event.data) for event in events)
    leads = ((told.contact_id, told.merged_into) for told in newest)
    await note(tx.conn, {UUID(former): UUID(into) for former, into in leads if into})
    await around.save_people(
        tx.conn,
        [
            around.Someone(
                UUID(told.contact_id),
                told.version,
                _uuid(told.account_id),
                told.persona.value if told.persona else None,
                told.job_function,
                told.external_id,
                told.person,
            )
            for told in newest
        ],
    )


async def on_tickets(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep where the ticket of each unhappy account stands."""
    newest: list[Ticket] = _newest((event.data.ticket_id, event.data) for event in events)
    await around.save_cases(
        tx.conn,
        [
            around.Case(
                UUID(told.ticket_id),
                told.version,
                _uuid(told.snapshot.account_id),
                told.state.value,
                told.opened_at,
                told.contact_due_at,
                told.at,
            )
            for told in newest
        ],
    )


async def on_context(events: Sequence[Event[ContextRecorded]], tx: Tx) -> None:
    """Keep what explains a score: usage, renewals, churn, releases, incidents, changes, support tickets."""
    happened = [
        around.Happening(
            event.source, event.id, kind_of(told), str(told.data.get("event", "")), told.at,
            _uuid(told.account_id), told.product, number_of(told), label_of(told),
        )
        for event in events
        for told in (event.data,)
    ]  # fmt: skip
    ended = {one.account_id for one in happened if one.account_id and one.kind in _ENDS}
    if ended:
        await fates.close_door(tx.conn)
    await around.save_happenings(tx.conn, happened)
    if ended:
        await fates.count(tx.conn, ended)


_ENDS = (ContextKind.CHURN.value, ContextKind.RENEWAL.value)


def _account(told: AccountChanged) -> around.Account:
    return around.Account(
        UUID(told.account_id),
        told.version,
        told.name,
        told.tier.value if told.tier else None,
        told.industry,
        told.size,
        told.owner,
        told.region,
        told.annual_value,
        told.phase,
        told.started_on,
        told.renewal_on,
        told.external_id,
        told.acquisition_cost,
    )


def _newest(told: Iterable[tuple[str, _Kind]]) -> list[_Kind]:
    """The newest version of each that a batch tells."""
    found: dict[str, _Kind] = {}
    for key, one in told:
        known = found.get(key)
        if known is None or known.version < one.version:
            found[key] = one
    return list(found.values())


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


ROUTES: tuple[Route, ...] = (
    Route((AccountChanged.TYPE,), on_accounts),
    Route((ContactChanged.TYPE,), on_contacts),
    Route(TICKET_TYPES, on_tickets),
    Route((ContextRecorded.TYPE,), on_context),
)
