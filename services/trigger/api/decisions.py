"""`GET /v1/decisions`: why somebody was, or was not, asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.trigger.api.reading import DecisionLine, line_of
from services.trigger.domain.books import Books
from services.trigger.handlers import people
from services.trigger.store import ledger, programmes
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN
from shared.web.problems import Problem

Some = Annotated[str, Query(max_length=320, pattern=PLAIN)]
Reader = Annotated[Principal, Depends(require_scope("decisions:read"))]


class Decisions(BaseModel):
    """Newest first; `before` asks for the next page, None at the end."""

    decisions: list[DecisionLine]
    before: int | None


def router(platform: Platform) -> APIRouter:
    """The route of the ledger."""
    routes = APIRouter(prefix="/v1", tags=["decisions"])

    @routes.get("/decisions")
    async def decisions(  # a query has as many fields as it has
        _reader: Reader,
        contact: Some = "",
        account: Some = "",
        event: Some = "",
        programme: Some = "",
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Decisions:
        """Every decision about a contact (id, backend id, e-mail, phone), an account, event or programme.

        All that is given must fit. Of whoever was merged, all ids are looked at.
        """
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
            question = ledger.Question(
                await people.all_ids(conn, contact_id),
                await people.all_ids_of_account(conn, account_id),
                event or None,
                programme or None,
                before,
                limit,
            )
            found = await ledger.read(conn, question)
        more = found[-1].id if len(found) == limit else None
        return Decisions(decisions=[line_of(entry) for entry in found], before=more)

    @routes.get("/decisions/books")
    async def books(_reader: Reader) -> Books:
        """Plans by what became of them; planned = pending + requested + suppressed + cancelled."""
        async with platform.db.read() as conn:
            return await ledger.books(conn)

    return routes
