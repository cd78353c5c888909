"""Routes for programs: what became of messages, who is not written to, how a mail looks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from services.dispatch.channels.render import Renderer
from services.dispatch.domain.letter import Ask, Links, Reader, invite
from services.dispatch.domain.model import read_texts
from services.dispatch.domain.states import State
from services.dispatch.domain.text import UnsafeText
from services.dispatch.store import queue, suppressions, views
from services.dispatch.store.views import Filter
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import Person, Snapshot
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.problems import Problem

MAX_ROWS = 500
# A mail carries its styles inline and may show a logo; it runs nothing and loads nothing else.
_PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src https:; sandbox"
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]
ContactReader = Annotated[Principal, Depends(require_scope(Scope.CONTACTS_READ))]
ProgrammeReader = Annotated[Principal, Depends(require_scope(Scope.PROGRAMMES_READ))]


def routes(db: Database, renderer: Renderer) -> APIRouter:
    """The routes below `/v1/messages`, `/v1/suppressions` and `/v1/previews`."""
    router = APIRouter(prefix="/v1", tags=["dispatch"])

    @router.get("/messages")
    async def messages(
        _reader: MessageReader,
        survey: UUID | None = None,
        contact: UUID | None = None,
        state: State | None = None,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """Messages with their attempts, newest first; those that could not be sent are `?state=failed`."""
        async with db.read() as conn:
            found = await views.messages(conn, Filter(survey, contact, state and state.value, limit))
        return {"messages": [asdict(message) for message in found]}

    @router.get("/messages/books")
    async def books(_reader: MessageReader) -> dict[str, Any]:
        """Surveys by what became of their first message; `balanced` says that none got lost."""
        async with db.read() as conn:
            sums = await views.books(conn)
        return {**asdict(sums), "balanced": sums.balanced}

    @router.get("/suppressions")
    async def stopped(
        _reader: ContactReader, before: datetime | None = None, limit: Limit = 100, *, lifted: bool = False
    ) -> dict[str, Any]:
        """Who is not written to and why, newest first; ids only, addresses are not kept.

        With `lifted` who was not, until they agreed again.
        """
        read = suppressions.lifted if lifted else suppressions.suppressions
        async with db.read() as conn:
            found = await read(conn, limit, before)
        return {"suppressions": [asdict(one) for one in found]}

    @router.get("/previews/{programme}", response_class=HTMLResponse)
    async def preview(
        _reader: ProgrammeReader, programme: str, locale: str = "en", *, reminder: bool = False
    ) -> Response:
        """The mail of a programme as its last survey would look to somebody called Alex Example."""
        async with db.read() as conn:
            house = await queue.house(conn)
            latest = await views.latest(conn, programme)
        if house is None or latest is None:
            raise Problem(
                404, "No survey of this programme was requested yet.", what_to_do="Check the programme's key."
            )
        html = _preview(latest, queue.organisation_of(house), renderer, locale, reminder=reminder)
        return HTMLResponse(html, headers={"Content-Security-Policy": _PREVIEW_POLICY})

    return router


def _preview(
    latest: views.Latest,
    organisation: OrganisationChanged,
    renderer: Renderer,
    locale: str,
    *,
    reminder: bool,
) -> str:
    form, texts = read_texts(latest.texts)
    snapshot = Snapshot.model_validate_json(latest.snapshot).model_copy(update={"locale": locale})
    reader = Reader(Person(name="Alex Example", email="alex@example.com"), snapshot, latest.slots)
    links = Links(f"{organisation.public_url}/u/preview", f"{organisation.public_url}/s/preview")
    try:
        letter = invite(Ask(texts, form, latest.closes_at, reminder=reminder), reader, organisation, links)
    except UnsafeText as error:
        raise Problem(422, str(error), what_to_do="Mend the text in the programme's file.") from error
    return renderer.render(letter).html
