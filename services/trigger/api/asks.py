"""`POST /v1/programmes/{key}/asks`: ask people by hand; the gate applies as to everybody."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field

from services.trigger.domain.by_hand import MOST, AskedByHand
from services.trigger.domain.explain import foresight
from services.trigger.handlers import people
from services.trigger.handlers.asking import NotByHandError, ask_by_hand
from services.trigger.handlers.intake import Taken
from services.trigger.handlers.preview import by_hand, preview
from services.trigger.store import directory
from shared.contracts.reasons import Outcome, Reason
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN, Key
from shared.web.problems import Problem

Asker = Annotated[Principal, Depends(require_scope("touchpoints:write"))]
Wanted = Annotated[str, Query(min_length=1, max_length=320, pattern=PLAIN)]
Reference = Annotated[str, Header(alias="idempotency-key", max_length=200)]


class Asks(BaseModel):
    """People to be asked."""

    people: list[AskedByHand] = Field(min_length=1, max_length=MOST)


class Receipt(BaseModel):
    """How many were taken, and how many of them were known from an earlier request of this reference."""

    reference: str
    accepted: int
    duplicate: int
    conflict: int


class Foreseen(BaseModel):
    """What would become of it; `until` = when it would be sent, or looked at again."""

    outcome: Outcome
    reason: Reason | None
    until: datetime | None
    sentence: str


def router(platform: Platform) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.post("/programmes/{key}/asks", status_code=202)
    async def ask(key: Key, asks: Asks, asker: Asker, reference: Reference = "") -> Receipt:
        """Ask people of a programme with `on: manual`. Repeat a request with the same `Idempotency-Key`."""
        reference = reference or str(random_id())
        try:
            async with platform.db.begin() as tx:
                statuses = await ask_by_hand(
                    tx, platform.sealer, key, asks.people, reference=reference, by=asker.actor
                )
        except NotByHandError as error:
            raise Problem(
                409, f"{error}.", what_to_do="See docs/programmes.md, on: manual.", field="key"
            ) from error
        counted = Counter(statuses)
        return Receipt(
            reference=reference,
            accepted=counted[Taken.ACCEPTED],
            duplicate=counted[Taken.DUPLICATE],
            conflict=counted[Taken.CONFLICT],
        )

    @routes.get("/programmes/{key}/asks/preview")
    async def foresee(key: Key, contact: Wanted, _asker: Asker) -> Foreseen:
        """What would become of asking somebody now, by the same rules; nothing is written."""
        async with platform.db.read() as conn:
            edition = next((one for one in await by_hand(conn) if one.key == key), None)
            if edition is None:
                raise Problem(404, "There is no such programme that is asked by hand.", field="key")
            contact_id = await people.find_contact(conn, platform.sealer, contact)
            known = await directory.get_contacts(conn, [contact_id] if contact_id else [])
            if contact_id is None or contact_id not in known:
                raise Problem(404, "No contact is known by that.", field="contact")
            now = platform.clock.now()
            found = await preview(conn, platform.sealer.blind, known[contact_id], edition, now)
        return Foreseen(
            outcome=found.outcome, reason=found.reason, until=found.until, sentence=foresight(found)
        )

    return routes
