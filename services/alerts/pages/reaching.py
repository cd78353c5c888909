"""How somebody is told: the address that they sign in with, and a number for when mail fails."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.channels.sms import number
from services.alerts.handlers.opening import Number
from services.alerts.handlers.opening import number as opened
from services.alerts.pages.house import House, Rep
from services.alerts.store import ways
from shared.errors import SendError
from shared.security.access import User
from shared.web.forms import text_fields
from shared.web.templates import page

PATH = "/inbox/reach-me"


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of the page."""

    @routes.get(PATH)
    async def show(request: Request, me: Rep, done: str = "") -> Response:
        """How I am told."""
        return page(request, house.env, "reaching.html", await _mine(house, me) | {"done": done}, locale="en")

    @routes.post(PATH)
    async def save(request: Request, me: Rep) -> Response:
        """Keep my number, or none."""
        given = (await text_fields(request)).get("number", "").strip()
        try:
            kept = number(given) if given else ""
        except SendError:
            wrong = {"typed": given[:40], "error": "Write it with the country, like +46 70 123 45 67."}
            context = await _mine(house, me) | wrong
            return page(request, house.env, "reaching.html", context, status=422, locale="en")
        async with house.db.begin() as tx:
            sealed = await house.desk.sealer.seal(tx.conn, [(me.id, Number(number=kept))]) if kept else [""]
            await ways.save_number(tx.conn, me.id, sealed[0])
        return RedirectResponse(f"{PATH}?done=1", 303)


async def _mine(house: House, me: User) -> dict[str, Any]:
    async with house.db.read() as conn:
        sealed = (await ways.numbers(conn, {me.id})).get(me.id, "")
        mine = await opened(house.desk.sealer, conn, me.id, sealed)
    texting = "sms" in house.desk.ways
    return {"section": "inbox", "typed": mine, "error": "", "texting": texting, "done": ""}
