"""A trigger service on a real database, without broker: events go in and due loops are turned by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastapi import FastAPI
from pydantic import SecretStr

from services.trigger import api, pages
from services.trigger.api import Inbound
from services.trigger.domain.model import Organisation
from services.trigger.domain.refused import Refusals
from services.trigger.handlers import subscriptions
from services.trigger.handlers.intake import Intake
from services.trigger.sources.live import LiveSources
from services.trigger.store import ledger
from services.trigger.store.ledger import Entry, Question
from services.trigger.webhooks.segment import Browsers
from services.trigger.worker.due import DuePlans
from services.trigger.worker.parked import ParkedReports
from services.trigger.worker.publisher import Publisher
from services.trigger.worker.refusing import RefusalLog
from services.trigger.worker.reminders import Closing, DueReminders
from shared.bus.memory import MemoryBus
from shared.contracts.directory import Brand, Sender
from shared.contracts.envelope import Event
from shared.contracts.model import Payload
from shared.contracts.registry import payload_of
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from shared.db.database import Database, Tx
from shared.db.errors import RAISED, is_transient
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.service import Platform
from shared.runtime.settings import PlatformSettings
from shared.security.accounts import Access
from shared.security.people import NewUser, SignedIn
from shared.security.roles import Role, Scope
from shared.security.sealing import Sealer
from shared.security.signatures import WebhookSecret
from shared.security.tokens import Tokens
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.visitors import cheap_passwords

ROOT = Path(__file__).parents[2]
DEFAULTS = Organisation(
    name="Nordlicht",
    zone="Europe/Stockholm",
    brand=Brand(name="Nordlicht"),
    sender=Sender(name="Maria Lind", email="maria@nordlicht.example"),
    public_url="https://ask.nordlicht.example",
    own_domains=("nordlicht.example",),
)


_NEXT_DUE = """
select min(at) from (
    select due_at as at from plans where state = 'pending'
    union all select next_step_at from asks
    union all select closes_at from asks where closed_at is null
) as due where at > $1
"""


@dataclass
class World:
    """One trigger service and everything it says."""

    db: Database
    clock: FixedClock
    sealer: Sealer
    publisher: Publisher
    sent: int = 0
    read: int = 0
    back: int = 0
    heard: list[tuple[str, Payload]] = field(default_factory=list)

    async def tell(self, kind: str, *, id: str = "", **data: Any) -> str:  # noqa: A002 - an event's id
        """A touchpoint happens now, unless `occurred_at` says when; returns its event id."""
        self.sent += 1
        event_id = id or f"e{self.sent}"
        told = Touchpoint.model_validate({"occurred_at": self.clock.now(), **data})
        await self.handle([Event(event_id, "/crm", kind, told.occurred_at, "", "k", told)])
        return event_id

    async def hear(self, *payloads: Payload) -> None:
        """Events of the other services come in, in this order."""
        await self.handle(self.news(*payloads))

    def news(self, *payloads: Payload) -> list[Event[Any]]:
        """Events of the other services, of now."""
        first = self.sent + 1
        self.sent += len(payloads)
        now = self.clock.now()
        return [
            Event(f"o{number}", "/other", one.TYPE, now, "", "k", one)
            for number, one in enumerate(payloads, first)
        ]

    async def relayed(self) -> None:
        """What trigger itself told as touchpoints comes back to it over the log."""
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "select id, headers, value from outbox where topic = $1 and id > $2 order by id",
                Topic.TOUCHPOINTS.value,
                self.back,
            )
        self.back = rows[-1]["id"] if rows else self.back
        events: list[Event[Any]] = []
        for row in rows:
            headers, told = dict(_headers(row["headers"])), Touchpoint.model_validate_json(row["value"])
            source, kind = headers["ce_source"], headers["ce_type"]
            events.append(Event(headers["ce_id"], source, kind, told.occurred_at, "", "k", told))
        if events:
            await self.handle(events)

    async def handle(self, events: list[Event[Any]]) -> None:
        """One batch, repeated while the database is busy, as the consumer loop does."""
        for _ in range(20):
            try:
                return await self.once(events)
            except RAISED as error:
                if not is_transient(error):
                    raise
        raise AssertionError("the database stayed busy")

    async def once(self, events: list[Event[Any]]) -> None:
        """One batch, by all routes, in one transaction."""
        async with self.db.begin() as tx:
            await self.routed(events, tx)

    async def routed(self, events: list[Event[Any]], tx: Tx) -> None:
        """One batch, by all routes, in a transaction that is open."""
        for route in subscriptions(self.sealer)[0].routes:
            wanted = [e for e in events if "*" in route.types or e.type in route.types]
            if wanted:
                await route.handle(wanted, tx)

    async def due(self) -> int:
        """Turn all due loops until nothing is left to do."""
        done = 0
        blind = self.sealer.blind
        parked = ParkedReports(self.db, self.sealer)
        loops = (parked, DuePlans(self.db, blind), DueReminders(self.db, blind), Closing(self.db))
        while round_ := sum([await loop.run() for loop in loops]):
            done += round_
        return done

    async def later(self, **span: float) -> int:
        """Time passes, due loops run."""
        self.clock.advance(timedelta(**span))
        return await self.due()

    async def until(self, at: datetime) -> int:
        """Time passes up to an instant, with a stop at every moment when something is due; loops run."""
        done = await self.due()
        while (due := await self._next_due()) is not None and due <= at:
            self.clock.set(due)
            done += await self.due()
        self.clock.set(max(at, self.clock.now()))
        return done + await self.due()

    async def _next_due(self) -> datetime | None:
        async with self.db.read() as conn:
            due: datetime | None = await conn.fetchval(_NEXT_DUE, self.clock.now())
        return due

    async def said(self, kind: type[Payload]) -> list[Any]:
        """Everything of one type that was announced so far, in order."""
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "select topic, headers, value from outbox where id > $1 order by id", self.read
            )
            self.read += len(rows)
            rows = [row for row in rows if not row["topic"].startswith("dlq.")]
        for row in rows:
            headers = dict(_headers(row["headers"]))
            model = payload_of(row["topic"], headers["ce_type"])
            assert model is not None
            self.heard.append((headers["ce_type"], model.model_validate_json(row["value"])))
        return [payload for _, payload in self.heard if isinstance(payload, kind)]

    async def ledger(self, **question: Any) -> list[Entry]:
        """Decisions, oldest first."""
        async with self.db.read() as conn:
            return (await ledger.read(conn, Question(**question, limit=500)))[::-1]

    async def reasons(self) -> list[tuple[str, str]]:
        """Outcome and reason of every decision, oldest first."""
        return [(e.decision.outcome.value, str(e.decision.reason or "")) for e in await self.ledger()]

    async def books(self) -> Any:
        """The books, which must balance at any moment."""
        async with self.db.read() as conn:
            found = await ledger.books(conn)
        assert found.balanced, found
        return found


def _headers(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in json.loads(text)]


def shadowed(folder: Path) -> None:
    """Put beside each programme one in shadow that wants the same people more."""
    for path in list(folder.glob("*.yaml")):
        found = list(yaml.safe_load_all(path.read_text()))
        if not all(isinstance(one, dict) and "key" in one for one in found):
            continue
        for one in found:
            one |= {"key": f"{one['key']}-2", "state": "shadow", "priority": 99}
        (folder / f"shadow-{path.name}").write_text(yaml.safe_dump_all(found))


def shipped(folder: Path) -> Path:
    """Put the shipped programmes into a folder."""
    for path in (ROOT / "programmes").glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    return folder


async def begin(
    db: Database,
    clock: FixedClock,
    sealer: Sealer,
    folder: Path,
    *,
    locales: tuple[str, ...] = DEFAULTS.locales,
) -> World:
    """A world with the programmes of a folder, published."""
    publisher = Publisher(db, folder, replace(DEFAULTS, locales=locales))
    await publisher.run()
    return World(db, clock, sealer, publisher)


BASE = "http://trigger.example"
PASSWORD = "correct horse battery"
GENERIC = WebhookSecret.standard("whsec_" + "Z2VuZXJpYy1zZWNyZXQtb2YtdGhlLXRlc3Rz")
OLDER = WebhookSecret.standard("whsec_" + "b2xkZXItc2VjcmV0LW9mLXRoZS10ZXN0cyEh")
ZENDESK = WebhookSecret.plain("zendesk-secret")


Secrets = Mapping[str, Sequence[WebhookSecret]]
SECRETS: Secrets = {"generic": (GENERIC, OLDER), "zendesk": (ZENDESK,)}


@dataclass
class Site:
    """The site, and ways in."""

    world: World
    machine: FakeMachine
    access: Access
    app: FastAPI
    refusals: Refusals = field(default_factory=Refusals)

    async def write_down(self) -> None:
        """What was refused at the door is written down, as its loop does."""
        await RefusalLog(self.world.db, self.refusals).run()

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client that is nobody."""
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    async def with_key(self, *scopes: Scope) -> httpx.AsyncClient:
        """A program with an API key."""
        _, key = await self.access.create_key("test", set(scopes))
        return self.client(authorization=f"Bearer {key}")

    async def session(self, role: Role) -> str:
        """The cookie of a new signed-in person."""
        return (await self._signed_in(role)).token

    async def signed_in(self, role: Role) -> httpx.AsyncClient:
        """A person's browser; posts carry the CSRF token."""
        signed = await self._signed_in(role)
        client = self.client(**{"accept": "text/html", "x-csrf-token": signed.session.csrf})
        client.cookies.set("afterword", signed.token)
        return client

    async def _signed_in(self, role: Role) -> SignedIn:
        email = f"{role}@nordlicht.example"
        invitation = await self.access.invite(NewUser(email=email, name=f"Some {role}", role=role))
        await self.access.set_up(invitation.path.rpartition("/")[2], PASSWORD)
        signed = await self.access.sign_in(email, PASSWORD, None)
        assert isinstance(signed, SignedIn)
        return signed


def site_of(
    world: World,
    machine: FakeMachine,
    tokens: Tokens,
    secrets: Secrets | None = None,
    browsers: Browsers | None = None,
) -> Site:
    """The site over a world."""
    passwords = cheap_passwords()
    access = Access(world.db, world.clock, machine, passwords=passwords, secure=False)
    secret = SecretStr("x")
    settings = PlatformSettings(
        database_url="x",
        database_password=secret,
        kafka_bootstrap="x",
        master_keys=secret,
        token_keys=secret,
        blind_secret=secret,
    )
    platform = Platform(settings, world.db, MemoryBus(), world.clock, machine, world.sealer, tokens, access)
    live = LiveSources(Path("no such sources.yaml"))
    app = web_app(access, BASE)
    intake = Intake(world.sealer, machine)
    inbound = Inbound(intake, secrets or SECRETS, browsers=browsers or Browsers())
    join(app, api.router(platform, inbound, live))
    join(app, pages.router(platform))
    return Site(world, machine, access, app, inbound.refusals)
