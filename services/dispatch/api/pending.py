"""Links and what waits in the product: for backends by key, for the widget by a token of one person."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from services.dispatch.domain.letter import Ask, Links, Reader, invite
from services.dispatch.domain.model import read_texts
from services.dispatch.handlers.reporting import fields_of
from services.dispatch.store import pending, queue, replies
from services.dispatch.store.pending import Pending
from shared.contracts.deliveries import DeliveryDelivered
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import Person, Snapshot
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.security.tokens import Tokens
from shared.web.problems import Problem

PURPOSE = "in_app"
MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]
# A token is all that is needed, there is no cookie to misuse: any page of the customer's may ask.
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


def pending_routes(db: Database, tokens: Tokens, public_url: str) -> APIRouter:
    """The routes below `/v1/pending` and `/v1/links`."""
    router = APIRouter(prefix="/v1", tags=["dispatch"])

    @router.get("/links/{survey}")
    async def link(_reader: MessageReader, survey: UUID) -> dict[str, str]:
        """The personal link of a survey, for whoever passes it on."""
        async with db.read() as conn:
            if not await pending.survey_exists(conn, survey):
                raise Problem(404, "There is no survey of this id that can still be answered.")
            house = await queue.house(conn)
        base = queue.organisation_of(house).public_url if house else ""
        return {"survey_id": str(survey), "url": _url(tokens, base or public_url, survey)}

    @router.get("/pending")
    async def of_contact(_reader: MessageReader, contact: UUID) -> dict[str, Any]:
        """What waits for somebody, and the token by which the widget asks for it in their browser."""
        found = await _surveys(db, tokens, public_url, contact)
        return {"token": tokens.sign(PURPOSE, contact), "surveys": found}

    @router.get("/pending/{token}")
    async def of_token(token: str) -> JSONResponse:
        """What waits for the person of a token; being shown counts as delivered."""
        verified = tokens.verify(PURPOSE, token)
        if verified is None:
            raise Problem(404, "This is no token of a person.", what_to_do="Ask /v1/pending for one.")
        found = await _surveys(db, tokens, public_url, verified.subject, shown=True)
        return JSONResponse({"surveys": found}, headers=_ANYWHERE)

    return router


async def _surveys(
    db: Database, tokens: Tokens, public_url: str, contact: UUID, *, shown: bool = False
) -> list[dict[str, Any]]:
    async with db.read() as conn:
        house = await queue.house(conn)
        found = await pending.pending(conn, contact, db.clock.now()) if house else []
    fresh = [one.delivery_id for one in found if not one.seen]
    if shown and fresh:
        async with db.begin() as tx:
            news = await replies.mark_delivered(tx.conn, fresh, tx.now)
            for one in await queue.announcements(tx.conn, news):
                event = DeliveryDelivered(**fields_of(one, tx.now))
                tx.emit(event, identity=str(one.delivery_id), key=one.key)
    if house is None:
        return []
    organisation = queue.organisation_of(house)
    return [_shown(one, organisation, tokens, organisation.public_url or public_url) for one in found]


def _shown(one: Pending, organisation: OrganisationChanged, tokens: Tokens, base: str) -> dict[str, Any]:
    form, texts = read_texts(one.texts)
    snapshot = Snapshot.model_validate_json(one.snapshot)
    links = Links(base, _url(tokens, base, one.survey_id))
    ask = Ask(texts, form, one.closes_at, started=one.started)
    letter = invite(ask, Reader(Person(), snapshot, one.slots), organisation, links)
    row = letter.row
    return {
        "survey_id": str(one.survey_id),
        "programme": snapshot.programme,
        "locale": letter.frame.locale,
        "title": letter.subject,
        "question": row.question if row else "",
        "low": row.low if row else "",
        "high": row.high if row else "",
        "incentive": letter.incentive,
        "scores": [{"value": value, "url": url} for value, url in row.scores] if row else [],
        "url": links.survey,
        "started": one.started,
        "closes_at": one.closes_at.isoformat(),
    }


def _url(tokens: Tokens, base: str, survey: UUID) -> str:
    return f"{base.rstrip('/')}/s/{tokens.sign('answer', survey)}"
