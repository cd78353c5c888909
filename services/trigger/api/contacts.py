"""`/v1/contacts`: list, look at, write and erase the people whom the directory knows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.trigger.api.conditions import IfMatch, IfNoneMatch, Ref, Text, check, etag
from services.trigger.domain.consent import ALL, Said
from services.trigger.domain.directory import contact_changed, is_locale, is_phone, is_zone, reach_of
from services.trigger.domain.model import Contact, Reach
from services.trigger.handlers import people
from services.trigger.handlers.consent import tell
from services.trigger.handlers.erasure import announced, erase
from services.trigger.handlers.touchpoints import Touchpoints
from services.trigger.store import directory
from services.trigger.store.listing import Contacts, list_contacts
from shared.contracts.directory import Consent, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.model import Instant, Person, Persona
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact
from shared.db.database import Connection, Tx
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paths import PLAIN
from shared.web.problems import Problem
from shared.web.routing import join

Reader = Annotated[Principal, Depends(require_scope("contacts:read"))]
Writer = Annotated[Principal, Depends(require_scope("contacts:write"))]
Some = Annotated[str, Query(max_length=320, pattern=PLAIN)]
REFS = "Give our id, a backend's id, an e-mail address or a phone number."


class ContactShown(BaseModel):
    """A contact with the person's data in clear; `person` is empty once erased."""

    contact: ContactChanged
    person: Person
    opted_out_of: tuple[str, ...]
    erased: bool
    bounced: bool


class ContactPage(BaseModel):
    """Contacts in the order of their ids; `after` asks for the next page, None at the end."""

    contacts: list[ContactShown]
    after: UUID | None


class ContactWritten(BaseModel):
    """What may be written of a contact; fields left out stay as they are. `account` is the backend's id.

    A `consent` of true lifts an earlier no only when `consent_at` says that it was given later.
    """

    model_config = ConfigDict(extra="forbid")

    email: Text = ""
    phone: Text = ""
    name: Annotated[Text, Field(max_length=200)] = ""
    locale: Text = ""
    zone: Text = ""
    persona: Persona | None = None
    job_function: Text = ""
    consent: bool | None = None
    consent_at: Instant | None = None
    account: Annotated[Text, Field(max_length=200)] = ""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, given: str) -> str:
        if given and not is_zone(given):
            raise ValueError("there is no such time zone; write for example Europe/Stockholm")
        return given

    @field_validator("locale")
    @classmethod
    def _is_a_language(cls, given: str) -> str:
        if given and not is_locale(given):
            raise ValueError("this is no language; write for example sv or sv-SE")
        return given

    @field_validator("phone")
    @classmethod
    def _is_a_number(cls, given: str) -> str:
        if given and not is_phone(given):
            raise ValueError("this is no phone number; write for example +46 70 123 45 67")
        return given

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        if reach_of(given)[0] is Reach.INVALID:
            raise ValueError("this is no e-mail address")
        return given


class Erasure(BaseModel):
    """An erasure; nothing is readable from `erased_at` on. `announced` once every service can hear of it."""

    contact_id: UUID
    erased_at: datetime
    announced: bool


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["directory"])
    reading = APIRouter(prefix="/v1", tags=["directory"], route_class=AskedAgain, responses=SAME)
    _add_reading(reading, platform)
    join(routes, reading)
    _add_writing(routes, platform)
    _add_erasure(routes, platform)
    return routes


def _add_reading(routes: APIRouter, platform: Platform) -> None:
    @routes.get("/contacts")
    async def contacts(  # noqa: PLR0913 - a query has as many fields as it has
        _reader: Reader,
        account: Some = "",
        persona: Persona | None = None,
        job_function: Some = "",
        locale: Some = "",
        consent: Consent | None = None,
        *,
        opted_out: bool | None = None,
        bounced: bool | None = None,
        erased: bool = False,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ContactPage:
        """Contacts that fit everything that is given; `account` by id, backend id or whole name."""
        async with platform.db.read() as conn:
            company = await people.find_account(conn, account) if account else None
            if account and company is None:
                raise Problem(404, "No account is known by that.", field="account")
            wanted = Contacts(
                account_id=company,
                persona=persona,
                job_function=job_function,
                locale=locale,
                consent=consent,
                opted_out=opted_out,
                bounced=bounced,
                erased=erased,
                after=after,
                limit=limit,
            )
            found = await list_contacts(conn, wanted)
            shown = await shown_of(conn, platform, found)
        return ContactPage(contacts=shown, after=found[-1].id if len(found) == limit else None)

    @routes.get("/contacts/{ref}")
    async def show_contact(ref: Ref, _reader: Reader, response: Response) -> ContactShown:
        """A contact by id, backend id, e-mail or phone; a former id leads to whom it was merged into.

        Its ETag holds a `PUT` or `DELETE` against what you have read, in `If-Match`.
        """
        async with platform.db.read() as conn:
            contact = await found_contact(conn, platform, ref)
            (shown,) = await shown_of(conn, platform, [contact])
        response.headers["ETag"] = etag_of(contact)
        return shown


def _add_writing(routes: APIRouter, platform: Platform) -> None:
    touchpoints = Touchpoints(platform.sealer)

    @routes.put("/contacts/{external_id}", status_code=204)
    async def put_contact(
        external_id: Ref,
        written: ContactWritten,
        writer: Writer,
        response: Response,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> None:
        """Write a contact under a backend's id, as a `contact.updated` of this moment. Repeating is fine."""
        fields = written.model_dump(exclude={"account", "consent", "consent_at"})
        told = TouchpointContact.model_validate({**fields, "id": external_id})
        account = TouchpointAccount(id=written.account) if written.account else None
        async with platform.db.begin() as tx:
            before = await _locked(tx, platform, external_id)
            check(if_match, if_none_match, etag_of(before) if before and _is_known(before) else None)
            if before and before.erased_at:
                raise Problem(
                    410,
                    "This person's data were erased, and nothing is written about them again.",
                    what_to_do="If somebody else has the id now, give them another.",
                    field="external_id",
                )
            touchpoint = Touchpoint(occurred_at=tx.now, contact=told, account=account)
            await touchpoints.handle([event_of("contact.updated", touchpoint, tx)], tx)
            after = await _locked(tx, platform, external_id)
            if after and written.consent is not None:
                said = _said(written, writer, tx)
                after = await tell(tx, after, said)
        if after:
            response.headers["ETag"] = etag_of(after)


def _add_erasure(routes: APIRouter, platform: Platform) -> None:
    @routes.delete("/contacts/{ref}", status_code=202)
    async def delete_contact(
        ref: Ref, _writer: Writer, response: Response, if_match: IfMatch = None
    ) -> Erasure:
        """Erase a person for good under all their ids: the key is destroyed, nobody asks again.

        Repeating is fine, also with the `If-Match` of the first time. `Location` says where to see how far
        the news got.
        """
        async with platform.db.begin() as tx:
            contact_id = (await found_contact(tx.conn, platform, ref)).id
            folk = await directory.lock_people(tx.conn, await people.all_ids(tx.conn, contact_id))
            if folk[contact_id].erased_at is None:
                check(if_match, None, etag_of(folk[contact_id]))
            await erase(tx, platform.sealer, [contact_id])
        response.headers["Location"] = f"/v1/erasures/{contact_id}"
        async with platform.db.read() as conn:
            return await _erasure(conn, contact_id)

    @routes.get("/erasures/{contact_id}")
    async def show_erasure(contact_id: UUID, _reader: Reader) -> Erasure:
        """How far an erasure got."""
        async with platform.db.read() as conn:
            return await _erasure(conn, contact_id)


async def found_contact(conn: Connection, platform: Platform, ref: str, *, field: str = "ref") -> Contact:
    """Whom somebody means.

    Raises:
        Problem: 404, nobody is known by that.
    """
    contact_id = await people.find_contact(conn, platform.sealer, ref)
    known = await directory.get_contacts(conn, [contact_id] if contact_id else [])
    contact = next(iter(known.values()), None)
    if contact is None or not _is_known(contact):
        raise Problem(404, "No contact is known by that.", what_to_do=REFS, field=field)
    return contact


def etag_of(contact: Contact) -> str:
    """The ETag of a contact as it is shown."""
    gone, dead = contact.erased_at is not None, contact.bounced_at is not None
    return etag(contact_changed(contact), contact.opted_out_of, gone, dead)


def _is_known(contact: Contact) -> bool:
    """Whether anybody told of them; an id alone that an event gave is nobody yet."""
    return bool(contact.version or contact.erased_at)


async def shown_of(conn: Connection, platform: Platform, contacts: list[Contact]) -> list[ContactShown]:
    """Contacts with their people's data in clear."""
    opened = await platform.sealer.open(conn, [(one.id, one.person) for one in contacts], Person)
    return [
        ContactShown(
            contact=contact_changed(contact).model_copy(update={"person": ""}),
            person=person or Person(),
            opted_out_of=contact.opted_out_of,
            erased=contact.erased_at is not None,
            bounced=contact.bounced_at is not None,
        )
        for contact, person in zip(contacts, opened, strict=True)
    ]


def event_of(kind: str, touchpoint: Touchpoint, tx: Tx) -> Event[Touchpoint]:
    """A touchpoint of this moment that the API tells."""
    return Event(str(random_id()), f"{tx.source}/api", kind, tx.now, "", "", touchpoint)


def _said(written: ContactWritten, writer: Principal, tx: Tx) -> Said:
    at = written.consent_at or tx.now
    if at > tx.now:
        raise Problem(422, "Nobody has said that yet.", field="consent_at")
    assert written.consent is not None  # noqa: S101 - asked for those alone
    return Said(ALL, written.consent, at, "API", by=writer.actor, firm=written.consent_at is not None)


async def _locked(tx: Tx, platform: Platform, external_id: str) -> Contact | None:
    contact_id = await people.find_contact(tx.conn, platform.sealer, external_id)
    return (await directory.lock_people(tx.conn, [contact_id] if contact_id else [])).get(
        contact_id or UUID(int=0)
    )


async def _erasure(conn: Connection, contact_id: UUID) -> Erasure:
    contact = (await directory.get_contacts(conn, [contact_id])).get(contact_id)
    if contact is None or contact.erased_at is None:
        raise Problem(404, "Nobody was erased under that id.", field="contact_id")
    told = await announced(conn, contact)
    return Erasure(contact_id=contact_id, erased_at=contact.erased_at, announced=told)
