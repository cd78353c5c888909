"""`/answers/links`: shared links with what came of each; taking one back is trigger's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.collector.domain.texts import text_in
from services.collector.handlers.links import Links, Shared
from services.collector.pages.frame import FOLDER
from shared.security.access import Role, User, access_of, require_role
from shared.web.i18n import negotiate
from shared.web.templates import environment, page

ENVIRONMENT = environment(FOLDER / "desk")
Reader = Annotated[User, Depends(require_role(Role.REP))]


def link_routes(links: Links) -> APIRouter:
    """The list."""
    router = APIRouter(prefix="/answers", include_in_schema=False)

    @router.get("/links")
    async def show(request: Request, user: Reader, done: str = "") -> Response:
        """Those that may be answered by first."""
        found = await links.listed()
        names = {f"user:{one.id}": one.name for one in await access_of(request).list_users()}
        language = negotiate(user.locale, None)
        context = {
            "links": [_shown(one, links.now(), names, language) for one in found],
            "may": user.role.includes(Role.MANAGER),
            "done": done,
            "section": "programmes",
        }
        return page(request, ENVIRONMENT, "links.html", context)

    return router


def state_of(link: Shared, now: datetime) -> str:
    """`open`, `closed` or `withdrawn`."""
    if link.row.withdrawn_at:
        return "withdrawn"
    return "open" if now < link.row.closes_at else "closed"


def _shown(link: Shared, now: datetime, names: Mapping[str, str], language: str) -> dict[str, Any]:
    row = link.row
    return {
        "id": row.link_id,
        "label": link.label,
        "programme": row.snapshot.programme,
        "title": text_in(link.title, language, {}) or row.snapshot.programme,
        "account": row.snapshot.account_name,
        "url": link.url,
        "state": state_of(link, now),
        "made_at": row.shared_at,
        "made_by": _who(row.shared_by, names),
        "closes_at": row.closes_at,
        "ended_at": row.withdrawn_at,
        "ended_by": _who(row.withdrawn_by, names),
        "reason": row.reason,
        "counted": row.counted,
        "held": row.held,
        "refused": row.refused,
    }


def _who(actor: str, names: Mapping[str, str]) -> Sequence[str]:
    """What did it, and by which name: a person, a program, the command line; empty where it was not told."""
    kind, _, ident = actor.partition(":")
    return (kind.lower(), names.get(actor, "") if ident else "")
