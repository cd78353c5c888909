"""`/v1/accounts`: list, look at, write and delete the companies whom the directory knows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.trigger.api.conditions import AccountRef, IfMatch, IfNoneMatch, Ref, Text, check, etag
from services.trigger.api.contacts import event_of
from services.trigger.domain.directory import account_changed, reach_of
from services.trigger.domain.model import Account, Reach, account_id
from services.trigger.handlers import merging_accounts, people
from services.trigger.handlers.accounts import delete_account
from services.trigger.handlers.touchpoints import Touchpoints
from services.trigger.store import directory
from services.trigger.store.leads import COMPANIES, current_ids
from services.trigger.store.listing import Accounts, list_accounts
from shared.contracts.directory import AccountChanged
from shared.contracts.model import Tier
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paths import PLAIN
from shared.web.problems import Problem
from shared.web.routing import join

Reader = Annotated[Principal, Depends(require_scope("accounts:read"))]
Writer = Annotated[Principal, Depends(require_scope("accounts:write"))]
Eraser = Annotated[Principal, Depends(require_scope("contacts:write"))]
Some = Annotated[str, Query(max_length=320, pattern=PLAIN)]


class AccountPage(BaseModel):
    """Accounts in the order of their ids; `after` asks for the next page, None at the end."""

    accounts: list[AccountChanged]
    after: UUID | None


class AccountWritten(BaseModel):
    """What may be written of an account; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: Text = ""
    tier: Tier | None = None
    industry: Text = ""
    size: Text = ""
    owner: Text = ""
    region: Text = ""
    annual_value: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    acquisition_cost: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="what it cost to win this customer"
    )
    phase: Text = ""
    started_on: date | None = None
    renewal_on: date | None = None

    @field_validator("owner")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        if reach_of(given)[0] is Reach.INVALID:
            raise ValueError("must be the owner's e-mail address, by which cases find them")
        return given


class AccountMerge(BaseModel):
    """Which account to merge into the one that stays: by id, backend id or whole name."""

    model_config = ConfigDict(extra="forbid")

    other: Annotated[str, Field(min_length=1, max_length=320, pattern=PLAIN)]


class AccountMerged(BaseModel):
    """Which stays, which lead there from now on, how many people and plans moved, what was called off."""

    account_id: UUID
    merged: list[UUID]
    people: int
    plans: int
    called_off: int


class Deletion(BaseModel):
    """What became of an account's people and plans."""

    account_id: UUID
    people: int
    erased: int
    plans_called_off: int


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["directory"])
    reading = APIRouter(prefix="/v1", tags=["directory"], route_class=AskedAgain, responses=SAME)
    _add_reading(reading, platform)
    join(routes, reading)
    _add_writing(routes, platform)
    _add_merging(routes, platform)
    return routes


def _add_reading(routes: APIRouter, platform: Platform) -> None:
    @routes.get("/accounts")
    async def accounts(  # noqa: PLR0913 - a query has as many fields as it has
        _reader: Reader,
        name: Some = "",
        tier: Tier | None = None,
        industry: Some = "",
        owner: Some = "",
        region: Some = "",
        phase: Some = "",
        *,
        paused: bool | None = None,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AccountPage:
        """Accounts that fit everything that is given; `name` by its beginning."""
        wanted = Accounts(
            name=name,
            tier=tier,
            industry=industry,
            owner=owner,
            region=region,
            phase=phase,
            paused=paused,
            after=after,
            limit=limit,
        )
        async with platform.db.read() as conn:
            found = await list_accounts(conn, wanted)
        told = [account_changed(account) for account in found]
        return AccountPage(accounts=told, after=found[-1].id if len(found) == limit else None)

    @routes.get("/accounts/{ref}")
    async def show_account(ref: Ref, _reader: Reader, response: Response) -> AccountChanged:
        """An account by id, backend id or name.

        Its ETag holds a `PUT` or `DELETE` against what you have read, in `If-Match`.
        """
        async with platform.db.read() as conn:
            shown = account_changed(await found_account(conn, ref))
        response.headers["ETag"] = etag(shown)
        return shown


def _add_writing(routes: APIRouter, platform: Platform) -> None:
    touchpoints = Touchpoints(platform.sealer)

    @routes.put("/accounts/{external_id}", status_code=204)
    async def put_account(
        external_id: AccountRef,
        written: AccountWritten,
        _writer: Writer,
        response: Response,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> None:
        """Write an account under a backend's id, as an `account.updated` of now. Repeating is fine."""
        facts = written.model_dump(exclude={"renewal_on"})
        account = TouchpointAccount.model_validate({**facts, "id": external_id})
        named = account_id(external_id)
        async with platform.db.begin() as tx:
            wanted = (await current_ids(tx.conn, COMPANIES, [named]))[named]
            before = (await directory.lock_accounts(tx.conn, [wanted])).get(wanted)
            there = before is not None and before.version and before.deleted_at is None
            check(if_match, if_none_match, etag(account_changed(before)) if before and there else None)
            touchpoint = Touchpoint(occurred_at=tx.now, account=account, renewal_on=written.renewal_on)
            await touchpoints.handle([event_of("account.updated", touchpoint, tx)], tx)
            after = (await directory.get_accounts(tx.conn, [wanted]))[wanted]
        response.headers["ETag"] = etag(account_changed(after))

    @routes.delete("/accounts/{ref}", status_code=202)
    async def remove_account(
        ref: Ref,
        _writer: Writer,
        _eraser: Eraser,
        people: Literal["keep", "erase"] = "keep",
        if_match: IfMatch = None,
    ) -> Deletion:
        """Delete an account with what is planned for it.

        Its people stay, without a company, or are erased too. An event that names it later makes it anew.
        """
        async with platform.db.begin() as tx:
            found = await found_account(tx.conn, ref)
            account = (await directory.lock_accounts(tx.conn, [found.id])).get(found.id, found)
            if account.deleted_at is None:
                check(if_match, None, etag(account_changed(account)))
            done = await delete_account(tx, platform.sealer, account.id, erase_people=people == "erase")
        return Deletion(
            account_id=account.id, people=done.people, erased=done.erased, plans_called_off=done.plans
        )


def _add_merging(routes: APIRouter, platform: Platform) -> None:
    @routes.post("/accounts/{ref}/merge")
    async def merge_accounts(ref: Ref, wanted: AccountMerge, writer: Writer) -> AccountMerged:
        """Merge another account of a company into this one, for good: it cannot be undone.

        People, plans, what was asked, holds and brakes of either are this one's from then on, nothing is
        asked twice, and the other's ids lead here.
        """
        async with platform.db.begin() as tx:
            survivor = await found_account(tx.conn, ref)
            other = await found_account(tx.conn, wanted.other, "other")
            done = await merging_accounts.merge(tx, [survivor.id, other.id], by=writer.actor)
        if done is None:
            return AccountMerged(account_id=survivor.id, merged=[], people=0, plans=0, called_off=0)
        return AccountMerged(
            account_id=done.account_id,
            merged=list(done.merged),
            people=done.people,
            plans=done.plans,
            called_off=done.called_off,
        )


async def found_account(conn: Connection, ref: str, field: str = "ref") -> Account:
    """Which account somebody means.

    Raises:
        Problem: 404, none is known by that.
    """
    account_id = await people.find_account(conn, ref)
    known = await directory.get_accounts(conn, [account_id] if account_id else [])
    if not known or account_id is None:
        raise Problem(404, "No account is known by that.", field=field)
    return known[account_id]
