"""`/directory`: what an operator should look at, people and companies, and asking somebody by hand."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.model import Account
from services.trigger.handlers import merging_accounts, people
from services.trigger.handlers.merging import merge
from services.trigger.pages.showing import (
    account_context,
    contact_context,
    duplicates_context,
)
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import directory, merging, missed, parked
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import Principal, User, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

Rep = Annotated[User, Depends(require_role("rep"))]
Manager = Annotated[User, Depends(require_role("manager"))]
SHOWN = 50


def router(platform: Platform) -> APIRouter:
    """The pages and their actions."""
    routes = APIRouter(include_in_schema=False)
    _add_overview(routes, platform)
    _add_entries(routes, platform)
    _add_actions(routes, platform)
    return routes


def _add_overview(routes: APIRouter, platform: Platform) -> None:
    @routes.get("/directory")
    async def overview(request: Request, user: Rep, q: str = "") -> Response:
        """Find somebody; see who may be one person, what we missed, and whom events wait for."""
        wanted = q.replace("\0", "").strip()[:320]
        async with platform.db.read() as conn:
            if wanted and (contact_id := await people.find_contact(conn, platform.sealer, wanted)):
                return RedirectResponse(f"/directory/contacts/{contact_id}", 303)
            if wanted and (account_id := await people.find_account(conn, wanted)):
                return RedirectResponse(f"/directory/accounts/{account_id}", 303)
            context = {
                "q": wanted,
                "pairs": await duplicates_context(conn, platform),
                "missed": await missed.listed(conn, SHOWN),
                "parked": await parked.listed(conn, "waiting", SHOWN),
                "may": _may(user),
            }
        return page(request, ENVIRONMENT, "directory.html", {**context, "section": "settings"})


def _add_entries(routes: APIRouter, platform: Platform) -> None:
    @routes.get("/directory/contacts/{contact_id}")
    async def show_contact(request: Request, contact_id: UUID, user: Rep) -> Response:
        """A person: facts, consent with its history, what is planned, what was asked."""
        async with platform.db.read() as conn:
            known = await directory.get_contacts(conn, [contact_id])
            if contact_id not in known:
                raise Problem(404, "Nobody is known under that id.", field="contact_id")
            if known[contact_id].merged_into:
                return RedirectResponse(f"/directory/contacts/{known[contact_id].merged_into}", 303)
            context = await contact_context(conn, platform, known[contact_id])
        return page(request, ENVIRONMENT, "contact.html", {**context, "may": _may(user), "section": "why"})

    @routes.get("/directory/accounts/{account_id}")
    async def show_account(request: Request, account_id: UUID, user: Rep) -> Response:
        """A company: facts, its people, what is planned, what was asked."""
        async with platform.db.read() as conn:
            found = await _account(conn, account_id)
            if found.merged_into:
                return RedirectResponse(f"/directory/accounts/{found.merged_into}", 303)
            context = await account_context(conn, platform, found)
        context |= {"may": _may(user), "section": "why", "other": "", "wrong": ""}
        return page(request, ENVIRONMENT, "account.html", context)


def _add_actions(routes: APIRouter, platform: Platform) -> None:
    @routes.post("/directory/duplicates/merge")
    async def merge_pair(request: Request, user: Manager) -> Response:
        """Two entries are one person: the one that was chosen stays."""
        stays, other = await _pair(request)
        async with platform.db.begin() as tx:
            done = await merge(tx, platform.sealer, [stays, other], by=Principal.of_user(user).actor)
        return RedirectResponse(f"/directory/contacts/{done.contact_id if done else stays}", 303)

    @routes.post("/directory/duplicates/apart")
    async def keep_apart(request: Request, user: Manager) -> Response:
        """Two entries are two people."""
        pair = await _pair(request)
        async with platform.db.begin() as tx:
            by = Principal.of_user(user).actor
            await merging.settle_suspicion(tx.conn, pair, "apart", at=tx.now, by=by)
        return RedirectResponse("/directory", 303)

    @routes.post("/directory/accounts/{account_id}/merge")
    async def merge_accounts(request: Request, account_id: UUID, user: Manager) -> Response:
        """Another entry is the same company: it is merged into the one whose page this is."""
        wanted = (await text_fields(request)).get("other", "").replace("\0", "").strip()[:320]
        async with platform.db.begin() as tx:
            other = await people.find_account(tx.conn, wanted) if wanted else None
            if other is not None and other != account_id:
                by = Principal.of_user(user).actor
                done = await merging_accounts.merge(tx, [account_id, other], by=by)
                stays = done.account_id if done else account_id
                return RedirectResponse(f"/directory/accounts/{stays}", 303)
            context = await account_context(tx.conn, platform, await _account(tx.conn, account_id))
        wrong = "That is this account itself." if other else "No other account is known by that."
        context |= {"may": _may(user), "section": "why", "other": wanted, "wrong": wrong}
        return page(request, ENVIRONMENT, "account.html", context, status=422)

    @routes.post("/directory/missed")
    async def settle_missed(request: Request, _user: Manager) -> Response:
        """A record was looked up where it is."""
        fields = await text_fields(request)
        named = (fields.get("source", ""), fields.get("entity", ""), fields.get("record", ""))
        async with platform.db.begin() as tx:
            await missed.settle(tx.conn, *(text.replace("\0", "")[:200] for text in named))
        return RedirectResponse("/directory", 303)


async def _account(conn: Connection, account_id: UUID) -> Account:
    """An account that is known here, or was until it was merged into another."""
    found = (await directory.get_accounts(conn, [account_id])).get(account_id)
    if found is None or (not found.merged_into and (found.deleted_at or not found.version)):
        raise Problem(404, "No account is known under that id.", field="account_id")
    return found


async def _pair(request: Request) -> tuple[UUID, UUID]:
    fields = await text_fields(request)
    stays, other = people.as_uuid(fields.get("stays", "")), people.as_uuid(fields.get("other", ""))
    if stays is None or other is None or stays == other:
        raise Problem(422, "Two different entries are needed.", field="other")
    return stays, other


def _may(user: User) -> bool:
    return user.role.includes(type(user.role)("manager"))
