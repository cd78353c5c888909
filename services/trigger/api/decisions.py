"""`GET /v1/decisions`: why somebody was, or was not, asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.trigger.api.reading import DecisionLine, line_of
from services.trigger.domain.books import Books
from services.trigger.domain.particulars import Reading
from services.trigger.handlers import people
from services.trigger.handlers.looking_up import Trace, events_of_interest, trace
from services.trigger.store import ledger, programmes, refused, sent_ids
from services.trigger.store.refused import Conflict, Letter, Refused
from services.trigger.store.sent_ids import Sent
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN
from shared.web.problems import Problem

Some = Annotated[str, Query(max_length=320, pattern=PLAIN)]
Reader = Annotated[Principal, Depends(require_scope("decisions:read"))]


ELSEWHERE = ("/v1/decisions/left-out", "/v1/decisions/parked")


class Decisions(BaseModel):
    """Newest first; `before` asks for the next page, None at the end.

    Of a question for an event: `events` are those that go by that id, as their senders know them, `put_aside`
    those of them that could not be used; `elsewhere` is where to look when nothing at all is known by it.
    """

    decisions: list[DecisionLine]
    before: int | None
    events: list[Sent]
    put_aside: list[Letter]
    elsewhere: list[str]


class LeftOut(BaseModel):
    """What came in and led to nothing, newest first; what waits for somebody is `/v1/decisions/parked`."""

    refused: list[Refused]
    conflicts: list[Conflict]
    put_aside: list[Letter]


def router(platform: Platform) -> APIRouter:
    """The route of the ledger."""
    routes = APIRouter(prefix="/v1", tags=["decisions"])

    @routes.get("/decisions")
    async def decisions(  # noqa: PLR0913, PLR0917 - a query has as many fields as it has
        _reader: Reader,
        contact: Some = "",
        account: Some = "",
        event: Some = "",
        source: Some = "",
        programme: Some = "",
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Decisions:
        """Every decision about a contact (id, backend id, e-mail, phone), an account, event or programme.

        An event is found by our id, by its sender's id (of the event or of the webhook), and by the id of the
        ticket or order that it is about; `source` tells senders apart. All that is given must fit. Of whoever
        was merged, all ids are looked at.
        """
        if source and not event:
            raise Problem(
                422,
                "A source alone is not enough.",
                what_to_do="Give the id by which it knows the event, too.",
                field="event",
            )
        if not (contact or account or event or programme):
            raise Problem(
                422,
                "Nothing is asked for.",
                what_to_do="Give contact, account, event or programme.",
                field="contact",
            )
        async with platform.db.read() as conn:
            contact_id = await people.find_contact(conn, platform.sealer, contact) if contact else None
            account_id = await people.find_account(conn, account, blank=True) if account else None
            if (contact and contact_id is None) or (account and account_id is None):
                field = "contact" if contact and contact_id is None else "account"
                raise Problem(
                    404, f"No {field} is known by that.", what_to_do="No event ever named it.", field=field
                )
            if programme and await programmes.definition_of(conn, programme) is None:
                raise Problem(404, "There is no such programme.", field="programme")
            traced = await trace(conn, event, source) if event else Trace((), ())
            events = traced.ids if source else tuple({event, *traced.ids} - {""})
            question = ledger.Question(
                await people.all_ids(conn, contact_id),
                await people.all_ids_of_account(conn, account_id),
                events,
                programme or None,
                before,
                limit,
            )
            found = await ledger.read(conn, question) if events or not event else []
            sources = await sent_ids.sources_of(conn, {entry.event_id for entry in found} - {""})
            reading = Reading(events=await events_of_interest(conn, [entry.decision for entry in found]))
        nothing = event and not (found or before or traced.events or traced.letters)
        return Decisions(
            decisions=[line_of(entry, sources, reading) for entry in found],
            before=found[-1].id if len(found) == limit else None,
            events=list(traced.events),
            put_aside=list(traced.letters),
            elsewhere=list(ELSEWHERE) if nothing else [],
        )

    @routes.get("/decisions/left-out")
    async def left_out(
        _reader: Reader, source: Some = "", limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> LeftOut:
        """Requests that were refused, other bodies under known ids, and what was put aside.

        `source` keeps to one sender: that of the events, or the name or route of a webhook, as `hubspot` or
        `/webhooks/hubspot`.
        """
        async with platform.db.read() as conn:
            return LeftOut(
                refused=await refused.listed(conn, limit, source),
                conflicts=await refused.conflicts(conn, limit, source),
                put_aside=await refused.letters(conn, limit, source=source),
            )

    @routes.get("/decisions/books")
    async def books(_reader: Reader) -> Books:
        """Plans by what became of them; planned = pending + requested + suppressed + cancelled."""
        async with platform.db.read() as conn:
            return await ledger.books(conn)

    return routes
