"""Tasks for passives and promoters: the lists, one task, and what referrals come to (R73-R75)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.model import Refused
from services.alerts.domain.referrals import ReferralState, total
from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.tasks import Action, NoSuchTaskError, Recommendation, Wish, act, refer
from services.alerts.pages import task_words
from services.alerts.pages.house import House, Rep, uuid_in
from services.alerts.store import directory, referrals, rota, task_views
from shared.db.database import Connection
from shared.runtime.ids import random_id
from shared.security.access import User
from shared.web.dates import zone_of
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

PAGE = 50
SOON = timedelta(days=7)
VIEWS = {"mine": "Mine", "team": "Team", "due": "Due", "done": "Ended", "referrals": "Referrals"}
DONE = {
    "done": "Done. Well done.",
    "decline": "Written down. They are not asked again so soon.",
    "note": "Noted.",
    "assign": "Given.",
    "reopen": "The task is open again.",
    "quotable": "Written down: their words may be published, without name and company.",
    "unquotable": "Written down. Afterword publishes their words no longer; take them down elsewhere.",
    "referral": "Written down.",
}


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of tasks."""

    @routes.get("/tasks")
    async def tasks(request: Request, me: Rep, view: str = "mine") -> Response:
        """Tasks, what is due first at the top."""
        async with house.db.read() as conn:
            context = await _lists(house.desk, conn, me, view, house.clock.now())
        return page(request, house.env, "tasks.html", context, locale="en")

    @routes.get("/tasks/{task_id}")
    async def task(request: Request, task_id: UUID, me: Rep, done: str = "") -> Response:
        """One task."""
        async with house.db.read() as conn:
            context = await _task(house, conn, task_id, me)
        return page(request, house.env, "task.html", {**context, "done": DONE.get(done, "")}, locale="en")

    @routes.post("/tasks/{task_id}/referrals")
    async def recommend(request: Request, task_id: UUID, me: Rep) -> Response:
        """Write down a referral, or how far it is."""
        fields = await text_fields(request)
        try:
            async with house.db.begin() as tx:
                told = _told(fields, me, (await directory.organisation(tx.conn)).zone)
                result = await refer(house.desk, tx, task_id, told)
        except NoSuchTaskError:
            raise _unknown() from None
        return await _answer(request, house, me, task_id, result, did="referral", fields=fields)

    @routes.post("/tasks/{task_id}/{action}")
    async def do(request: Request, task_id: UUID, action: Action, me: Rep) -> Response:
        """Do something with a task."""
        fields = await text_fields(request)
        try:
            async with house.db.begin() as tx:
                result = await act(house.desk, tx, task_id, _wish(action, me, fields))
        except NoSuchTaskError:
            raise _unknown() from None
        return await _answer(request, house, me, task_id, result, did=action.value, fields=fields)


async def _answer(  # noqa: PLR0913 - what it was asked with
    request: Request,
    house: House,
    me: User,
    task_id: UUID,
    result: object,
    *,
    did: str,
    fields: Mapping[str, str],
) -> Response:
    if not isinstance(result, Refused):
        return RedirectResponse(f"/tasks/{task_id}?done={did}", 303)
    async with house.db.read() as conn:
        context = await _task(house, conn, task_id, me)
    typed = {"refused": result.why, "note": fields.get("note", ""), "tried": did}
    return page(request, house.env, "task.html", {**context, **typed}, status=409, locale="en")


async def _lists(desk: Desk, conn: Connection, me: User, view: str, now: datetime) -> dict[str, Any]:
    chosen = view if view in VIEWS or view == "left-out" else "mine"
    counts = await task_views.counts(conn, me.id, now, now + SOON)
    context: dict[str, Any] = {
        "section": "inbox",
        "view": chosen,
        "tabs": [(_tab(key, counts), f"/tasks?view={key}") for key in VIEWS],
        "current": f"/tasks?view={chosen}",
        "counts": counts,
        "rows": [],
        "most": PAGE,
    }
    if chosen == "referrals":
        return context | await _referrals(desk, conn)
    if chosen == "left-out":
        found = await task_views.left_out(conn, PAGE)
        return context | {"left_out": await task_words.left_out(desk, conn, found)}
    query = task_views.Query(
        owner=me.id if chosen == "mine" else None,
        unowned_too=True,
        ended=chosen == "done",
        before=now + SOON if chosen == "due" else None,
        limit=PAGE,
    )
    return context | {"rows": await task_words.rows(desk, conn, await task_views.lines(conn, query), now)}


async def _referrals(desk: Desk, conn: Connection) -> dict[str, Any]:
    parts = await referrals.sums(conn, None)
    found = await referrals.listed(conn, None, PAGE)
    return {
        "all": total(parts),
        "parts": parts,
        "referrals": await task_words.recommended(desk, conn, found),
    }


async def _task(house: House, conn: Connection, task_id: UUID, me: User) -> dict[str, Any]:
    now, desk = house.clock.now(), house.desk
    found = await task_views.lines(conn, task_views.Query(task_id=task_id))
    if not found:
        raise _unknown()
    (row,) = await task_words.rows(desk, conn, found, now)
    words = ""
    if row.kind.consent:
        (words,) = await opening.texts(desk.sealer, conn, [(row.task.contact_id, found[0].words)])
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    return {
        "section": "inbox",
        "row": row,
        "words": words,
        "lines": await task_words.history(desk, conn, row.task),
        "referrals": await task_words.of_task(desk, conn, task_id),
        "workers": [(str(m.user_id), m.name) for m in staff.members if m.user_id in staff.workers],
        "mine": row.task.owner.user_id == me.id,
        "reference": str(random_id()),
        "today": now.astimezone(zone_of((await directory.organisation(conn)).zone)).date(),
        "done": "",
        "refused": "",
        "note": "",
        "tried": "",
    }


def _wish(action: Action, me: User, fields: Mapping[str, str]) -> Wish:
    version = fields.get("version", "")
    return Wish(
        action,
        me.id,
        seen=int(version) if version.isdigit() and len(version) < 10 else None,  # noqa: PLR2004 - an int4
        note=fields.get("note", ""),
        to=uuid_in(fields.get("to", "")),
        agreed=bool(fields.get("agreed")),
    )


def _told(fields: Mapping[str, str], me: User, zone: str) -> Recommendation:
    state = fields.get("state", "sent")
    if state not in set(ReferralState):
        raise Problem(422, "There is no such state.", what_to_do="Go back to the task.", field="state")
    return Recommendation(
        fields.get("reference", ""),
        me.id,
        ReferralState(state),
        fields.get("who", ""),
        _day(fields.get("on", ""), zone),
    )


def _day(text: str, zone: str) -> datetime | None:
    """The beginning of a day where the organisation is; None for no day."""
    try:
        day = datetime.combine(datetime.fromisoformat(text).date(), time(), zone_of(zone))
    except ValueError:
        return None
    return day.astimezone(UTC)


def _tab(key: str, counts: Mapping[str, int]) -> str:
    number = counts.get(key)
    return f"{VIEWS[key]} {number}" if number else VIEWS[key]


def _unknown() -> Problem:
    return Problem(404, "There is no such task.", what_to_do="Go back to the tasks.")
