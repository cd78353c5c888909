"""The road map, and one improvement action with what it has changed (R76, R81)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from services.alerts.domain import words
from services.alerts.domain.causes import find
from services.alerts.domain.effect import SPAN, can_be_told
from services.alerts.domain.improvements import FOLLOWS, LONGEST_NAME, SHIPPED, Improvement, Plan, road_map
from services.alerts.domain.model import Answer, Refused, Ticket
from services.alerts.handlers import opening
from services.alerts.handlers.improving import Action, NoSuchImprovementError, Wish, act, keep
from services.alerts.pages import improvement_words as say
from services.alerts.pages.house import House, Rep, uuid_in
from services.alerts.store import answers, cases, directory, improvements, raising, rota, taking_part
from shared.contracts.improvements import Stage
from shared.contracts.messages import MessageKind
from shared.db.database import Connection
from shared.runtime.ids import random_id
from shared.security.access import User
from shared.web.dates import zone_of
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

PAGE = 50
USUAL = timedelta(days=60)
VIEWS = {"map": "Road map", "shipped": "Shipped", "ended": "Ended"}
DONE = {
    "kept": "Written down.",
    "propose": "It is a proposal again.",
    "plan": "Planned.",
    "start": "Under way.",
    "ship": "Shipped. Well done.",
    "measure": "Written down, with what it has changed.",
    "drop": "Dropped.",
    "note": "Noted.",
    "link": "Linked.",
    "unlink": "Taken off.",
    "tell": "They are told.",
    "invite": "They are invited. Who says yes is a task for the owner.",
}
_NO = UUID(int=0)


class Origin(BaseModel):
    """What a new one comes from, as an address says it: a case, a comment by its answer, or a theme."""

    ticket: str = Field("", max_length=40)
    response: str = Field("", max_length=40)
    theme: str = Field("", max_length=LONGEST_NAME)
    programme: str = Field("", max_length=LONGEST_NAME)


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of improvements."""

    @routes.get("/improvements")
    async def listed(request: Request, _me: Rep, view: str = "map") -> Response:
        """The road map: what is late first, then by priority."""
        async with house.db.read() as conn:
            context = await _road_map(house, conn, view if view in VIEWS else "map")
        return page(request, house.env, "improvements.html", context, locale="en")

    @routes.get("/improvements/new")
    async def new(request: Request, me: Rep, origin: Annotated[Origin, Query()]) -> Response:
        """The form of a new one, filled in from the case, comment or theme that it comes from."""
        async with house.db.read() as conn:
            context = await _form(house, conn, me, origin)
        return page(request, house.env, "improvement_form.html", context, locale="en")

    @routes.get("/improvements/{improvement_id}")
    async def one(request: Request, improvement_id: UUID, me: Rep, done: str = "") -> Response:
        """One improvement."""
        async with house.db.read() as conn:
            context = await _one(house, conn, improvement_id, me)
        return page(
            request, house.env, "improvement.html", {**context, "done": DONE.get(done, "")}, locale="en"
        )

    _saving(routes, house)
    _acting(routes, house)


def _saving(routes: APIRouter, house: House) -> None:
    @routes.post("/improvements/{improvement_id}")
    async def save(request: Request, improvement_id: UUID, me: Rep) -> Response:
        """Propose it, or change it; a new one is linked to the case or comment that it comes from."""
        fields = await text_fields(request)
        plan = _plan(fields)
        ticket, response = uuid_in(fields.get("ticket", "")), uuid_in(fields.get("response", ""))
        async with house.db.begin() as tx:
            done: object = plan
            if isinstance(plan, Plan):
                done = await keep(house.desk, tx, improvement_id, plan, me.id, _version(fields))
            if isinstance(done, Improvement) and (ticket or response):
                from_it = Wish(Action.LINK, me.id, ticket=ticket, response=response)
                await act(house.desk, tx, improvement_id, from_it)
        if not isinstance(done, Refused):
            return RedirectResponse(f"/improvements/{improvement_id}?done=kept", 303)
        async with house.db.read() as conn:
            origin = Origin(ticket=fields.get("ticket", ""), response=fields.get("response", ""))
            context = await _form(house, conn, me, origin)
        typed = {"refused": done.why, "id": improvement_id, "values": {**context["values"], **fields}}
        return page(
            request, house.env, "improvement_form.html", {**context, **typed}, status=409, locale="en"
        )


def _acting(routes: APIRouter, house: House) -> None:
    @routes.post("/improvements/{improvement_id}/{action}")
    async def do(request: Request, improvement_id: UUID, action: Action, me: Rep) -> Response:
        """Do something with it."""
        fields = await text_fields(request)
        try:
            async with house.db.begin() as tx:
                result = await act(house.desk, tx, improvement_id, _wish(action, me, fields))
        except NoSuchImprovementError:
            raise _unknown() from None
        if not isinstance(result, Refused):
            return RedirectResponse(f"/improvements/{improvement_id}?done={action.value}", 303)
        async with house.db.read() as conn:
            context = await _one(house, conn, improvement_id, me)
        typed = {"refused": result.why, "tried": action.value, "typed": fields}
        return page(request, house.env, "improvement.html", {**context, **typed}, status=409, locale="en")

    @routes.post("/tickets/{ticket_id}/improvement")
    async def link(request: Request, ticket_id: UUID, me: Rep) -> Response:
        """Link a case to an improvement that there is already."""
        chosen = uuid_in((await text_fields(request)).get("improvement", ""))
        try:
            async with house.db.begin() as tx:
                await act(house.desk, tx, chosen or _NO, Wish(Action.LINK, me.id, ticket=ticket_id))
        except NoSuchImprovementError:
            raise _unknown() from None
        return RedirectResponse(f"/improvements/{chosen}?done=link", 303)


async def _road_map(house: House, conn: Connection, view: str) -> dict[str, Any]:
    today = await _today(conn, house.clock.now())
    waiting, shipped = await improvements.waiting(conn), await improvements.shipped(conn)
    found = {"map": road_map(waiting, today), "shipped": shipped}.get(view)
    if found is None:
        found = await improvements.ended(conn, PAGE)
    names, behind = await _names(house, conn), await improvements.voices(conn, [one.id for one in found])
    late = [one for one in waiting if one.late(today)]
    numbers = {"map": len(waiting), "shipped": len(shipped), "ended": 0}
    return {
        "section": "inbox",
        "view": view,
        "tabs": [(_tab(key, numbers[key]), f"/improvements?view={key}") for key in VIEWS],
        "current": f"/improvements?view={view}",
        "late": len(late),
        "most": PAGE,
        "rows": [say.road_row(one, names, behind.get(one.id, 0), today, house.desk.causes) for one in found],
    }


async def _form(house: House, conn: Connection, me: User, origin: Origin) -> dict[str, Any]:
    found, comment, said = await _from(house, conn, origin)
    about = comment.snapshot if comment else found.snapshot if found else None
    today = await _today(conn, house.clock.now())
    values = {
        "title": "",
        "theme": " ".join(origin.theme.split()) or (found.cause if found else ""),
        "programme": about.programme if about else origin.programme,
        "product": about.product if about else "",
        "impact": 3,
        "effort": 3,
        "owner": str(me.id),
        "due_on": (today + USUAL).isoformat(),
    }
    return {
        "section": "inbox",
        "id": random_id(),
        "ticket": found.id if found else None,
        "account": about.account_name if about else "",
        "comment": comment,
        "said": said,
        "values": values,
        "refused": "",
        **await _choices(house, conn),
    }


async def _from(house: House, conn: Connection, origin: Origin) -> tuple[Ticket | None, Answer | None, str]:
    """The case and the answer that a new one comes from, and what was said in it."""
    ticket_id, response_id = uuid_in(origin.ticket), uuid_in(origin.response)
    comment, said = None, ""
    if response_id is not None:
        comment = (await answers.load(conn, {response_id})).get(response_id)
        ticket_id = await raising.case_of(conn, response_id) or ticket_id
    if comment is not None:
        (said,) = await opening.words(house.desk.sealer, conn, [comment])
    return await cases.ticket(conn, ticket_id) if ticket_id else None, comment, said


async def _choices(house: House, conn: Connection) -> dict[str, Any]:
    staff = await rota.staff(conn, house.clock.now(), house.desk.leadership, house.desk.roster)
    return {
        "workers": [(str(m.user_id), m.name) for m in staff.members if m.user_id in staff.workers],
        "causes": [(cause.key, cause.label) for cause in house.desk.causes],
    }


async def _one(house: House, conn: Connection, improvement_id: UUID, me: User) -> dict[str, Any]:
    one = await improvements.get(conn, improvement_id)
    if one is None:
        raise _unknown()
    now, plan = house.clock.now(), one.plan
    today, names = await _today(conn, now), await _names(house, conn)
    linked = await improvements.cases(conn, one.id)
    raised = await improvements.raised(conn, one.id, MessageKind.YOU_SAID_WE_DID.value)
    invited = await improvements.raised(conn, one.id, MessageKind.INVITATION.value)
    stands = await improvements.stands(conn, one, now)
    effects = stands.effects
    cause = find(house.desk.causes, plan.theme)
    since = (one.shipped_at or now) - SPAN
    asked, lost = say.told(raised)
    customers = (await improvements.voices(conn, [one.id])).get(one.id, 0)
    return {
        "section": "inbox",
        "row": say.road_row(one, names, customers, today, house.desk.causes),
        "id": one.id,
        "steps": [stage.value for stage in Stage if stage in FOLLOWS[one.stage]],
        "values": {
            name: getattr(plan, name)
            for name in ("title", "theme", "programme", "product", "impact", "effort")
        }
        | {"owner": str(plan.owner), "due_on": plan.due_on.isoformat()},
        "cases": linked,
        "comments": [
            (said, words.score(said.score, said.scale)) for said in await raising.comments(conn, one.id)
        ],
        "cause": cause.label if cause else "",
        "others": await improvements.count_unlinked(conn, one.id, plan.theme, since),
        "raised": len(raised),
        "tongues": say.tongues(raised),
        "inviting": say.tongues(invited),
        "invited": sum(who.state is not None for who in invited),
        "helpers": await taking_part.helpers(conn, one.id),
        "asked": asked,
        "lost": lost,
        "effects": [say.effect_row(each, over=one.figures is not None) for each in effects],
        "by_cause": stands.cases if cause and one.shipped_at else None,
        "counted_at": stands.at if one.figures is None and stands.at < now else None,
        "measurable": one.shipped_at is not None and can_be_told(effects, one.shipped_at, now),
        "is_shipped": one.stage in SHIPPED,
        "lines": say.history(await improvements.history(conn, one.id), names),
        "mine": plan.owner == me.id,
        "done": "",
        "refused": "",
        "tried": "",
        "typed": {},
        **await _choices(house, conn),
    }


async def _names(house: House, conn: Connection) -> Mapping[UUID, str]:
    """Those who can own an improvement; who has left owns none."""
    staff = await rota.staff(conn, house.clock.now(), house.desk.leadership, house.desk.roster)
    return {m.user_id: m.name for m in staff.members if m.user_id in staff.workers}


async def _today(conn: Connection, now: datetime) -> date:
    return now.astimezone(zone_of((await directory.organisation(conn)).zone)).date()


def _plan(fields: Mapping[str, str]) -> Plan | Refused:
    owner, due_on = uuid_in(fields.get("owner", "")), _day(fields.get("due_on", ""))
    if owner is None:
        return Refused("Choose an owner.")
    if due_on is None:
        return Refused("Choose the day by which it is shipped.")
    return Plan(
        fields.get("title", ""),
        _weight(fields.get("impact", "")),
        _weight(fields.get("effort", "")),
        owner,
        due_on,
        fields.get("theme", ""),
        fields.get("programme", ""),
        fields.get("product", ""),
    )


def _wish(action: Action, me: User, fields: Mapping[str, str]) -> Wish:
    told = {name.removeprefix("text_"): text for name, text in fields.items() if name.startswith("text_")}
    ticket, response = uuid_in(fields.get("ticket", "")), uuid_in(fields.get("response", ""))
    return Wish(action, me.id, _version(fields), fields.get("note", ""), ticket, response, told)


def _version(fields: Mapping[str, str]) -> int | None:
    version = fields.get("version", "")
    return int(version) if version.isdigit() and len(version) < 10 else None  # noqa: PLR2004 - an int4


def _weight(text: str) -> int:
    """Impact or effort; 0 for what is none, which no plan takes."""
    return int(text) if text.isdigit() and len(text) == 1 else 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _tab(key: str, number: int) -> str:
    return f"{VIEWS[key]} {number}" if number else VIEWS[key]


def _unknown() -> Problem:
    return Problem(404, "There is no such improvement.", what_to_do="Go back to the road map.")
