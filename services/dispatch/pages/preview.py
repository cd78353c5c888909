"""`/messages/preview`: messages by programme, language, channel and step; the same for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.dispatch.channels.preview import (
    Look,
    Preview,
    Step,
    Studio,
    Wanted,
    in_light,
    lines_of,
    locales_of,
)
from services.dispatch.domain.model import read_texts
from services.dispatch.domain.text import UnsafeText
from services.dispatch.pages.titles import title_of
from services.dispatch.store import queue, views
from services.dispatch.store.views import Worded
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import UNASKED, Channel
from shared.db.database import Database
from shared.security.access import Principal, Role, Scope, User, require_role, require_scope
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.security_headers import CSP
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
# A mail carries its styles inline and may show a logo; it runs nothing and loads nothing else.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https:; sandbox; frame-ancestors 'self'; "
    "base-uri 'none'"
)
_EITHER: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
_PAGE_POLICY = f"{CSP}; frame-src 'self'"
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]
ProgrammeReader = Annotated[Principal, Depends(require_scope(Scope.PROGRAMMES_READ))]
_Line = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", max_length=40)]
_Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35)]


class Choice(BaseModel):
    """What is to be shown, as the address says it; "" is for the page to choose."""

    model_config = ConfigDict(frozen=True)

    programme: str = Field(default="", max_length=200)
    locale: _Locale | None = None
    channel: Channel | None = None
    step: Step = Step.INVITATION
    line: _Line = ""
    width: Annotated[str, Field(pattern="^(phone|desk)$")] = "desk"
    look: Look = Look.LIGHT


def preview_routes(db: Database, studio: Studio) -> APIRouter:
    """The page, the mail inside it, and `/v1/previews`."""
    router = APIRouter(tags=["dispatch"])

    @router.get("/messages/preview", include_in_schema=False)
    async def previews(request: Request, user: Viewer, choice: Annotated[Choice, Query()]) -> Response:
        """One message, with all that can be chosen about it."""
        known, organisation = await _known(db)
        one = next((one for one in known if one.programme == choice.programme), None)
        if choice.programme and one is None:
            raise _unknown()
        one = one or next(iter(known), None)
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        context: dict[str, Any] = {
            "section": "programmes",
            "programmes": [(each.programme, title_of(each, locale)) for each in known],
            "one": one,
        }
        if one is not None:
            chosen = choice.model_copy(update={"locale": choice.locale or _first(one, locale)})
            context |= _shown(one, organisation, studio, chosen, db)
        response = page(request, ENVIRONMENT, "preview.html", context)
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response

    @router.get("/messages/preview/mail", include_in_schema=False)
    async def framed(_user: Viewer, choice: Annotated[Choice, Query()]) -> Response:
        """The mail alone, for the frame of the page."""
        wanted = Wanted(choice.programme, choice.locale or "en", Channel.EMAIL, choice.step, choice.line)
        return _mail(await _preview(db, studio, wanted), choice.look)

    @router.get("/v1/previews/{programme}", response_class=HTMLResponse, responses=_EITHER)
    async def preview(
        _reader: ProgrammeReader,
        programme: str,
        locale: _Locale = "en",
        channel: Channel = Channel.EMAIL,
        step: Step = Step.INVITATION,
        line: _Line = "",
        look: Look = Look.OWN,
    ) -> Response:
        """A message of a programme as it would leave, to somebody called Alex Example.

        A mail is HTML; what goes by another channel is plain text. `line` names one of several subjects.
        """
        found = await _preview(db, studio, Wanted(programme, locale, channel, step, line))
        return _mail(found, look) if channel is Channel.EMAIL else PlainTextResponse(found.text)

    return router


async def _known(db: Database) -> tuple[list[Worded], OrganisationChanged]:
    async with db.read() as conn:
        house = await queue.house(conn)
        known = await views.worded(conn)
    if house is None:
        raise Problem(503, "The organisation is not known yet.", retry_after=5)
    return known, queue.organisation_of(house)


async def _preview(db: Database, studio: Studio, wanted: Wanted) -> Preview:
    known, organisation = await _known(db)
    found = next((one for one in known if one.programme == wanted.programme), None)
    if found is None:
        raise _unknown()
    try:
        return studio.show(found.texts, organisation, wanted, db.clock.now())
    except UnsafeText as error:
        raise Problem(422, str(error), what_to_do="Mend the text in the programme's file.") from error


def _unknown() -> Problem:
    return Problem(404, "There is no programme of this key.", what_to_do="See the page Programmes.")


def _mail(found: Preview, look: Look) -> Response:
    headers = {"Content-Security-Policy": _MAIL_POLICY}
    return HTMLResponse(in_light(found.html, look), headers=headers)


def _shown(
    one: Worded, organisation: OrganisationChanged, studio: Studio, choice: Choice, db: Database
) -> dict[str, Any]:
    """What the page says of one message; a text that could not be sent is said instead of it."""
    locales = locales_of(one.texts)
    channel = choice.channel or one.channels[0]
    lines = lines_of(one.texts)
    line = choice.line if choice.line in lines else next(iter(lines), "")
    wanted = Wanted(one.programme, choice.locale or "en", channel, choice.step, line)
    context: dict[str, Any] = {
        "wanted": wanted,
        "locales": tuple(dict.fromkeys((*locales, wanted.locale))),
        "channels": [channel for channel in Channel if channel not in UNASKED],
        "used": one.channels,
        "steps": list(Step),
        "lines": lines,
        "looks": (Look.LIGHT, Look.DARK),
        "width": choice.width,
        "look": choice.look,
        "shown": None,
        "defect": "",
    }
    try:
        context["shown"] = studio.show(one.texts, organisation, wanted, db.clock.now())
    except UnsafeText as error:
        context["defect"] = str(error)
    return context


def _first(one: Worded, reader: str) -> str:
    """The language to begin with: the reader's own if the programme is written in it."""
    written = [tag for tag, text in read_texts(one.texts)[1].subject.items() if text]
    return next((tag for tag in (reader, "en", *written) if tag in written), "en")
