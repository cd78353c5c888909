"""Who was told by mail of what the answers of many show, and who could not be (R68, R80)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.routing import Staff
from services.alerts.pages.house import House, Manager, Rep
from services.alerts.store import findings, rota
from services.alerts.store.findings import Told
from shared.security.access_store import audit
from shared.web.problems import Problem
from shared.web.templates import page

PATH = "/inbox/findings"
LISTED = timedelta(days=90)
TOLD = timedelta(days=7)
"""So long the inbox of managers says that a mail could not be sent."""
_ORDER = {"failed": 0, "pending": 1, "sent": 2}


@dataclass(frozen=True, slots=True)
class Line:
    """A mail as it is shown; `state` and its word are a badge's.

    Attributes:
        said: what it is about, with where it is shown.
        do: what can be done about one that could not be sent.
        again: whether it can be sent again.
    """

    id: UUID
    badge: tuple[str, str]
    who: str
    at: datetime
    said: tuple[tuple[str, str], ...]
    why: str
    do: str
    again: bool


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of mails that tell of findings."""

    @routes.get(PATH)
    async def shown(request: Request, _me: Rep) -> Response:
        """Mails of the last 90 days, first those that could not be sent."""
        now, desk = house.clock.now(), house.desk
        async with house.db.read() as conn:
            staff = await rota.staff(conn, now, desk.leadership, desk.roster)
            names = await rota.names(conn)
            found = await findings.listed(conn, now - LISTED)
        context = {
            "section": "inbox",
            "lines": [_line(one, staff, names) for one in sorted(found, key=lambda one: _ORDER[one.state])],
            "failed": any(one.state == "failed" for one in found),
        }
        return page(request, house.env, "findings.html", context, locale="en")

    @routes.post(PATH + "/{mail_id}/again")
    async def again(mail_id: UUID, me: Manager) -> Response:
        """Try one again that could not be sent."""
        async with house.db.begin() as tx:
            recipient = await findings.again(tx.conn, mail_id, house.desk.machine.wall())
            if recipient is None:
                raise Problem(
                    409,
                    "This mail does not wait for anybody: it was sent, or is tried again already.",
                    what_to_do=f"Go back to {PATH}; it shows how the mail stands.",
                )
            await audit(tx.conn, tx.now, f"user:{me.id}", "finding_mail.again", f"user:{recipient}")
        return RedirectResponse(PATH, 303)


def _line(one: Told, staff: Staff, names: Mapping[UUID, str]) -> Line:
    member = staff.by_id(one.mail.recipient)
    failed = one.state == "failed"
    do = ""
    if failed and member is None:
        do = "Nobody reads mails of this account any more. The other managers are told by mails of their own."
    elif failed and member is not None:
        do = (
            f"Check that {member.email} is right and that the mail server takes mails, then send it again;"
            " or tell them yourself."
        )
    return Line(
        one.mail.id,
        _badge(one),
        names.get(one.mail.recipient, "Somebody who has left"),
        one.planned_at,
        tuple((finding.subject, finding.link) for finding in one.mail.findings),
        one.detail if one.state != "sent" else "",
        do,
        failed and member is not None,
    )


def _badge(one: Told) -> tuple[str, str]:
    if one.state == "pending":
        return ("tried again", "warn") if one.mail.attempts else ("under way", "neutral")
    return ("told", "ok") if one.state == "sent" else ("not told", "danger")
