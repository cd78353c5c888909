"""A whole collector on a real database: fed with events as its consumer loop would, visited over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from services.collector.app import build
from services.collector.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.model import Record
from shared.contracts.deliveries import Delivery, DeliveryHandedOver
from shared.contracts.directory import Brand, OrganisationChanged, Sender
from shared.contracts.envelope import Event, binary_headers
from shared.contracts.forms import Bounds, Form, Item, Letter, Question, QuestionType
from shared.contracts.model import Channel, Family, Payload, Person, Snapshot, Tier
from shared.contracts.registry import payload_of
from shared.contracts.responses import Words
from shared.contracts.surveys import CloseTheLoop, SurveyRequested
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.consumer import Batch
from shared.runtime.hot import HotPaths
from shared.runtime.ids import derive
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.security.people import NewUser, SignedIn
from shared.security.roles import Role
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from shared.web.app import web_app
from shared.web.routing import join

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"

CES = Form(
    primary="ces",
    low=3,
    title={"en": "Getting started", "es": "Puesta en marcha", "sv": "Komma igång"},
    questions=(
        Question(
            id="ces",
            type=QuestionType.CES,
            text={
                "en": "How easy was it to get started with {product}?",
                "es": "¿Qué tan fácil fue empezar con {product}?",
                "sv": "Hur lätt var det att komma igång med {product}?",
            },
            low_label={"en": "Very hard", "es": "Muy difícil", "sv": "Mycket svårt"},
            high_label={"en": "Very easy", "es": "Muy fácil", "sv": "Mycket lätt"},
        ),
        Question(
            id="hard",
            type=QuestionType.TEXT,
            optional=True,
            when={"ces": Bounds(lte=5)},
            text={"en": "What made it hard?", "es": "¿Qué lo hizo difícil?", "sv": "Vad gjorde det svårt?"},
        ),
        Question(
            id="best",
            type=QuestionType.TEXT,
            optional=True,
            when={"ces": Bounds(gte=6)},
            text={"en": "What helped most?", "es": "¿Qué ayudó más?", "sv": "Vad hjälpte mest?"},
        ),
    ),
)

_ITEMS = (
    Item(id="speed", text={"en": "Speed", "es": "Rapidez", "sv": "Snabbhet"}),
    Item(id="value", text={"en": "Value for money", "es": "Relación calidad-precio", "sv": "Prisvärdhet"}),
    Item(id="people", text={"en": "The people", "es": "Las personas", "sv": "Människorna"}),
)
NPS = Form(
    primary="nps",
    low=6,
    title={"en": "Working with us", "es": "Trabajar con nosotros", "sv": "Att arbeta med oss"},
    questions=(
        Question(
            id="nps",
            type=QuestionType.NPS,
            text={
                "en": "How likely are you to recommend {organisation} to a colleague?",
                "es": "¿Qué probabilidad hay de que recomiende {organisation} a un colega?",
                "sv": "Hur troligt är det att du rekommenderar {organisation} till en kollega?",
            },
            low_label={"en": "Not at all likely", "es": "Nada probable", "sv": "Inte alls troligt"},
            high_label={"en": "Extremely likely", "es": "Muy probable", "sv": "Mycket troligt"},
        ),
        Question(
            id="why", type=QuestionType.TEXT, optional=True,
            text={"en": "Why this score?", "es": "¿Por qué esta nota?", "sv": "Varför detta betyg?"},
        ),
        Question(
            id="matters", type=QuestionType.SINGLE, items=_ITEMS,
            text={"en": "What matters most?", "es": "¿Qué importa más?", "sv": "Vad är viktigast?"},
        ),
        Question(
            id="rate", type=QuestionType.MATRIX, items=_ITEMS, optional=True,
            text={"en": "How do we do?", "es": "¿Cómo lo hacemos?", "sv": "Hur gör vi?"},
            low_label={"en": "Poor", "es": "Mal", "sv": "Dåligt"},
            high_label={"en": "Excellent", "es": "Excelente", "sv": "Utmärkt"},
        ),
        Question(
            id="quote", type=QuestionType.CONSENT,
            text={"en": "You may quote me", "es": "Pueden citarme", "sv": "Ni får citera mig"},
        ),
    ),
)  # fmt: skip

ORGANISATION = OrganisationChanged(
    version=1,
    name="Northwind Logistics",
    brand=Brand(name="Northwind", colour="#0b6e4f", address="Northwind Logistics AB, Storgatan 1, Malmö"),
    sender=Sender(name="Ana Ruiz", email="ana@northwind.example"),
    public_url="https://ask.northwind.example",
    privacy_note={
        "en": "We keep your answer for two years and delete it when you ask us to.",
        "es": "Guardamos su respuesta dos años y la borramos si nos lo pide.",
        "sv": "Vi sparar ditt svar i två år och raderar det när du ber om det.",
    },
)


def survey_id(number: int) -> UUID:
    """The id of survey `number`."""
    return derive("survey", number)


def contact_id(number: int) -> UUID:
    """The id of the person who is asked by survey `number`."""
    return derive("contact", number)


def snapshot(number: int, **changes: object) -> Snapshot:
    """What is known about survey `number`."""
    values: dict[str, Any] = {
        "programme": "onboarding-ces", "version": "v1", "family": Family.TRANSACTIONAL,
        "touchpoint": "customer.signed_up", "contact_id": str(contact_id(number)),
        "account_id": str(derive("account", number)), "account_name": "Acme", "tier": Tier.KEY,
        "product": "Routes", "zone": "Europe/Stockholm", "locale": "en",
    }  # fmt: skip
    return Snapshot.model_validate(values | changes)


@dataclass(slots=True)
class Collector:
    """A collector with everything it stands on."""

    db: Database
    sealer: Sealer
    tokens: Tokens
    clock: FixedClock
    machine: FakeMachine
    service: Service
    app: FastAPI
    access: Access
    _fed: int = 0
    _batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        """The consumer's batch handling, without a bus."""
        routes = tuple(route for one in self.service.subscriptions for route in one.routes)
        self._batch = Batch(routes, self.db, self.machine)

    @classmethod
    async def start(
        cls,
        db: Database,
        sealer: Sealer,
        tokens: Tokens,
        clock: FixedClock,
        machine: FakeMachine,
        settings: Mapping[str, object] | None = None,
    ) -> Collector:
        """Put it together as the composition root does."""
        access = Access(db, clock, machine, secure=False)
        platform = Platform(
            settings=PLATFORM, db=db, bus=MemoryBus(), clock=clock, machine=machine, sealer=sealer,
            tokens=tokens, access=access,
        )  # fmt: skip
        service = await build(Settings.model_validate(settings or {}), platform)
        app = web_app(access, "http://test")
        join(app, service.router)
        return cls(db, sealer, tokens, clock, machine, service, app, access)

    def client(self, address: str = "10.0.0.1", agent: str = PHONE) -> httpx.AsyncClient:
        """A browser at an address."""
        transport = httpx.ASGITransport(HotPaths(self.app, self.service.hot), client=(address, 1234))
        return httpx.AsyncClient(
            transport=transport, base_url="http://test", headers={"user-agent": agent, "accept": "text/html"}
        )

    async def feed(self, *payloads: Payload) -> list[Record]:
        """Let events arrive in one batch; those that were put aside."""
        return await self._batch.handle([self.record(payload) for payload in payloads])

    def record(self, payload: Payload) -> Record:
        """A payload as it lies in Kafka, under an event id of its own."""
        self._fed += 1
        event = Event(f"e{self._fed}", "/test", payload.TYPE, self.clock.now(), "subject", "key", payload)
        return Record(
            payload.TOPIC.value,
            0,
            self._fed,
            b"key",
            payload.model_dump_json().encode(),
            binary_headers(event),
            0,
        )

    async def asked(self, number: int, form: Form = CES, **changes: object) -> str:
        """Let a survey arrive, sent a minute ago; returns its path."""
        person = Person(name="Mia Berg", email="mia@acme.example")
        async with self.db.begin() as tx:
            sealed = (await self.sealer.seal(tx.conn, [(contact_id(number), person)]))[0]
        values: dict[str, Any] = {
            "survey_id": str(survey_id(number)), "snapshot": snapshot(number), "person": sealed, "form": form,
            "letter": Letter(subject={"en": "A question"}), "requested_at": self.clock.now(),
            "closes_at": self.clock.now() + timedelta(days=30), "close_the_loop": CloseTheLoop(),
        }  # fmt: skip
        await self.feed(SurveyRequested.model_validate(values | changes))
        return self.path(number)

    async def handed_over(
        self, number: int, ago: float = 60, kind: type[Delivery] = DeliveryHandedOver
    ) -> None:
        """Let word come that the invitation went out `ago` seconds before now."""
        await self.feed(
            kind(
                delivery_id=str(derive("delivery", number)), version=1, survey_id=str(survey_id(number)),
                channel=Channel.EMAIL, snapshot=snapshot(number),
                at=self.clock.now() - timedelta(seconds=ago),
            )
        )  # fmt: skip

    async def held(self, number: int, words: str = "", **changes: Any) -> None:
        """Let a machine answer survey `number`, which the collector holds back and says so."""
        path = await self.asked(number, **changes)
        await self.handed_over(number)
        async with self.client(f"198.51.100.{number}") as bot:
            page = await bot.get(path)
            self.wait(2)
            filled = {"q.ces": "1", "leave_empty": "x"} | ({"q.hard": words} if words else {})
            await send(bot, page, path, filled)
        self.wait(60)
        await self.settle()
        self.wait(10)

    async def sign_in(self, browser: httpx.AsyncClient, role: Role = Role.MANAGER) -> UUID:
        """Sign somebody in, CSRF token included; who that is."""
        email, password = f"{role}@northwind.example", "correct horse battery staple"
        invited = await self.access.invite(NewUser(email, "Eva", role))
        await self.access.set_up(invited.token, password)
        signed_in = await self.access.sign_in(email, password, None)
        assert isinstance(signed_in, SignedIn)
        browser.cookies.set("afterword", signed_in.token)
        browser.headers["x-csrf-token"] = signed_in.session.csrf
        return invited.user.id

    def path(self, number: int) -> str:
        """The link of survey `number`."""
        return f"/s/{self.tokens.sign('answer', survey_id(number))}"

    def wait(self, seconds: float) -> None:
        """Let business time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    async def settle(self) -> list[Payload]:
        """Run the settling loop until it has nothing to do; what was announced by it."""
        before = len(await self.events())
        loop = next(loop for loop in self.service.loops if loop.name == "settle")
        while await loop.run():
            pass
        return (await self.events())[before:]

    async def events(self) -> list[Payload]:
        """All that the collector has announced."""
        async with self.db.read() as conn:
            rows = await conn.fetch("select topic, headers, value from outbox order by id")
        found: list[Payload] = []
        for row in rows:
            kind = re.search(r'"ce_type", "([^"]+)"', row["headers"])
            model = payload_of(row["topic"], kind[1] if kind else "")
            assert model is not None
            found.append(model.model_validate_json(row["value"]))
        return found

    async def words(self, number: int, sealed: str) -> dict[str, str]:
        """Sealed words in clear."""
        async with self.db.read() as conn:
            opened = (await self.sealer.open(conn, [(contact_id(number), sealed)], Words))[0]
        return opened.texts if opened else {}


async def send(
    client: httpx.AsyncClient, page: httpx.Response, path: str, fields: Mapping[str, str | list[str]]
) -> httpx.Response:
    """Send the form of a page as the browser of a person would: its script knows that it was touched."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    body = {name: unescape(value) for name, value in hidden} | {"hand": "touched"} | dict(fields)
    return await client.post(path, data=body)


PLATFORM = PlatformSettings.model_validate(
    {
        "database_url": "postgresql://127.0.0.1/none",
        "database_password": "none",
        "kafka_bootstrap": "none",
        "master_keys": "none",
        "token_keys": "none",
        "blind_secret": "none",
    }
)
