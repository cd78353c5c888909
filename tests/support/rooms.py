"""The five services as their composition roots build them, on what a test gives them to stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.alerts.app import build as build_alerts
from services.alerts.settings import Settings as AlertsSettings
from services.collector.app import build as build_collector
from services.collector.settings import Settings as CollectorSettings
from services.dispatch.app import build as build_dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.scoring.app import build as build_scoring
from services.scoring.settings import Settings as ScoringSettings
from services.trigger.app import build as build_trigger
from services.trigger.settings import Settings as TriggerSettings
from shared.bus.model import TopicSpec
from shared.bus.port import Bus, BusConsumer
from shared.db.database import connect
from shared.db.errors import RAISED, is_transient
from shared.runtime.clock import Clock, Machine
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.places import topics_of
from shared.runtime.relay import Relay
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.databases import TestDatabase
from tests.support.visitors import cheap_passwords

ROOT = Path(__file__).parents[2]
SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
URL = "http://ask.nordlicht.test"
WEBHOOK = "whsec_" + "Z2VuZXJpYy1zZWNyZXQtb2YtdGhlLXRlc3Rz"
HELPDESK = "secret-of-the-helpdesk"
FORM_TOOL = "secret-of-the-form-tool"
POOL = 4
_NONE = SecretStr("none")
PLATFORM = PlatformSettings(
    database_url="postgresql://127.0.0.1/none",
    database_password=_NONE,
    kafka_bootstrap="none",
    master_keys=_NONE,
    token_keys=_NONE,
    blind_secret=_NONE,
    public_url=URL,
)


@dataclass(slots=True)
class Member:
    """One consumer of a service."""

    loop: ConsumerLoop
    consumer: BusConsumer
    group: str
    topics: tuple[str, ...]
    instance: str

    async def step(self, bus: Bus) -> int:
        """Take one batch; after a failure of the log begin anew, as the loop itself does.

        Raises:
            Unavailable: the log is away.
        """
        try:
            return await self.loop.step(self.consumer)
        except RAISED as error:
            if is_transient(error):
                await self.consumer.stop()
                self.consumer = bus.consumer(self.group, self.topics, self.instance)
                await self.consumer.start()
            raise


@dataclass(slots=True)
class Running:
    """A service with what drives it.

    Attributes:
        awake: the loops that a bell wakes may find something to do.
        curious: the other loops too.
        fresh: no loop has run since it started.
    """

    service: Service
    platform: Platform
    relay: Relay
    members: list[Member]
    awake: bool = True
    curious: bool = True
    fresh: bool = True

    def wake(self) -> None:
        """Something happened, or time went on."""
        self.awake = self.curious = True


@dataclass(frozen=True, slots=True)
class Ground:
    """What all five stand on."""

    database: TestDatabase
    bus: Bus
    clock: Clock
    machine: Machine
    smtp_port: int
    programmes: Path = ROOT / "programmes"
    instance: str = "house"


async def build(name: str, ground: Ground) -> Running:
    """Build one service as its process would, connected but with nothing running."""
    platform = await _platform(name, ground)
    root, settings = _roots(ground)[name]
    service = await root(settings(), platform)
    members = [
        await _member(service, number, platform, ground)
        for number, subscription in enumerate(service.subscriptions)
        if subscription.names  # who reads no topic joins no group
    ]
    relay = Relay(platform.db, ground.bus, ground.machine, republish=service.republish)
    return Running(service, platform, relay, members)


def _roots(
    ground: Ground,
) -> dict[str, tuple[Callable[[Any, Platform], Awaitable[Service]], Callable[[], Any]]]:
    smtp: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": ground.smtp_port}
    return {
        "trigger": (build_trigger, partial(_trigger, ground.programmes)),
        "dispatch": (build_dispatch, partial(DispatchSettings, **smtp, lanes=1)),
        "collector": (build_collector, _collector),
        "scoring": (build_scoring, ScoringSettings),
        # A story reads each mail.
        "alerts": (build_alerts, partial(AlertsSettings, **smtp, page_minutes=0)),
    }


def _collector() -> CollectorSettings:
    file = ROOT / "docs/forms.example.yaml"
    return CollectorSettings(forms_file=file, typeform_secrets=SecretStr(FORM_TOOL))


def _trigger(programmes: Path) -> TriggerSettings:
    return TriggerSettings(
        programmes_dir=programmes,
        webhook_secrets=SecretStr(WEBHOOK),
        zendesk_secrets=SecretStr(HELPDESK),
        organisation_name="Nordlicht",
        organisation_zone="Europe/Stockholm",
        sender_name="Karin Åberg",
        sender_email="karin@nordlicht.example",
        own_domains="nordlicht.example",
    )


async def _platform(name: str, ground: Ground) -> Platform:
    dsn = ground.database.dsn(name)
    db = await connect(dsn, service=name, clock=ground.clock, machine=ground.machine, size=POOL)
    return Platform(
        settings=PLATFORM,
        db=db,
        bus=ground.bus,
        clock=ground.clock,
        machine=ground.machine,
        sealer=Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, ground.machine.wall),
        tokens=Tokens(KeyRing(1, {1: b"t" * 32})),
        access=Access(db, ground.clock, ground.machine, passwords=cheap_passwords(), secure=False),
    )


async def _member(service: Service, number: int, platform: Platform, ground: Ground) -> Member:
    subscription = service.subscriptions[number]
    instance = f"{service.name}-{ground.instance}-{number}"
    loop = ConsumerLoop(subscription, platform.db, ground.bus, ground.machine, instance=instance)
    group, topics = subscription.group(service.name), subscription.names
    consumer = ground.bus.consumer(group, topics, instance)
    await consumer.start()
    return Member(loop, consumer, group, topics, instance)


def topic_specs() -> Sequence[TopicSpec]:
    """The topics of the house."""
    return list({spec.name: spec for name in SERVICES for spec in topics_of(name)}.values())
