"""`/messages/uncertain`: messages of which nobody knows whether they left, and what people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.dispatch.domain.uncertain import Decision, Standing, why
from services.dispatch.handlers.uncertain import Listed, Named, Uncertain, after_of, cursor_of
from services.dispatch.pages.titles import titles
from services.dispatch.store import uncertain
from services.dispatch.store.uncertain import Wanted
from shared.contracts.model import Channel, Snapshot
from shared.security.access import Role, User, access_of, require_role
from shared.web.forms import text_fields
from shared.web.i18n import negotiate
from shared.web.paths import PLAIN
from shared.web.problems import Problem
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
PATH = "/messages/uncertain"
PAGE = 25
Reader = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


class Choice(BaseModel):
    """The part of the list that the address of the page names."""

    model_config = ConfigDict(frozen=True)

    standing: Standing = Standing.OPEN
    programme: str = Field(default="", max_length=200, pattern=PLAIN)
    channel: str = Field(default="", max_length=20, pattern=PLAIN)
    after: str = Field(default="", max_length=500, pattern=PLAIN)
    done: str = Field(default="", max_length=20, pattern=PLAIN)

    def address(self, **other: str) -> str:
        """This page, or another one of the same choice; what is as usual is left out."""
        chosen = {"standing": self.standing.value, "programme": self.programme, "channel": self.channel}
        parts = {name: value for name, value in (chosen | other).items() if value}
        parts = {name: value for name, value in parts.items() if (name, value) != ("standing", "open")}
        return f"{PATH}?{urlencode(parts)}" if parts else PATH


def uncertain_pages(known: Uncertain) -> APIRouter:
    """The page and its form."""
    router = APIRouter(prefix=PATH, include_in_schema=False)

    @router.get("")
    async def show(request: Request, user: Reader, choice: Annotated[Choice, Query()]) -> Response:
        """What is to be decided, what was left as it is, or all decisions; newest first."""
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        wanted = Wanted(choice.standing, choice.programme, choice.channel, after_of(choice.after))
        async with known.db.read() as conn:
            found = await known.listed(conn, wanted, PAGE)
            names = await known.names(conn, [one.row for one in found])
            counts = await uncertain.counts(conn)
            called = await titles(conn, locale)
            programmes = await uncertain.programmes(conn)
        users = {f"user:{one.id}": one.name for one in await access_of(request).list_users()}
        last = found[-1] if len(found) == PAGE else None
        context = {
            "section": "settings",
            "choice": choice,
            "items": [_shown(one, names.get(one.row.delivery_id, Named()), users) for one in found],
            "titles": called,
            "programmes": [(key, called.get(key, key)) for key in programmes],
            "channels": [channel.value for channel in Channel],
            "counts": {standing.value: number for standing, number in counts.items()},
            "tabs": [(standing.value, choice.address(standing=standing.value)) for standing in Standing],
            "more": choice.address(after=cursor_of(last, choice.standing)) if last else "",
            "may": user.role.includes(Role.MANAGER),
        }
        return page(request, ENVIRONMENT, "uncertain.html", context)

    @router.post("/{delivery_id}")
    async def decide(
        request: Request, user: Manager, delivery_id: UUID, choice: Annotated[Choice, Query()]
    ) -> Response:
        """Say that it arrived, send it again, or leave it; pressed twice it is decided once."""
        form = await text_fields(request)
        decision, seen = form.get("decision", ""), form.get("decisions", "")
        if decision not in set(Decision) or not seen.isdecimal() or len(seen) > 6:  # noqa: PLR2004 - a small number
            raise Problem(422, "This form is not ours.", what_to_do="Open the list again.", field="decision")
        await known.decide(delivery_id, Decision(decision), int(seen), f"user:{user.id}")
        return RedirectResponse(choice.address(done=decision), 303)

    return router


def _shown(one: Listed, named: Named, users: dict[str, str]) -> dict[str, Any]:
    """A message in words of the page."""
    row, made = one.row, one.row.made
    return {
        "id": row.delivery_id,
        "contact": row.contact_id,
        "name": named.name,
        "address": named.address,
        "account": Snapshot.model_validate_json(row.snapshot).account_name,
        "programme": row.programme,
        "kind": row.kind,
        "step": row.step,
        "channel": row.channel.value,
        "state": row.state.value,
        "at": row.since or row.requested_at,
        "since": row.since,
        "why": why(row.lost_detail).value if row.lost_detail else "",
        "detail": row.lost_detail,
        "in_vain": row.last_detail if row.since and row.last_outcome == "refused" else "",
        "reason": row.reason or "",
        "begun": row.begun or row.answered,
        "followed": row.followed,
        "bar": one.bar.value if one.bar else "",
        "decisions": row.decisions,
        "decision": made.decision.value if made else "",
        "decided_at": made.at if made else None,
        "by": _by(made.by, users) if made else "",
    }


def _by(actor: str, users: dict[str, str]) -> str:
    """Who decided: a name, or what kind of program; "?" for somebody who has no account any more."""
    if actor.startswith("user:"):
        return users.get(actor, "?")
    return "key" if actor.startswith("key:") else "command"
