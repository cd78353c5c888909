"""The page that an invitation leads to, for customers: one question, two buttons, in their language (R94).

Mail scanners open every link and some press buttons: a GET changes nothing, and a POST needs the cookie and
the field that this page gave to the same browser.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.alerts.domain.taking_part import Invitation, Said
from services.alerts.handlers import joining
from services.alerts.pages.house import FOLDER, House
from services.alerts.store import directory
from shared.web.forms import checked_form, form_token, keep_form_token
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page, speaking

CATALOGUE = FOLDER / "locales"
LANGUAGES = ("en", *sorted(file.stem for file in CATALOGUE.glob("*.po")))
_PAGES = environment(FOLDER, CATALOGUE)
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of the page."""

    @routes.get("/invitations/{token}")
    async def ask(request: Request, token: str) -> Response:
        """The question."""
        async with house.db.read() as conn:
            one = await joining.invited(house.desk, conn, token)
            name = (await directory.organisation(conn)).name
        return _page(request, one, name)

    @routes.post("/invitations/{token}")
    async def say(request: Request, token: str) -> Response:
        """Yes or no."""
        said = (await checked_form(request)).get("said", "")
        if said not in set(Said):
            raise Problem(422, "Choose yes or no.", what_to_do="Go back and press a button.", field="said")
        async with house.db.begin() as tx:
            one = await joining.invited(house.desk, tx.conn, token)
            if one is not None:
                one = await joining.answer(house.desk, tx, one.message_id, Said(said))
            name = (await directory.organisation(tx.conn)).name
        return _page(request, one, name, said=True)


def _page(request: Request, one: Invitation | None, company: str, *, said: bool = False) -> Response:
    known = one.answer.snapshot.locale if one else None
    speech = speaking(_PAGES, negotiate(known, request.headers.get("accept-language"), LANGUAGES))
    token = form_token(request)
    context = {"company": company, "form": token, "shown": _shown(one, said=said)}
    answer = page(request, _PAGES, "joining.html", context | speech, status=200 if one else 404)
    answer.headers.update(_PRIVATE)
    keep_form_token(request, answer, token)
    return answer


def _shown(one: Invitation | None, *, said: bool) -> str:
    """Which of its faces the page has."""
    if one is None:
        return "unknown"
    if one.over:
        return "over"
    if one.said is Said.YES:
        return "yes"
    return "no" if one.said is Said.NO and said else "question"
