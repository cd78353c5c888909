"""What scoring found is told to managers: planned in the transaction of the events, handed over once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.alerts import metrics
from services.alerts.domain.findings import letter, mails, of_drop, of_rise
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.warning import Mail, tried
from services.alerts.store import directory, findings, mailing, rota
from services.alerts.store.mailing import Mails
from shared.contracts.envelope import Event
from shared.contracts.scores import ScoreDropped, ThemeRising
from shared.db.database import Database, Tx
from shared.runtime.consumer import Route
from shared.runtime.ids import derive, random_id

BATCH = 20
HOLD = timedelta(seconds=60)
"""How long a mail stays with the one who took it; longer than a mail's time-out."""


def route(desk: Desk) -> Route:
    """What is done with findings; those of one batch are told together."""

    async def on_findings(events: Sequence[Event[ScoreDropped | ThemeRising]], tx: Tx) -> None:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        told = [
            of_drop(event.data) if isinstance(event.data, ScoreDropped) else of_rise(event.data)
            for event in events
        ]
        first = events[0]
        wanted = {
            derive("finding mail", first.source, first.id, user_id): (user_id, found)
            for user_id, found in mails(told, staff).items()
        }
        await findings.plan(tx.conn, wanted, tx.now, desk.machine.wall())

    return Route((ScoreDropped.TYPE, ThemeRising.TYPE), on_findings)


async def send_findings(desk: Desk, db: Database, mail: Mail, public_url: str) -> int:
    """Hand over the mails that are due; returns how many were tried.

    No transaction is open while a mail is handed over. Who vanishes in between leaves it to be repeated with
    the same id when the lease ends.
    """
    lease = random_id()
    async with db.begin() as tx:
        taken = await findings.claim(tx.conn, lease, desk.machine.wall(), hold=HOLD, limit=BATCH)
        if not taken:
            return 0
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        organisation = await directory.organisation(tx.conn)
    base = (organisation.public_url or public_url).rstrip("/")
    for one in taken:
        member = staff.by_id(one.recipient)
        state, detail, wait = "failed", "the recipient is no longer active", None
        if member is not None:
            handing = mail(one.id, member.email, member.name, letter(one.findings, base))
            state, detail, wait = await tried(handing, one.attempts)
        async with db.begin() as tx:
            next_at = desk.machine.wall() + wait if wait else None
            await mailing.record(tx.conn, Mails.FINDINGS, one.id, lease, (state, detail, next_at))
        metrics.FINDING_MAILS.labels("retry" if wait else state).inc()
    return len(taken)
