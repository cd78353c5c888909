"""The monthly report goes to leaders and managers of teams, each once, made at the moment of sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.alerts import metrics
from services.alerts.domain import monthly
from services.alerts.domain.monthly import Report, Row, Waiting
from services.alerts.domain.routing import Staff
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.mailing import Letter, Mail, Post, address_of_pages, send_due
from services.alerts.handlers.reporting import Cut, Line, report
from services.alerts.store import directory, reports, rota, views
from services.alerts.store.care import Whose
from services.alerts.store.mailing import Mails
from services.alerts.store.reports import Planned
from shared.contracts.model import Tier
from shared.db.database import Connection, Database
from shared.web.dates import zone_of

HOLD = timedelta(seconds=120)
"""How long a report stays with the one who took it; longer than making it and a mail's time-out."""
LOOKED_AT = 500
"""Open cases among which those of weight are looked for, what breaches first before the rest."""
_WEIGHTY = frozenset({Tier.KEY.value, Tier.PREMIUM.value})


async def plan_reports(desk: Desk, db: Database) -> int:
    """Note whose report is due; returns how many are new."""
    async with db.begin() as tx:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        wanted = [
            (month, user_id)
            for user_id in monthly.readers(staff)
            if (member := staff.by_id(user_id)) and (month := monthly.due_month(tx.now, zone_of(member.zone)))
        ]
        if not wanted:
            return 0
        over = datetime.combine(monthly.after(max(month for month, _ in wanted)), time.min, UTC)
        if not await reports.any_case(tx.conn, over):
            return 0
        return await reports.plan(tx.conn, wanted, tx.now, desk.machine.wall())


async def send_reports(desk: Desk, db: Database, mail: Mail, public_url: str) -> int:
    """Make and hand over the reports that are due; returns how many were tried."""

    async def write(conn: Connection, one: Planned) -> Letter | str:
        now = db.clock.now()
        staff = await rota.staff(conn, now, desk.leadership, desk.roster)
        member, scope = staff.by_id(one.recipient), monthly.readers(staff).get(one.recipient)
        if member is None or scope is None:
            return "the recipient no longer leads, or is no longer active"
        organisation = await directory.organisation(conn)
        base = await address_of_pages(conn, public_url)
        press = Press(desk, conn, staff, now, zone_of(organisation.zone), base)
        found = [await _report(press, team, one.month) for team in ([None] if scope.house else scope.teams)]
        return Letter(member, monthly.letter(found, base))

    post = Post(Mails.REPORTS, reports.planned, write, metrics.REPORT_MAILS, HOLD)
    return await send_due(desk, db, mail, post)


@dataclass(frozen=True, slots=True)
class Press:
    """What a report is made with: `zone` says when months begin, `base` is the address of the pages."""

    desk: Desk
    conn: Connection
    staff: Staff
    now: datetime
    zone: ZoneInfo
    base: str


async def _report(press: Press, team: str | None, month: date) -> Report:
    """The month of a team, owner by owner; of the house, team by team."""
    conn, now, whose = press.conn, press.now, Whose(team)
    cut = Cut.TEAM if team is None else Cut.OWNER
    lines = await report(press.desk, conn, _span(month, press.zone), whose, now, (cut,))
    earlier = await report(press.desk, conn, _span(monthly.before(month), press.zone), whose, now, ())
    load = await reports.load(conn, team, now)
    return Report(
        of=press.staff.team(team).name if team else "",
        month=month,
        now=now,
        all=_row(lines[0]),
        before=_row(earlier[0]),
        rows=[_row(line, _responsible(press.staff, line)) for line in lines if line.cut is cut],
        open=load.open,
        late=load.late,
        to_meet=await _to_meet(press, team),
    )


async def _to_meet(press: Press, team: str | None) -> Sequence[Waiting]:
    """Customers of weight whose cases are open, the one open longest first."""
    names = await rota.names(press.conn)
    found = await views.lines(press.conn, views.Query(team=team, limit=LOOKED_AT))
    weighty = sorted((one for one in found if one.tier in _WEIGHTY), key=lambda one: one.opened_at)
    return [
        Waiting(
            one.account_name or "A customer",
            one.tier,
            one.opened_at,
            names.get(one.owner, "somebody who has left") if one.owner else "nobody's yet",
            f"{press.base}/tickets/{one.ticket_id}",
        )
        for one in weighty[: monthly.TO_MEET]
    ]


def _row(line: Line, responsible: str = "") -> Row:
    return Row(line.name, responsible, line.care, line.outcomes)


def _responsible(staff: Staff, line: Line) -> str:
    """Who answers for a team; for the shared rota, and for an owner, nobody else in particular."""
    if line.cut is not Cut.TEAM or line.key not in staff.roster.teams:
        return ""
    members = (staff.by_id(user_id) for user_id in staff.team(line.key).managers)
    return ", ".join(member.name for member in members if member)


def _span(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    ends = monthly.after(month)
    return datetime.combine(month, time.min, zone), datetime.combine(ends, time.min, zone)
