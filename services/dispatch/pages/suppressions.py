"""`/messages/suppressions`: who is not written to and why; found by address, entered and taken off by hand.

Addresses are kept as keyed hashes alone. One that is looked up comes in the body of a form, so that it stands
in no address line and no log; a name is shown where a survey of the person is still kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile

from services.dispatch.domain.stop_list import (
    BY_HAND,
    REASONS,
    SHAPE,
    Entry,
    Grounds,
    Line,
    grounds_for,
    read_list,
    reason_in,
    recipient_in,
    source_in,
)
from services.dispatch.handlers.stop_list import StopList
from services.dispatch.pages.stop_entries import Shown, sums
from services.dispatch.pages.titles import titles
from services.dispatch.store import stop_list
from services.dispatch.store.stop_list import Row, Wanted
from shared.contracts.reasons import Reason
from shared.security.access import Role, User, access_of, require_role
from shared.web.cursors import after_instant, text_cursor
from shared.web.dates import zone_of
from shared.web.exports import Format, sent
from shared.web.forms import text_fields
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
PATH = "/messages/suppressions"
PAGE = 25
SHOWN = 50
MOST_BYTES = 1_000_000
REACHES = ("email", "sms", "every", "unknown")
Reader = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


class Choice(BaseModel):
    """The part of the list that the address of the page names."""

    model_config = ConfigDict(frozen=True)

    reason: str = ""
    reach: str = ""
    after: str = ""
    lifted: bool = False
    done: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What the page answers to a form.

    Attributes:
        whom: the address that was looked up, as it was typed.
        found: what keeps it from being written to; None when nothing was looked up.
        errors: what is wrong, by field.
        form: what was typed, so that it is not lost.
        lines: those of a file that cannot be used.
        counts: of a file: lines that can be used, entries that were new; None for one that was only checked.
    """

    whom: str = ""
    found: Sequence[Row] | None = None
    errors: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    lines: Sequence[Line] = ()
    counts: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class SuppressionPages:
    """The page and its forms over the list."""

    known: StopList

    def routes(self) -> APIRouter:
        """The routes below `/messages/suppressions`."""
        router = APIRouter(prefix=PATH, include_in_schema=False)
        router.add_api_route("", self.show, methods=["GET"])
        router.add_api_route("", self.look_up, methods=["POST"])
        router.add_api_route("/add", self.add, methods=["POST"])
        router.add_api_route("/lift", self.lift, methods=["POST"])
        router.add_api_route("/import", self.take, methods=["POST"])
        router.add_api_route("/export", self.export, methods=["GET"])
        return router

    async def show(self, request: Request, user: Reader, choice: Annotated[Choice, Query()]) -> Response:
        """The list, or what was taken off it; newest first."""
        return await self._page(request, user, choice)

    async def look_up(self, request: Request, user: Reader) -> Response:
        """What keeps one address from being written to."""
        whom = _typed(await text_fields(request), "whom")
        recipient = recipient_in(whom)
        if recipient is None:
            wrong = {"whom": "Type one e-mail address, or a number with its country: +46 70 123 45 67."}
            return await self._page(request, user, Choice(), Said(whom, errors=wrong))
        found = await self.known.about(recipient)
        return await self._page(request, user, Choice(), Said(whom, found))

    async def add(self, request: Request, user: Manager) -> Response:
        """Write to an address no more."""
        form = await text_fields(request)
        recipient = recipient_in(_typed(form, "new"))
        errors = {} if recipient else {"new": "Type one e-mail address, or a number with its country."}
        reason = _reason(form, "new_reason", errors)
        if recipient is None or reason is None:
            return await self._page(request, user, Choice(), Said(errors=errors, form=form))
        fresh = await self.known.enter([Entry(recipient, "address", reason, BY_HAND)], user.id)
        return RedirectResponse(f"{PATH}?done={'added' if fresh else 'known'}", 303)

    async def lift(self, request: Request, user: Manager) -> Response:
        """Take an address off the list, on one of the grounds that its reason allows."""
        form = await text_fields(request)
        row = await self.known.entry(_typed(form, "subject"))
        if row is None or row.noted_at.isoformat() != form.get("noted_at"):
            raise Problem(409, "This entry is not there any more.", what_to_do="Open the list again.")
        possible = grounds_for(row.kind, row.reason, row.via)
        grounds = next((one for one in possible if one == form.get("grounds")), None)
        agreed = self._agreed(form.get("agreed_on", ""), row, user) if grounds is Grounds.AGREED else None
        if grounds is None or (grounds is Grounds.AGREED and agreed is None):
            wrong = "Say why. If they agreed again, name the day: after they said stop, today at the latest."
            said = Said(found=[row], errors={"grounds": wrong}, form=form)
            return await self._page(request, user, Choice(), said)
        if not await self.known.lift(row, grounds, agreed, user.id):
            raise Problem(409, "This entry is not there any more.", what_to_do="Open the list again.")
        return RedirectResponse(f"{PATH}?done=lifted", 303)

    async def take(self, request: Request, user: Manager) -> Response:
        """Take a list in from a file, or only say what is wrong with it."""
        errors: dict[str, str] = {}
        async with request.form() as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            text = await _text(form.get("file"), errors)
        reason = _reason(fields, "list_reason", errors)
        source = _source(fields.get("source", ""), errors)
        if errors or reason is None:
            return await self._page(request, user, Choice(), Said(errors=errors, form=fields))
        lines = await asyncio.to_thread(lambda: list(read_list(text, reason.value, source)))
        entries = [line.entry for line in lines if line.entry]
        added = None if "check" in fields else await self.known.enter(entries, user.id)
        wrong = [line for line in lines if line.entry is None]
        said = Said(form=fields, lines=wrong, counts=(len(entries), added))
        return await self._page(request, user, Choice(), said)

    async def export(self, _user: Manager) -> Response:
        """The whole list as CSV: ids and keyed hashes, no address."""
        return sent("suppressions", Format.CSV, self.known.everything(), SHAPE)

    def _agreed(self, text: str, row: Row, user: User) -> datetime | None:
        """When somebody agreed, of whom a day is known: from the stop to today, in the reader's zone."""
        zone = zone_of(user.zone)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        today = self.known.db.clock.now().astimezone(zone).date()
        if not row.noted_at.astimezone(zone).date() <= day <= today:
            return None
        return max(row.noted_at, datetime.combine(day, time.min, zone))

    async def _page(self, request: Request, user: User, choice: Choice, said: Said | None = None) -> Response:
        said = said or Said()
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        wanted = _wanted(choice)
        async with self.known.db.read() as conn:
            past = await stop_list.former(conn, wanted, PAGE) if choice.lifted else []
            rows = [one.row for one in past] if choice.lifted else await stop_list.listed(conn, wanted, PAGE)
            found = list(said.found or ())
            names = await self.known.names(conn, [*rows, *found])
            called = await titles(conn, locale) if any(row.programme for row in (*rows, *found)) else {}
            counts = await stop_list.counts(conn)
        users = {one.id: one.name for one in await access_of(request).list_users()}
        shown = Shown(names, users, called)
        items = [shown.former(one) for one in past] if choice.lifted else [shown.row(one) for one in rows]
        last = past[-1].lifted_at if past else (rows[-1].noted_at if rows else None)
        context = {
            "section": "settings",
            "items": items,
            "choice": choice,
            "more": _more(choice, rows, last),
            "counts": sums(counts),
            "said": replace(said, found=None),
            "found": None if said.found is None else [shown.row(one) for one in found],
            "errors": said.errors or {},
            "form": said.form or {},
            "wrong_lines": said.lines[:SHOWN],
            "wrong_count": len(said.lines),
            "may": user.role.includes(Role.MANAGER),
            "reaches": REACHES,
            "today": self.known.db.clock.now().astimezone(zone_of(user.zone)).date().isoformat(),
        }
        return page(request, ENVIRONMENT, "suppressions.html", context, status=422 if said.errors else 200)


def _wanted(choice: Choice) -> Wanted:
    reason = choice.reason if choice.reason in set(REASONS.values()) else ""
    reach = choice.reach if choice.reach in REACHES else ""
    return Wanted(reason, reach, after_instant(choice.after))


def _more(choice: Choice, rows: Sequence[Row], last: datetime | None) -> dict[str, str]:
    """The address of the next page, in parts; none when this one is not full."""
    if len(rows) < PAGE or last is None:
        return {}
    end = rows[-1]
    kept = {"reason": choice.reason, "reach": choice.reach, "lifted": "true" if choice.lifted else ""}
    cursor = text_cursor(last.isoformat(), end.kind, end.subject, end.programme)
    return {name: value for name, value in kept.items() if value} | {"after": cursor}


def _typed(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").replace("\0", "").strip()[:320]


def _reason(form: Mapping[str, str], field: str, errors: dict[str, str]) -> Reason | None:
    """The reason that was chosen; whoever is erased is erased in the directory, not here."""
    try:
        reason = reason_in(form.get(field, ""))
    except ValueError:
        errors[field] = "Choose a reason."
        return None
    if reason is Reason.ERASED:
        errors[field] = "People are erased in the directory."
        return None
    return reason


def _source(text: str, errors: dict[str, str]) -> str:
    try:
        return source_in(text)
    except ValueError:
        errors["source"] = "A short name of letters, digits, dots and hyphens, nobody's name."
        return ""


async def _text(file: object, errors: dict[str, str]) -> str:
    """The text of a file that was sent."""
    content = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
    if not content:
        errors["file"] = "Choose a file."
    elif len(content) > MOST_BYTES:
        errors["file"] = "It is larger than 1 MB: use the command afterword suppressions import."
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        errors["file"] = "It is no text in UTF-8: save it as CSV UTF-8."
        return ""
