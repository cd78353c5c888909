"""`/v1/contacts/{ref}/consent`: what somebody said about being asked, when, and by which way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.trigger.api.conditions import Ref
from services.trigger.api.contacts import Reader, Writer, found_contact
from services.trigger.domain.consent import ALL, CHANNEL, FAMILY, Said
from services.trigger.domain.model import Contact
from services.trigger.handlers.consent import tell
from services.trigger.store import consents, directory
from shared.contracts.directory import Consent
from shared.contracts.model import Channel, Family, Instant
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.web.problems import Problem

_NAMES = "|".join([*(f"{FAMILY}{one}" for one in Family), *(f"{CHANNEL}{one}" for one in Channel)])
SCOPES = rf"^(all|{_NAMES}|[a-z][a-z0-9-]{{1,62}})$"


class SaidShown(BaseModel):
    """One word.

    `scope`: all, a programme's key, `family:...` or `channel:...`; `by`: who wrote it down, "" = the person
    themself or a backend; `firm`: it says itself when it was said; `takes_back`: no yes, but the end of what
    the same source had said no to before (START after STOP); `last_at`: when it was last repeated.
    """

    scope: str
    given: bool
    at: datetime
    last_at: datetime
    noted_at: datetime | None
    source: str
    by: str
    firm: bool
    takes_back: bool
    event_id: str


class History(BaseModel):
    """How somebody stands, and everything that they said, newest first."""

    consent: Consent
    opted_out_at: datetime | None
    opted_out_of: tuple[str, ...]
    history: list[SaidShown]


class Word(BaseModel):
    """Something that somebody said; without `at` it was said just now."""

    model_config = ConfigDict(extra="forbid")

    scope: Annotated[str, Field(pattern=SCOPES)] = ALL
    given: bool
    at: Instant | None = None


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["directory"])

    @routes.get("/contacts/{ref}/consent")
    async def show_consent(ref: Ref, _reader: Reader) -> History:
        """How somebody stands, and all that they said."""
        async with platform.db.read() as conn:
            return await history_of(conn, await found_contact(conn, platform, ref))

    @routes.post("/contacts/{ref}/consent")
    async def say(ref: Ref, word: Word, writer: Writer) -> History:
        """Write down what somebody said, to whom it may concern: a yes lifts an earlier no."""
        async with platform.db.begin() as tx:
            if word.at and word.at > tx.now:
                raise Problem(422, "Nobody has said that yet.", field="at")
            contact_id = (await found_contact(tx.conn, platform, ref)).id
            contact = (await directory.lock_people(tx.conn, [contact_id]))[contact_id]
            if contact.erased_at:
                raise Problem(410, "This person's data were erased.", field="ref")
            said = Said(word.scope, word.given, word.at or tx.now, "API", by=writer.actor)
            return await history_of(tx.conn, await tell(tx, contact, said))

    return routes


async def history_of(conn: Connection, contact: Contact) -> History:
    """All that a contact said, newest first."""
    said = (await consents.histories(conn, [contact.id]))[contact.id]
    return History(
        consent=contact.consent,
        opted_out_at=contact.opted_out_at,
        opted_out_of=contact.opted_out_of,
        history=[_shown(one) for one in sorted(said, key=lambda one: (one.until, one.id), reverse=True)],
    )


def _shown(said: Said) -> SaidShown:
    return SaidShown(
        scope=said.scope,
        given=said.given,
        at=said.at,
        last_at=said.until,
        noted_at=said.noted_at,
        source=said.source,
        by=said.by,
        firm=said.firm,
        takes_back=said.takes_back,
        event_id=said.event_id,
    )
