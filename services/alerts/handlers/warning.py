"""A gap in a rota is told before it hurts: to the team's managers, each once.

Whoever cannot be told has somebody else told: all managers. What became of each warning stands on the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts import metrics
from services.alerts.domain import retry
from services.alerts.domain.alarm import Text
from services.alerts.domain.gap_words import warning
from services.alerts.domain.outlook import gaps
from services.alerts.domain.routing import Staff, Team
from services.alerts.handlers.applying import Desk
from services.alerts.store import directory, mailing, rota, warnings
from services.alerts.store.mailing import Mails
from services.alerts.store.warnings import Warned
from shared.db.database import Database
from shared.errors import SendError
from shared.runtime.ids import derive, random_id

BATCH = 20
HOLD = timedelta(seconds=60)
"""How long a warning stays with the one who took it; longer than a mail's time-out."""
BACK = timedelta(days=7)
"""A gap that began so long ago is still the same one."""
LEAST = timedelta(minutes=15)
"""A shorter gap is none: nobody fills it in time."""

Mail = Callable[[UUID, str, str, Text], Awaitable[None]]
"""Hands one mail over: its id, address, name and words. Raises SendError."""


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
    """Hand over the warnings that are due; returns how many were tried.

    No transaction is open while the mail is handed over. Who vanishes in between leaves it to be repeated
    with the same id when the lease ends.
    """
    lease = random_id()
    async with db.begin() as tx:
        taken = await warnings.claim(tx.conn, lease, desk.machine.wall(), hold=HOLD, limit=BATCH)
        if not taken:
            return 0
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        organisation = await directory.organisation(tx.conn)
    base = (organisation.public_url or public_url).rstrip("/")
    for warned in taken:
        state, detail, wait = await _send(warned, staff, mail, base)
        async with db.begin() as tx:
            next_at = desk.machine.wall() + wait if wait else None
            await mailing.record(tx.conn, Mails.GAPS, warned.id, lease, (state, detail, next_at))
            if state == "failed":
                others = [_again(warned, user_id) for user_id in staff.managers]
                await warnings.add(tx.conn, others, tx.now, desk.machine.wall())
        metrics.GAP_MAILS.labels("retry" if wait else state).inc()
    return len(taken)


def _again(warned: Warned, user_id: UUID) -> Warned:
    """The same warning for somebody else; who has it already is left alone."""
    return replace(
        warned, id=derive("gap", warned.team, user_id, warned.starts_at), recipient=user_id, attempts=0
    )


async def _send(warned: Warned, staff: Staff, mail: Mail, base: str) -> tuple[str, str, timedelta | None]:
    member, team = staff.by_id(warned.recipient), staff.team(warned.team)
    if member is None:
        return "failed", "the recipient is no longer active", None
    words = warning(team, warned.starts_at, warned.ends_at, warned.why, base)
    return await tried(mail(warned.id, member.email, member.name, words), warned.attempts)


async def tried(handing: Awaitable[None], attempts: int) -> tuple[str, str, timedelta | None]:
    """What became of handing one mail over: state, why, and how long to wait before the next attempt."""
    try:
        await handing
    except SendError as error:
        wait = retry.next_attempt(attempts, permanent=error.permanent, retry_after=error.retry_after)
        return ("failed" if wait is None else "pending"), str(error), wait
    return "sent", "", None
