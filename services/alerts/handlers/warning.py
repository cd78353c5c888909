"""A gap in a rota is told before it hurts: to the team's managers, each once.

Whoever cannot be told has somebody else told: all managers. What became of each warning stands on the page.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts import metrics
from services.alerts.domain.gap_words import warning
from services.alerts.domain.outlook import gaps
from services.alerts.domain.routing import Staff, Team
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.mailing import GONE, Letter, Mail, Post, address_of_pages, send_due
from services.alerts.store import rota, warnings
from services.alerts.store.mailing import Mails
from services.alerts.store.warnings import Warned
from shared.db.database import Connection, Database, Tx
from shared.runtime.ids import derive

BACK = timedelta(days=7)
"""A gap that began so long ago is still the same one."""
LEAST = timedelta(minutes=15)
"""A shorter gap is none: nobody fills it in time."""


async def notice_gaps(desk: Desk, db: Database) -> int:
    """Note who is to be warned of gaps that come; returns how many warnings are new."""
    async with db.begin() as tx:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        found = [one for team in staff.teams for one in _warnings(team, staff, tx.now)]
        return await warnings.add(tx.conn, found, tx.now, desk.machine.wall())


def _warnings(team: Team, staff: Staff, now: datetime) -> list[Warned]:
    rule = staff.roster.teams.get(team.key)
    ahead = timedelta(days=rule.gap_warning_days if rule else staff.roster.gap_warning_days)
    # Looked at from a fixed hour of a day on and beyond what is warned of, so that each gap is whole.
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - BACK
    return [
        Warned(
            derive("gap", team.key, user_id, gap.starts_at),
            team.key,
            user_id,
            gap.starts_at,
            gap.ends_at,
            gap.why,
        )
        for gap in gaps(team, staff, since, now + ahead + BACK)
        if now < gap.ends_at and gap.starts_at <= now + ahead and gap.ends_at - gap.starts_at >= LEAST
        for user_id in team.managers
    ]


async def send_warnings(desk: Desk, db: Database, mail: Mail, public_url: str) -> int:
    """Hand over the warnings that are due; returns how many were tried."""

    async def write(conn: Connection, warned: Warned) -> Letter | str:
        staff = await rota.staff(conn, db.clock.now(), desk.leadership, desk.roster)
        member, team = staff.by_id(warned.recipient), staff.team(warned.team)
        if member is None:
            return GONE
        base = await address_of_pages(conn, public_url)
        return Letter(member, warning(team, warned.starts_at, warned.ends_at, warned.why, base))

    async def failed(tx: Tx, warned: Warned) -> None:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        others = [_again(warned, user_id) for user_id in staff.managers]
        await warnings.add(tx.conn, others, tx.now, desk.machine.wall())

    post = Post(Mails.GAPS, warnings.planned, write, metrics.GAP_MAILS, failed=failed)
    return await send_due(desk, db, mail, post)


def _again(warned: Warned, user_id: UUID) -> Warned:
    """The same warning for somebody else; who has it already is left alone."""
    return replace(
        warned, id=derive("gap", warned.team, user_id, warned.starts_at), recipient=user_id, attempts=0
    )
