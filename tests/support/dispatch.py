"""Builders and a mail room for tests of dispatch: events in, real SMTP to a sink, mails and events out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from services.dispatch.app import build
from services.dispatch.channels.email import EmailChannel
from services.dispatch.channels.email import SmtpServer as Target
from services.dispatch.channels.render import Renderer
from services.dispatch.handlers import SUBSCRIPTION
from services.dispatch.settings import Settings
from services.dispatch.worker.delivering import Postman
from services.dispatch.worker.preparing import Desk
from shared.bus.memory import MemoryBus
from shared.contracts.directory import Brand, OrganisationChanged, Sender
from shared.contracts.envelope import Event
from shared.contracts.forms import Form, Letter, Question, QuestionType
from shared.contracts.model import Channel, Family, Payload, Person, Snapshot
from shared.contracts.reasons import Reason
from shared.contracts.registry import BY_TYPE
from shared.contracts.surveys import SurveyCancelled, SurveyReminderRequested, SurveyRequested
from shared.db.database import Database
from shared.embedded.smtp import Envelope, Faults, SmtpServer
from shared.runtime.clock import SystemMachine
from shared.runtime.ids import derive
from shared.runtime.service import Platform, Service
from shared.security.access import Access, Scope
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.assembled import platform as unconnected

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PUBLIC_URL = "https://ask.northwind.example"

ORGANISATION = OrganisationChanged(
    version=1,
    name="Northwind Systems AB",
    brand=Brand(name="Northwind", colour="#0b6e4f", address="Kungsgatan 1\n111 43 Stockholm"),
    sender=Sender(name="Karin Lindqvist", email="karin@northwind.example"),
    public_url=PUBLIC_URL,
    own_domains=("northwind.example",),
)

NPS = Form(
    primary="nps",
    low=6,
    title={"en": "Recommend"},
    questions=(
        Question(
            id="nps",
            type=QuestionType.NPS,
            text={
                "en": "How likely are you to recommend {product} to a colleague?",
                "es": "¿Recomendaría {product} a un colega?",
                "sv": "Skulle du rekommendera {product} till en kollega?",
            },
        ),
    ),
)
LETTER = Letter(
    subject={
        "en": "How is {product} doing?",
        "es": "¿Qué tal le va con {product}?",
        "sv": "Hur går det med {product}?",
    }
)


def contact_id(name: str) -> UUID:
    """A person's id."""
    return derive("test contact", name)


def account_id(name: str) -> UUID:
    """An account's id."""
    return derive("test account", name)


def survey_id(name: str) -> str:
    """The id of a person's survey."""
    return str(derive("test survey", name))


def delivery_id(name: str, step: int = 0) -> UUID:
    """The id of a step of a person's survey by e-mail."""
    return derive("delivery", survey_id(name), step, "email")


def snapshot(name: str, **fields: Any) -> Snapshot:
    """What is known about a person's survey."""
    known: dict[str, Any] = {
        "programme": "relationship-nps",
        "version": "v1",
        "family": Family.RELATIONSHIP,
        "touchpoint": "customer.onboarded",
        "contact_id": str(contact_id(name)),
        "account_id": str(account_id("acme")),
        "account_name": "Acme",
        "product": "Cloud",
        "locale": "en",
        "zone": "Europe/Stockholm",
    }
    return Snapshot(**(known | fields))


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it left through the outbox."""

    type: str
    id: str
    key: str
    data: Any


@dataclass(slots=True)
class MailRoom:
    """A dispatch service without its loops, in front of a real SMTP sink."""

    db: Database
    sealer: Sealer
    tokens: Tokens
    postman: Postman
    server: SmtpServer
    faults: Faults
    mails: list[Envelope] = field(default_factory=list)

    async def tell(self, *payloads: Payload) -> None:
        """Handle events as one batch, in one transaction."""
        events = [
            Event(str(derive("test", p.TYPE, n, p.model_dump_json())), "/test", p.TYPE, NOW, "", "k", p)
            for n, p in enumerate(payloads)
        ]
        async with self.db.begin() as tx:
            for route in SUBSCRIPTION.routes:
                wanted = [event for event in events if event.type in route.types]
                if wanted:
                    await route.handle(wanted, tx)
            assert tx.rejected == []

    async def request(self, name: str, **fields: Any) -> SurveyRequested:
        """A survey for a person whose address is `<name>@customer.example`."""
        person = fields.pop("person", None) or Person(
            name=f"{name.title()} Öberg", email=f"{name}@customer.example"
        )
        about = fields.pop("snapshot", None) or snapshot(name)
        async with self.db.begin() as tx:
            sealed = (await self.sealer.seal(tx.conn, [(UUID(about.contact_id), person)]))[0]
        known: dict[str, Any] = {
            "survey_id": survey_id(name),
            "snapshot": about,
            "person": sealed,
            "form": NPS,
            "letter": LETTER,
            "requested_at": NOW,
            "closes_at": NOW + timedelta(days=30),
            "slots": {"product": "Cloud"},
        }
        return SurveyRequested(**(known | fields))

    async def ask(self, name: str, **fields: Any) -> None:
        """Request a survey."""
        await self.tell(await self.request(name, **fields))

    async def work(self) -> None:
        """Deliver until nothing is due."""
        while await self.postman.round():
            pass

    async def told(self) -> list[Told]:
        """Everything in the outbox, in order."""
        async with self.db.read() as conn:
            rows = await conn.fetch("select event_id, headers, key, value from outbox order by id")
        result = []
        for row in rows:
            kind = dict(json.loads(row["headers"]))["ce_type"]
            data = BY_TYPE[kind].model_validate_json(row["value"])
            result.append(Told(kind, row["event_id"], row["key"].decode(), data))
        return result

    async def state(self, name: str, step: int = 0) -> tuple[str, str | None]:
        """State and reason of a step of a person's survey."""
        async with self.db.read() as conn:
            row = await conn.fetchrow(
                "select state, reason from messages where delivery_id = $1", delivery_id(name, step)
            )
        assert row is not None
        return row["state"], row["reason"]

    async def run(self, statement: str, *arguments: Any) -> None:
        """Change the database behind dispatch's back, for time that passed or a worker that died."""
        async with self.db.begin() as tx:
            await tx.conn.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Look into the database."""
        async with self.db.read() as conn:
            return list(await conn.fetch(statement, *arguments))

    async def wake(self) -> None:
        """Let all waits be over."""
        await self.run("update messages set not_before = clock.machine_now() where state = 'planned'")

    def read(self, number: int = -1) -> EmailMessage:
        """A mail of the sink, parsed."""
        parsed = message_from_bytes(self.mails[number].content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


def reminder(name: str, step: int = 1, version: int = 2) -> SurveyReminderRequested:
    """A further step of a person's survey."""
    return SurveyReminderRequested(
        survey_id=survey_id(name), version=version, step=step, snapshot=snapshot(name), requested_at=NOW
    )


def cancelled(name: str, version: int = 2) -> SurveyCancelled:
    """A survey that is off."""
    return SurveyCancelled(
        survey_id=survey_id(name),
        version=version,
        snapshot=snapshot(name),
        reason=Reason.CANCELLED,
        cancelled_at=NOW,
    )


@asynccontextmanager
async def mail_room(db: Database, sealer: Sealer, tokens: Tokens) -> AsyncIterator[MailRoom]:
    """Open a mail room with its sink."""
    mails: list[Envelope] = []

    async def store(envelope: Envelope) -> None:
        mails.append(envelope)

    faults = Faults()
    server = SmtpServer(store, faults)
    port = await server.start()
    machine = SystemMachine()
    channel = EmailChannel(Target("127.0.0.1", port, seconds=10.0), machine)
    desk = Desk(sealer, tokens, _renderer(), PUBLIC_URL)
    postman = Postman(db, machine, {Channel.EMAIL: channel}, desk)
    room = MailRoom(db, sealer, tokens, postman, server, faults, mails)
    try:
        await room.tell(ORGANISATION)
        yield room
    finally:
        await channel.close()
        await server.stop()


_renderers: list[Renderer] = []


def _renderer() -> Renderer:
    """Compiled once for all tests."""
    if not _renderers:
        _renderers.append(Renderer())
    return _renderers[0]


@dataclass(frozen=True, slots=True)
class Site:
    """The web application with dispatch alone in it."""

    app: FastAPI
    access: Access
    service: Service

    async def key(self, *scopes: Scope) -> str:
        """An API key; without scopes named, for everything that dispatch shows."""
        all_of_them = (Scope.MESSAGES_READ, Scope.CONTACTS_READ, Scope.PROGRAMMES_READ)
        _, text = await self.access.create_key("test", scopes or all_of_them)
        return text


async def site_of(room: MailRoom, access: Access | None = None) -> Site:
    """Put the service together as its composition root does."""
    clock, machine = room.db.clock, room.db.machine
    access = access or Access(room.db, clock, machine, secure=True)
    platform = Platform(
        settings=unconnected("dispatch").settings,
        db=room.db,
        bus=MemoryBus(),
        clock=clock,
        machine=machine,
        sealer=room.sealer,
        tokens=room.tokens,
        access=access,
    )
    service = await build(Settings(), platform)
    app = web_app(access, PUBLIC_URL)
    join(app, service.router)
    return Site(app, access, service)
