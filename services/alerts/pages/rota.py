"""The rota's page: who is on call now and next; managers change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain import rota as rotas
from services.alerts.domain.calendars import WEEK, Calendar
from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.layers import Override
from services.alerts.domain.rota import Rota, Shift
from services.alerts.domain.routing import Staff, Team
from services.alerts.pages import feeds, rota_plan
from services.alerts.pages.house import House, Manager, Rep
from services.alerts.store import rota, swaps, warnings
from shared.calendars import DAY_MINUTES, knows
from shared.db.database import Connection
from shared.runtime.ids import derive
from shared.security.access import User
from shared.web.forms import text_fields
from shared.web.templates import page

LAST_HOUR = 23
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call, with their name."""

    name: str
    starts_at: datetime
    ends_at: datetime
    override: bool


class BadFormError(ValueError):
    """A field of the form is wrong; the text says which and what to write instead."""


def current(staff: Staff, at: datetime) -> OnCall | None:
    """Who is on call."""
    shift = rotas.on_call(staff.rota.stack, at, staff.workers)
    member = staff.by_id(shift.user_id) if shift else None
    return OnCall(member.name, shift.starts_at, shift.ends_at, shift.override) if shift and member else None


def add(routes: APIRouter, house: House) -> None:
    """Add the rota's routes."""

    @routes.get("/rota")
    async def rota_page(request: Request, me: Rep, team: str | None = None) -> Response:
        """Who is on call now, next and in the weeks ahead."""
        return await show(request, house, me, team)

    @routes.post("/rota")
    async def change(request: Request, me: Manager) -> Response:
        """Replace order, hand-over and zone of the rota that everybody shares."""
        fields = await text_fields(request)
        try:
            wanted = read_rota(fields)
        except BadFormError as error:
            return await show(request, house, me, "", str(error), fields)
        async with house.db.begin() as tx:
            saved = await rota.save(tx.conn, wanted)
        if not saved:
            why = "Somebody else changed the rota meanwhile. This is how it stands."
            return await show(request, house, me, "", why)
        return RedirectResponse(address(""), 303)

    @routes.post("/rota/overrides")
    async def add_override(request: Request, me: Manager) -> Response:
        """Put somebody on call for a while."""
        fields = await text_fields(request)
        try:
            await _save_override(house, fields)
        except BadFormError as error:
            return await show(request, house, me, fields.get("team"), str(error), fields)
        return RedirectResponse(address(fields.get("team", "")), 303)

    @routes.post("/rota/overrides/{override_id}/remove")
    async def remove_override(request: Request, override_id: UUID, _me: Manager) -> Response:
        """Take an override back."""
        fields = await text_fields(request)
        async with house.db.begin() as tx:
            await rota.remove_override(tx.conn, override_id)
        return RedirectResponse(address(fields.get("team", "")), 303)


def address(team: str) -> str:
    """The page of a team's rota."""
    return "/rota?" + urlencode({"team": team})


async def show(
    request: Request,
    house: House,
    me: User,
    team: str | None,
    refused: str = "",
    typed: Mapping[str, str] = NOTHING_TYPED,
) -> Response:
    """The page of one team's rota, with why something was refused and what was typed then."""
    async with house.db.read() as conn:
        context = await _context(conn, house, me.id, team)
    context |= {"refused": refused, "typed": typed}
    return page(request, house.env, "rota.html", context, status=409 if refused else 200, locale="en")


async def _save_override(house: House, fields: Mapping[str, str]) -> None:
    async with house.db.begin() as tx:
        staff = await rota.staff(tx.conn, tx.now, (), house.desk.roster)
        await rota.add_override(tx.conn, read_override(fields, staff))


def read_rota(fields: Mapping[str, str]) -> Rota:
    """The rota of the form: `place-<user>` numbers say the order, empty ones leave people out.

    Raises:
        BadFormError: a field is wrong.
    """
    places: list[tuple[int, str]] = []
    for name, value in fields.items():
        if name.startswith("place-") and value.strip():
            if not value.strip().isdigit() or len(value.strip()) > 3:  # noqa: PLR2004 - nobody has 1000 people
                raise BadFormError("The place of a person in the order must be a number, or empty.")
            places.append((int(value), name.removeprefix("place-")))
    hour, zone = fields.get("hour", ""), fields.get("zone", "")
    if not hour.isdigit() or int(hour) > LAST_HOUR:
        raise BadFormError("The hour of the hand-over must be between 0 and 23.")
    if zone not in available_timezones():
        raise BadFormError("The time zone must be named by place, like Europe/Stockholm.")
    try:
        members = tuple(UUID(user_id) for _, user_id in sorted(places))
        starts_on = date.fromisoformat(fields.get("starts_on", ""))
        version = int(fields.get("version", "0"))
    except ValueError:
        raise BadFormError("The first day must be a date, like 2026-03-02.") from None
    return Rota(members, starts_on, int(hour), zone, version=version, calendar=read_calendar(fields, zone))


def read_calendar(fields: Mapping[str, str], zone: str) -> Calendar | None:
    """The working hours of the form; None where all hours count.

    Raises:
        BadFormError: a field is wrong.
    """
    if fields.get("counts") != "working":
        return None
    country = fields.get("country", "").strip().upper()
    if country and not knows(country):
        raise BadFormError("The country must be a code like SE, or DE-BY for a region; or leave it empty.")
    try:
        opens, closes = _minutes(fields.get("opens", "")), _minutes(fields.get("closes", "")) or DAY_MINUTES
        days = tuple(day for day in range(7) if fields.get(f"day-{day}"))
        return Calendar(zone, days, opens, closes, country)
    except ValueError as error:
        raise BadFormError(f"Working hours: {error}.") from None


def _minutes(text: str) -> int:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise ValueError("give both times, like 09:00 and 17:00") from None
    return at.hour * 60 + at.minute


def read_override(fields: Mapping[str, str], staff: Staff) -> Override:
    """The override of the form; its times are in the team's zone.

    Raises:
        BadFormError: a field is wrong.
    """
    team = staff.team(fields.get("team", ""))
    zone = ZoneInfo(team.zone)
    try:
        user_id = UUID(fields.get("user", ""))
        starts_at = datetime.fromisoformat(fields.get("starts_at", "")).replace(tzinfo=zone)
        ends_at = datetime.fromisoformat(fields.get("ends_at", "")).replace(tzinfo=zone)
    except ValueError:
        raise BadFormError("Choose a person, and give both times.") from None
    if user_id not in staff.workers:
        raise BadFormError("Choose somebody who works on cases and is active.")
    if ends_at <= starts_at:
        raise BadFormError("The end must come after the start.")
    override_id = derive("override", team.key, user_id, starts_at, ends_at)
    return Override(override_id, user_id, starts_at, ends_at, team=team.key)


async def _context(conn: Connection, house: House, me: UUID, key: str | None) -> dict[str, Any]:
    now = house.clock.now()
    staff = await rota.staff(conn, now, house.desk.leadership, house.desk.roster)
    team = rota_plan.chosen(staff, key, me)
    names = await rota.names(conn)
    plan = rota_plan.plan(team, staff, await swaps.to_come(conn, now), names, me, now)
    order = {user_id: place for place, user_id in enumerate(staff.rota.members, 1)}
    workers = [m for m in staff.members if m.user_id in staff.workers]
    return {
        "section": "inbox",
        "plan": plan,
        "tabs": [(one.name or SHARED, address(one.key)) for one in staff.teams],
        "current": address(team.key),
        "heard": rota_plan.heard(await warnings.listed(conn, now, team=team.key), names),
        "feeds": feeds.addresses(house.desk.tokens, team, me),
        "layers": _layer_views(team, names),
        "rota": staff.rota,
        "hours": team.calendar or Calendar(team.zone),
        "week": WEEK,
        "now_on_call": _on_call(plan.ahead.now, names),
        "next_on_call": _on_call(plan.ahead.following, names),
        "people": sorted(
            ({"id": str(m.user_id), "name": m.name, "place": order.get(m.user_id, "")} for m in workers),
            key=lambda p: (p["place"] == "", p["place"] or 0, p["name"]),
        ),
        "overrides": [
            _override_view(o, names) for o in staff.rota.overrides if o.team == team.key and not o.swap
        ],
        "refused": "",
        "typed": NOTHING_TYPED,
    }


def _on_call(shift: Shift | None, names: Mapping[UUID, str]) -> OnCall | None:
    if shift is None:
        return None
    return OnCall(names.get(shift.user_id, ""), shift.starts_at, shift.ends_at, shift.override)


def _layer_views(team: Team, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """The layers of a team of `alerts.yaml`, the highest first, as they are read."""
    turns = {1: "a day each", 7: "a week each", 14: "two weeks each"}
    return [
        {
            "name": layer.name,
            "turns": turns[layer.every],
            "at": f"{layer.minute // 60:02d}:{layer.minute % 60:02d}",
            "weekday": WEEK[layer.starts_on.weekday()] if layer.every > 1 else "",
            "hours": layer.hours,
            "people": [names.get(user_id, "somebody unknown") for user_id in layer.members],
        }
        for layer in reversed(team.stack.layers)
    ]


def _override_view(override: Override, names: Mapping[UUID, str]) -> dict[str, Any]:
    """An override as it is shown."""
    return {
        "id": str(override.id),
        "name": names.get(override.user_id, "Somebody who has left"),
        "starts_at": override.starts_at,
        "ends_at": override.ends_at,
    }
