"""Stopping mails: a page for people, and the one click of RFC 8058 for their mail programs.

The link is all that is needed: no sign-in, no cookie, no redirect. Opening it changes nothing, for scanners
open every link; the page has no choice made beforehand, so that pressing its button alone changes nothing
either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from services.dispatch import metrics
from services.dispatch.domain.text import fill
from services.dispatch.domain.wording import CATALOGUE, LANGUAGES, WORDINGS, Wording
from services.dispatch.store import queue, suppressions
from services.dispatch.store.suppressions import Recipient
from shared.contracts.deliveries import ContactUnsubscribed, UnsubscribeScope
from shared.contracts.model import Snapshot
from shared.db.database import Connection, Database
from shared.runtime.failpoints import failpoint
from shared.security.tokens import Tokens
from shared.web.forms import text_fields
from shared.web.i18n import negotiate
from shared.web.templates import environment, page, speaking

ONE_CLICK = ("List-Unsubscribe", "One-Click")
_ID_BYTES = 16
_pages = environment(Path(__file__).parent, CATALOGUE)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who opened a stop link, and from which mail; `recipient` is None when that mail is no longer kept."""

    contact_id: UUID
    delivery_id: UUID
    recipient: Recipient | None
    company: str
    locale: str

    @property
    def wording(self) -> Wording:
        """The fixed texts in the reader's language."""
        return WORDINGS[self.locale]

    @property
    def programme(self) -> str:
        """The programme whose mail it was; "" when that is forgotten."""
        return self.recipient.programme if self.recipient else ""


def unsubscribe_routes(db: Database, tokens: Tokens) -> APIRouter:
    """The routes below `/u/`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/u/{token}")
    async def confirm(request: Request, token: str) -> Response:
        """The page that asks what to stop; changes nothing."""
        async with db.read() as conn:
            visit = await _visit(conn, tokens, token, request)
        return _unknown(request) if visit is None else _question(request, visit)

    @router.post("/u/{token}")
    async def stop(request: Request, token: str) -> Response:
        """Stop mails: at once and for good, however often it is sent."""
        fields = await text_fields(request)
        one_click = fields.get(ONE_CLICK[0]) == ONE_CLICK[1]
        async with db.begin() as tx:
            visit = await _visit(tx.conn, tokens, token, request)
            if visit is None:
                return _unknown(request)
            scope = _scope(fields, visit, one_click=one_click)
            if scope is None:
                return _question(request, visit, status=422)
            programme = visit.programme if scope is UnsubscribeScope.PROGRAMME else ""
            via = "one_click" if one_click else "page"
            earlier = await suppressions.stop(tx.conn, visit.contact_id, programme, via, tx.now)
            if earlier is not None:
                event = _event(visit, scope, programme, tx.now, via)
                identity = f"{visit.contact_id}/{programme or '*'}" + (f"/{earlier}" if earlier else "")
                tx.emit(event, identity=identity, key=event.account_id or event.contact_id)
        failpoint("dispatch.stopped_before_answer")
        metrics.UNSUBSCRIBED.labels(scope.value, via).inc()
        return PlainTextResponse("unsubscribed\n") if one_click else _done(request, visit, scope)

    return router


async def _visit(conn: Connection, tokens: Tokens, token: str, request: Request) -> Visit | None:
    verified = tokens.verify("unsubscribe", token)
    if verified is None or len(verified.extra) != _ID_BYTES:
        return None
    delivery_id = UUID(bytes=verified.extra)
    recipient = await suppressions.recipient(conn, delivery_id)
    house = await queue.house(conn)
    organisation = queue.organisation_of(house) if house else None
    known = Snapshot.model_validate_json(recipient.snapshot).locale if recipient else None
    return Visit(
        contact_id=verified.subject,
        delivery_id=delivery_id,
        recipient=recipient,
        company=(organisation.brand.name or organisation.name) if organisation else "",
        locale=_language(known, request),
    )


def _scope(fields: dict[str, str], visit: Visit, *, one_click: bool) -> UnsubscribeScope | None:
    """What is to be stopped. One click in a mail program means all: it offers no finer choice."""
    if one_click or fields.get("scope") == UnsubscribeScope.ALL.value:
        return UnsubscribeScope.ALL
    if fields.get("scope") == UnsubscribeScope.PROGRAMME.value and visit.programme:
        return UnsubscribeScope.PROGRAMME
    return None


def _event(
    visit: Visit, scope: UnsubscribeScope, programme: str, at: datetime, via: str
) -> ContactUnsubscribed:
    account = visit.recipient.account_id if visit.recipient else None
    return ContactUnsubscribed(
        contact_id=str(visit.contact_id),
        account_id=str(account) if account else None,
        scope=scope,
        programme=programme,
        at=at,
        via=via,
    )


def _question(request: Request, visit: Visit, status: int = 200) -> Response:
    wording, company = visit.wording, {"company": visit.company}
    choices = [(UnsubscribeScope.ALL.value, fill(wording.page_all, company))]
    if visit.programme:
        choices.insert(0, (UnsubscribeScope.PROGRAMME.value, wording.page_this))
    context = {
        "company": visit.company,
        "title": wording.page_title,
        "question": wording.page_question,
        "choices": choices,
        "button": wording.page_button,
    }
    return page(request, _pages, "unsubscribe.html", context | speaking(_pages, visit.locale), status=status)


def _done(request: Request, visit: Visit, scope: UnsubscribeScope) -> Response:
    wording, company = visit.wording, {"company": visit.company}
    what = wording.page_done_this if scope is UnsubscribeScope.PROGRAMME else wording.page_done_all
    context = {
        "company": visit.company,
        "title": wording.page_done_title,
        "lines": (fill(what, company), fill(wording.page_kept, company)),
    }
    return page(request, _pages, "unsubscribed.html", context | speaking(_pages, visit.locale))


def _language(known: str | None, request: Request) -> str:
    return negotiate(known, request.headers.get("accept-language"), LANGUAGES)


def _unknown(request: Request) -> Response:
    locale = _language(None, request)
    wording = WORDINGS[locale]
    context = {"company": "", "title": wording.page_unknown_title, "lines": (wording.page_unknown,)}
    return page(request, _pages, "unsubscribed.html", context | speaking(_pages, locale), status=404)
