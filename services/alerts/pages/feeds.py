"""iCalendar feeds (RFC 5545) of a team's rota and of one's own shifts, behind a signed address.

Calendars cannot sign in. The address is signed for the one who copied it, for one feed, and is dead once that
person is no longer active.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from icalendar import Calendar, Event

from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.outlook import Outlook, outlook
from services.alerts.domain.routing import Staff, Team
from services.alerts.pages.house import House
from services.alerts.store import rota
from shared.runtime.ids import derive
from shared.security.tokens import Tokens
from shared.web.problems import Problem

WEEKS = 12
"""How far a feed reaches."""
_MINE, _TEAM = "rota-mine", "rota-team"
_HEADERS = {"Cache-Control": "private, max-age=900", "X-Robots-Tag": "noindex"}


def add(routes: APIRouter, house: House) -> None:
    """Add the routes."""

    @routes.get("/rota/feed/{token}.ics")
    async def feed(token: str) -> Response:
        """The shifts of twelve weeks; what changes shows when the calendar asks again."""
        tokens = house.desk.tokens
        now = house.clock.now()
        async with house.db.read() as conn:
            staff = await rota.staff(conn, now, house.desk.leadership, house.desk.roster)
        calendar = _calendar(tokens, token, staff, now) if tokens else None
        if calendar is None:
            raise Problem(404, "This calendar is not there any more.", what_to_do="Copy its address anew.")
        return Response(calendar.to_ical(), media_type="text/calendar; charset=utf-8", headers=_HEADERS)


def addresses(tokens: Tokens | None, team: Team, me: UUID) -> dict[str, str]:
    """Where one subscribes to one's own shifts and to a team's rota; empty where nothing can be signed."""
    if tokens is None:
        return {}
    mine, whole = tokens.sign(_MINE, me), tokens.sign(_TEAM, _id_of(team), me.bytes)
    return {"mine": f"/rota/feed/{mine}.ics", "team": f"/rota/feed/{whole}.ics"}


def _calendar(tokens: Tokens, token: str, staff: Staff, now: datetime) -> Calendar | None:
    mine = tokens.verify(_MINE, token)
    if mine is not None and staff.by_id(mine.subject) in staff.members:
        found = [outlook(team, staff, now, WEEKS) for team in staff.teams]
        return _written("My shifts", found, staff, now, only=mine.subject)
    whole = tokens.verify(_TEAM, token)
    if whole is None or len(whole.extra) != 16 or staff.by_id(UUID(bytes=whole.extra)) is None:  # noqa: PLR2004 - a UUID
        return None
    team = next((one for one in staff.teams if _id_of(one) == whole.subject), None)
    if team is None:
        return None
    return _written(_name(team), [outlook(team, staff, now, WEEKS)], staff, now)


def _written(
    name: str, found: Iterable[Outlook], staff: Staff, now: datetime, only: UUID | None = None
) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Afterword//Rota//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for one in found:
        for event in _events(one, staff, now, only):
            calendar.add_component(event)
    return calendar


def _events(one: Outlook, staff: Staff, now: datetime, only: UUID | None) -> Iterable[Event]:
    for shift in one.shifts:
        if only is None or shift.user_id == only:
            member = staff.by_id(shift.user_id)
            words = f"{member.name if member else ''}: on call, {_name(one.team)}"
            identity = derive("shift", one.team.key, shift.user_id, shift.starts_at)
            yield _event(identity, (shift.starts_at, shift.ends_at), words, now)
    for gap in one.gaps if only is None else ():
        identity = derive("gap", one.team.key, gap.starts_at)
        yield _event(identity, (gap.starts_at, gap.ends_at), f"Nobody on call: {gap.why}", now)


def _event(identity: UUID, span: tuple[datetime, datetime], words: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{identity}@afterword")
    event.add("dtstamp", now)
    event.add("dtstart", span[0])
    event.add("dtend", span[1])
    event.add("summary", words)
    event.add("transp", "TRANSPARENT")
    return event


def _name(team: Team) -> str:
    return team.name or SHARED


def _id_of(team: Team) -> UUID:
    return derive("team", team.key)
