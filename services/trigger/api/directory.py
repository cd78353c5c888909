"""`/v1/contacts`, `/v1/accounts`: look at, correct and erase what the directory knows."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.trigger.domain.directory import account_changed, contact_changed
from services.trigger.handlers import people
from services.trigger.handlers.erasure import erase
from services.trigger.handlers.touchpoints import Touchpoints
from services.trigger.store import directory
from services.trigger.store.guard import unit_of_work
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.model import Person, Persona, Tier
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact
from shared.db.database import Tx
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.problems import Problem

ContactReader = Annotated[Principal, Depends(require_scope("contacts:read"))]
ContactWriter = Annotated[Principal, Depends(require_scope("contacts:write"))]
AccountReader = Annotated[Principal, Depends(require_scope("accounts:read"))]
AccountWriter = Annotated[Principal, Depends(require_scope("accounts:write"))]


class ContactShown(BaseModel):
    """A contact with the person's data in clear; `person` is empty once erased."""

    contact: ContactChanged
    person: Person
    erased: bool
    bounced: bool


class ContactWritten(BaseModel):
    """What may be written of a contact; fields left out stay as they are. `account` is the backend's id."""

    model_config = ConfigDict(extra="forbid")

    email: str = ""
    phone: str = ""
    name: str = ""
    locale: str = ""
    zone: str = ""
    persona: Persona | None = None
    job_function: str = ""
    consent: bool | None = None
    account: str = ""


class AccountWritten(BaseModel):
    """What may be written of an account; fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    tier: Tier | None = None
    industry: str = ""
    size: str = ""
    owner: str = ""
    region: str = ""
    annual_value: float | None = None
    phase: str = ""
    started_on: date | None = None


def router(platform: Platform) -> APIRouter:
    """The routes of the directory."""
    routes = APIRouter(prefix="/v1", tags=["directory"])
    _add_contacts(routes, platform)
    _add_accounts(routes, platform)
    return routes


def _add_contacts(routes: APIRouter, platform: Platform) -> None:
    touchpoints = Touchpoints(platform.sealer)

    @routes.get("/contacts/{ref}")
    async def show_contact(ref: str, _reader: ContactReader) -> ContactShown:
        """A contact by id, backend id, e-mail or phone."""
        async with platform.db.read() as conn:
            contact_id = await people.find_contact(conn, platform.sealer, ref)
            known = await directory.get_contacts(conn, [contact_id] if contact_id else [])
            if not known:
                raise Problem(404, "No contact is known by that.", field="ref")
            contact = next(iter(known.values()))
            (person,) = await platform.sealer.open(conn, [(contact.id, contact.person)], Person)
        told = contact_changed(contact).model_copy(update={"person": ""})
        erased, bounced = contact.erased_at is not None, contact.bounced_at is not None
        return ContactShown(contact=told, person=person or Person(), erased=erased, bounced=bounced)

    @routes.put("/contacts/{external_id}", status_code=204)
    async def put_contact(external_id: str, written: ContactWritten, _writer: ContactWriter) -> None:
        """Write a contact; as a `contact.updated` of this moment."""
        told = TouchpointContact.model_validate(
            {**written.model_dump(exclude={"account"}), "id": external_id}
        )
        account = TouchpointAccount(id=written.account) if written.account else None
        async with unit_of_work(platform.db) as tx:
            touchpoint = Touchpoint(occurred_at=tx.now, contact=told, account=account)
            await touchpoints.handle([_event("contact.updated", touchpoint, tx)], tx)

    @routes.delete("/contacts/{ref}", status_code=204)
    async def delete_contact(ref: str, _writer: ContactWriter) -> None:
        """Erase a person for good: the key is destroyed, nobody asks again. Repeating is fine."""
        async with unit_of_work(platform.db) as tx:
            contact_id = await people.find_contact(tx.conn, platform.sealer, ref)
            if contact_id is None:
                raise Problem(404, "No contact is known by that.", field="ref")
            await erase(tx, platform.sealer, [contact_id])


def _add_accounts(routes: APIRouter, platform: Platform) -> None:
    touchpoints = Touchpoints(platform.sealer)

    @routes.get("/accounts/{ref}")
    async def show_account(ref: str, _reader: AccountReader) -> AccountChanged:
        """An account by id, backend id or name."""
        async with platform.db.read() as conn:
            account_id = await people.find_account(conn, ref)
            known = await directory.get_accounts(conn, [account_id] if account_id else [])
        if not known:
            raise Problem(404, "No account is known by that.", field="ref")
        return account_changed(next(iter(known.values())))

    @routes.put("/accounts/{external_id}", status_code=204)
    async def put_account(external_id: str, written: AccountWritten, _writer: AccountWriter) -> None:
        """Write an account; as an `account.updated` of this moment."""
        account = TouchpointAccount.model_validate({**written.model_dump(), "id": external_id})
        async with unit_of_work(platform.db) as tx:
            touchpoint = Touchpoint(occurred_at=tx.now, account=account)
            await touchpoints.handle([_event("account.updated", touchpoint, tx)], tx)


def _event(kind: str, touchpoint: Touchpoint, tx: Tx) -> Event[Touchpoint]:
    ident: UUID = random_id()
    return Event(str(ident), f"{tx.source}/api", kind, tx.now, "", "", touchpoint)
