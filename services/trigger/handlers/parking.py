"""Thin reports: told at once when the directory knows the person, else parked until it does.

`docs/webhooks.md` says what an operator sees of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.model import Contact, Decision, Reach
from services.trigger.domain.reports import Gap, Report
from services.trigger.handlers.ledger import record
from services.trigger.store import directory, parked
from services.trigger.store.parked import Parking
from shared.contracts.model import Person
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.db.database import Connection, Tx
from shared.runtime.ids import derive
from shared.security.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Patience:
    """How long thin reports wait, and whose can be looked up.

    Attributes:
        kept: business time until a report is given up.
        looked_up: providers with a connector.
        wall: machine time now, when the first look-up is due.
    """

    wall: datetime
    kept: timedelta = timedelta(days=14)
    looked_up: Collection[str] = field(default=frozenset())


def event_id_of(report: Report) -> str:
    """The id of the event by which a report is told, now or later."""
    return str(derive(report.type, f"{report.source}/{report.id}"))


def mark_of(sealer: Sealer, gap: Gap) -> str:
    """How the directory would know who is missing."""
    return sealer.blind("contact-id", gap.name)


async def set_aside(tx: Tx, sealer: Sealer, reports: Sequence[Report], patience: Patience) -> list[Report]:
    """Park those whose person is not known; gives the others, in their order.

    Behind a report that waits for the same person others wait too, so that a ticket is not solved after it
    was opened again.
    """
    marks = {report.gap: mark_of(sealer, report.gap) for report in reports if report.gap}
    if not marks:
        return list(reports)
    known = await directory.find_aliases(tx.conn, marks.values())
    reachable = await reachable_of(tx.conn, sealer, known.values())
    busy = await parked.waiting_marks(tx.conn, marks.values())
    gone = {gap for gap, mark in marks.items() if mark in busy or known.get(mark) not in reachable}
    waiting = [report for report in reports if report.gap in gone]
    await parked.park(tx.conn, [_parking(tx, report, marks, patience) for report in waiting])
    await record(tx, [_deferred(tx, report, known.get(marks[_gap(report)]), patience) for report in waiting])
    return [report for report in reports if report.gap not in gone]


async def reachable_of(conn: Connection, sealer: Sealer, ids: Collection[UUID]) -> set[UUID]:
    """Contacts of whom an address or a number is known, or who were erased: nothing more is to come."""
    known = await directory.get_contacts(conn, ids)
    unclear = [c for c in known.values() if not _has_address(c) and c.person]
    opened = await sealer.open(conn, [(c.id, c.person) for c in unclear], Person) if unclear else []
    by_phone = {c.id for c, person in zip(unclear, opened, strict=True) if person and person.phone}
    return {c.id for c in known.values() if _has_address(c)} | by_phone


def given_up(report: Report) -> Decision:
    """The ledger's last word on a report whose person nobody ever named."""
    return Decision(outcome=Outcome.NOT_MATCHED, reason=Reason.UNKNOWN_CONTACT, inputs=_facts(report))


def _has_address(contact: Contact) -> bool:
    return contact.erased_at is not None or contact.reach is not Reach.NONE


def _gap(report: Report) -> Gap:
    assert report.gap is not None  # noqa: S101 - only such reports come here
    return report.gap


def _parking(tx: Tx, report: Report, marks: Mapping[Gap, str], patience: Patience) -> Parking:
    gap = _gap(report)
    look_up_at = patience.wall if gap.provider in patience.looked_up else None
    until = tx.now + patience.kept
    nameless = replace(report, touchpoint=_nameless(report.touchpoint))
    return Parking(event_id_of(report), nameless, marks[gap], tx.now, until, look_up_at)


def _nameless(touchpoint: Touchpoint) -> Touchpoint:
    """What may lie about unsealed: ids alone."""
    folk = tuple(
        person.model_copy(update={"name": "", "email": "", "phone": ""}) for person in touchpoint.people
    )
    return touchpoint.model_copy(update={"contact": None, "contacts": folk})


def _deferred(tx: Tx, report: Report, contact_id: UUID | None, patience: Patience) -> tuple[str, Decision]:
    return event_id_of(report), Decision(
        outcome=Outcome.DEFERRED,
        reason=Reason.UNKNOWN_CONTACT,
        contact_id=contact_id,
        until=tx.now + patience.kept,
        inputs=_facts(report),
    )


def _facts(report: Report) -> dict[str, str | int | float | bool | None]:
    gap = _gap(report)
    return {"event": report.type, "named": f"{gap.provider} {gap.kind} {gap.id}"}
