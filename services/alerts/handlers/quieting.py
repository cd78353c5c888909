"""Which notices wait until morning: decided for all of a transaction at once, and written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.alerts.domain.model import Entry, Kind
from services.alerts.domain.priority import Priority, rank
from services.alerts.domain.quiet import WAITING, QuietHours, until, waits
from services.alerts.domain.routing import TEAM, Staff
from services.alerts.store import stakes
from services.alerts.store.notices import Notice
from shared.db.database import Tx
from shared.web.dates import zone_of


async def sleeping(
    tx: Tx, wanted: Sequence[Notice], staff: Staff, hours: QuietHours | None, large: float
) -> dict[int, datetime]:
    """The places of notices that wait, each with when its recipient wakes."""
    if hours is None:
        return {}
    asleep: dict[int, datetime] = {}
    for place, notice in enumerate(wanted):
        member = None if notice.recipient == TEAM else staff.by_id(UUID(notice.recipient))
        wakes = until(hours, zone_of(member.zone), tx.now) if member and notice.occasion in WAITING else None
        if wakes is not None:
            asleep[place] = wakes
    if not asleep:
        return {}
    found = await stakes.of_tickets(tx.conn, {wanted[place].ticket_id for place in asleep})
    ranks = {key: rank(stake, tx.now.date(), large).priority for key, stake in found.items()}
    return {
        place: wakes
        for place, wakes in asleep.items()
        if waits(wanted[place].occasion, ranks.get(wanted[place].ticket_id, Priority.NORMAL))
    }


def line(notice: Notice, wakes: datetime, zone: str, now: datetime) -> tuple[UUID, Entry, str, UUID | None]:
    """What the case's timeline says of a notice that waits."""
    data = {
        "to": notice.recipient,
        "occasion": notice.occasion.value,
        "until": wakes.isoformat(),
        "zone": zone,
    }
    return notice.ticket_id, Entry(Kind.WAITS, now, data=data), "", None
