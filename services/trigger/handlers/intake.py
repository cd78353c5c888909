"""Touchpoints that come in from outside.

Noted once, their people sealed, then into the outbox, all in one transaction and set-based.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.trigger.domain.model import identity
from services.trigger.domain.naming import Named, in_clear
from services.trigger.domain.reports import Report
from services.trigger.handlers import people
from services.trigger.handlers.parking import Patience, event_id_of, set_aside
from services.trigger.store import directory
from services.trigger.store.received import Seen, claim
from services.trigger.store.sent_ids import SentId, note
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from shared.db.database import Tx
from shared.runtime.clock import Machine
from shared.security.sealing import Sealer


class Taken(StrEnum):
    """What became of a report.

    PARKED: it waits until the person it names by an id alone is known. DUPLICATE and CONFLICT: nothing was
    done, the first of its id stands.
    """

    ACCEPTED = "accepted"
    PARKED = "parked"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes reports in.

    Args:
        sealer: Seals who is named.
        machine: Tells when a look-up is due.
        kept: How long a thin report may wait.
        looked_up: Providers of whom missing people can be looked up.
    """

    sealer: Sealer
    machine: Machine
    kept: timedelta = timedelta(days=14)
    looked_up: frozenset[str] = frozenset()

    async def take(self, tx: Tx, route: str, reports: Sequence[Report]) -> list[Taken]:
        """Take reports in; tells of each what became of it."""
        seen = await claim(tx.conn, route, reports, tx.now)
        fresh = [report for report, was in zip(reports, seen, strict=True) if was is Seen.NEW]
        patience = Patience(self.machine.wall(), self.kept, self.looked_up)
        await note(tx.conn, _named(route, fresh, tx.now))
        complete = await set_aside(tx, self.sealer, fresh, patience)
        await tell(tx, self.sealer, complete)
        told = {id(report) for report in complete}
        return [_taken(was, told=id(r) in told) for r, was in zip(reports, seen, strict=True)]


def _taken(was: Seen, *, told: bool) -> Taken:
    if was is Seen.NEW:
        return Taken.ACCEPTED if told else Taken.PARKED
    return Taken(was.value)


async def take(tx: Tx, sealer: Sealer, route: str, reports: Sequence[Report]) -> list[Taken]:
    """Take in reports that say themselves whom they mean; tells of each what became of it."""
    seen = await claim(tx.conn, route, reports, tx.now)
    fresh = [report for report, was in zip(reports, seen, strict=True) if was is Seen.NEW]
    await note(tx.conn, _named(route, fresh, tx.now))
    await tell(tx, sealer, fresh)
    return [_taken(was, told=True) for was in seen]


def _named(route: str, reports: Sequence[Report], at: datetime) -> Iterator[SentId]:
    for report in reports:
        for name in sorted(report.names):
            yield SentId(name, event_id_of(report), report.source, report.type, at, route, report.replay)


async def tell(tx: Tx, sealer: Sealer, reports: Sequence[Report]) -> None:
    """Announce reports as touchpoints, in their order."""
    sealed = await _sealed(tx, sealer, reports)
    for report, told in zip(reports, sealed, strict=True):
        account = told.company.id.strip() if told.company else ""
        key = (
            str(identity("account", account))
            if account
            else next((person.ref for person in told.people if person.ref), report.id)
        )
        tx.emit(told, identity=f"{report.source}/{report.id}", key=key, event_type=report.type)


async def _sealed(tx: Tx, sealer: Sealer, reports: Sequence[Report]) -> list[Touchpoint]:
    """The touchpoints with names and addresses sealed; people without any mark lose what they have."""
    folk = [told for report in reports for told in report.touchpoint.people]
    named = [Named(_known_by(told, r), in_clear(told)) for r in reports for told in r.touchpoint.people]
    ids = (await people.resolve(tx.conn, sealer, named)).ids
    known = [(contact_id, one.person) for contact_id, one in zip(ids, named, strict=True) if contact_id]
    texts = iter(await sealer.seal(tx.conn, known))
    covered = iter([_cover(one, who, next(texts) if who else "") for one, who in zip(folk, ids, strict=True)])
    touchpoints: list[Touchpoint] = []
    aliases: dict[str, UUID] = {}
    for report in reports:
        folk_of = [next(covered) for _ in report.touchpoint.people]
        told = tuple(person for person in folk_of if person.ref)
        touchpoints.append(report.touchpoint.model_copy(update={"contact": None, "contacts": told}))
        if told:
            aliases |= {sealer.blind("contact-id", name): UUID(told[0].ref) for name in report.aka}
    await directory.add_aliases(tx.conn, aliases)
    return touchpoints


def _known_by(told: TouchpointContact, report: Report) -> TouchpointContact:
    """Whoever is named by a thing alone is found by the name of that thing."""
    gap = report.gap
    return told.model_copy(update={"id": gap.name}) if gap and not told.id else told


def _cover(told: TouchpointContact, contact_id: UUID | None, sealed: str) -> TouchpointContact:
    ref = str(contact_id) if contact_id else ""
    return told.model_copy(update={"email": "", "phone": "", "name": "", "ref": ref, "sealed": sealed})
