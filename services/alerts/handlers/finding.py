"""What scoring found is told to managers: planned in the transaction of the events, handed over once."""

from __future__ import annotations

from collections.abc import Sequence

from services.alerts import metrics
from services.alerts.domain.findings import finding_of, letter, mails
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.mailing import GONE, Letter, Mail, Post, address_of_pages, send_due
from services.alerts.store import findings, rota
from services.alerts.store.findings import Planned
from services.alerts.store.mailing import Mails
from shared.contracts.envelope import Event
from shared.contracts.scores import ChurnRising, ScoreDropped, ThemeRising
from shared.db.database import Connection, Database, Tx
from shared.runtime.consumer import Route
from shared.runtime.ids import derive


def route(desk: Desk) -> Route:
    """What is done with findings; those of one batch are told together."""

    async def on_findings(events: Sequence[Event[ScoreDropped | ThemeRising | ChurnRising]], tx: Tx) -> None:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        told = [finding_of(event.data) for event in events]
        first = events[0]
        wanted = {
            derive("finding mail", first.source, first.id, user_id): (user_id, found)
            for user_id, found in mails(told, staff).items()
        }
        await findings.plan(tx.conn, wanted, tx.now, desk.machine.wall())

    return Route((ScoreDropped.TYPE, ThemeRising.TYPE, ChurnRising.TYPE), on_findings)


async def send_findings(desk: Desk, db: Database, mail: Mail, public_url: str) -> int:
    """Hand over the mails that are due; returns how many were tried."""

    async def write(conn: Connection, one: Planned) -> Letter | str:
        staff = await rota.staff(conn, db.clock.now(), desk.leadership, desk.roster)
        member = staff.by_id(one.recipient)
        if member is None:
            return GONE
        return Letter(member, letter(one.findings, await address_of_pages(conn, public_url)))

    post = Post(Mails.FINDINGS, findings.planned, write, metrics.FINDING_MAILS)
    return await send_due(desk, db, mail, post)
