"""Runs one service or several in one process: connects, serves HTTP, drives loops, stops within a bound."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ssl import create_default_context

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.bus.port import Bus
from shared.db.anchor import read_anchor
from shared.db.database import Database, connect
from shared.db.errors import RAISED, is_transient
from shared.db.migrations import role_of
from shared.errors import AfterwordError, CannotStart, Unavailable
from shared.runtime import failpoints, metrics
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Anchor, AnchoredClock, Machine, SystemMachine
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.hot import HotPaths
from shared.runtime.housekeeping import housekeeping
from shared.runtime.http import Check, probes
from shared.runtime.logging import configure, get_logger
from shared.runtime.loops import Loop, pause, run_loop
from shared.runtime.memory import spare_startup
from shared.runtime.places import wait_for_topics
from shared.runtime.relay import Relay, outbox_depth
from shared.runtime.service import Listener, Platform, Service
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.security.keyring import KeyRing, decode_secret
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from shared.web.app import web_app
from shared.web.routing import join
from shared.web.streams import Streams

Build = Callable[[Platform], Awaitable[Service]]
"""A composition root with its own settings already bound."""

STOP_SECONDS = 15.0
OUTBOX_STUCK_SECONDS = 60.0

log = get_logger("host")


@dataclass(slots=True)
class Hosted:
    """A running service with its parts, for probes and metrics."""

    service: Service
    platform: Platform
    consumers: list[ConsumerLoop] = field(default_factory=list)
    outbox_age: float = 0.0


async def run(
    builds: Mapping[str, Build],
    settings: PlatformSettings,
    *,
    human_logs: bool = False,
    opened: Callable[[], None] = lambda: None,
) -> None:
    """Run services until SIGTERM or SIGINT; returns when all of them have stopped.

    Args:
        builds: each service's composition root by name.
        settings: what they share.
        human_logs: logs for a terminal instead of lines of JSON.
        opened: called once all of them are built and about to serve.

    Raises:
        CannotStart: a setting, or a file that one names, cannot be used.
    """
    configure(settings.log_level, human=human_logs)
    failpoints.arm(settings.failpoint)
    machine, clock = SystemMachine(), AnchoredClock(SystemMachine())
    stop = asyncio.Event()
    _on_signals(stop)
    bus = KafkaBus(kafka_settings(settings))
    async with _opened(builds, settings, bus, clock, machine) as hosted:
        opened()
        streams = Streams(settings.streams)
        app = application(hosted, clock, bus, settings, stop, streams)
        spare_startup()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep_time(hosted, clock, machine, stop), name="clock")
            for one in hosted:
                _start(tasks, one, clock, machine, stop)
            server = _Server(_uvicorn(app, settings))
            tasks.create_task(_serve(server, stop, settings.drain_seconds, streams), name="http")
            await stop.wait()
            log.info("stopping", services=[one.service.name for one in hosted])
            async with asyncio.timeout(STOP_SECONDS):
                await server.finished.wait()
    await bus.stop()


def kafka_settings(settings: PlatformSettings) -> KafkaSettings:
    """How to reach the brokers."""
    return KafkaSettings(
        bootstrap=settings.kafka_bootstrap,
        security_protocol=settings.kafka_security_protocol,
        ssl_context=create_default_context() if "SSL" in settings.kafka_security_protocol else None,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_username or None,
        sasl_password=settings.kafka_password.get_secret_value() or None,
    )


@asynccontextmanager
async def _opened(
    builds: Mapping[str, Build], settings: PlatformSettings, bus: Bus, clock: AnchoredClock, machine: Machine
) -> AsyncIterator[list[Hosted]]:
    hosted: list[Hosted] = []
    try:
        for name, build in builds.items():
            hosted.append(await _built(name, build, settings, bus, clock, machine))
        await bus.start()
        yield hosted
    finally:
        for one in hosted:
            await one.platform.db.close()


async def _built(
    name: str,
    build: Build,
    settings: PlatformSettings,
    bus: Bus,
    clock: AnchoredClock,
    machine: Machine,
) -> Hosted:
    """One service, connected.

    Raises:
        CannotStart: what its composition root refuses, in its words; the log of level debug has the place.
    """
    try:
        platform = await platform_for(name, settings, bus, clock, machine)
        return Hosted(await build(platform), platform)
    except (AfterwordError, ValueError) as error:
        log.debug("cannot_start", service=name, exc_info=error)
        raise CannotStart(f"{name} cannot start:\n{error}") from error


async def platform_for(
    service: str, settings: PlatformSettings, bus: Bus, clock: AnchoredClock, machine: Machine
) -> Platform:
    """Connect a service to its own schema; waits for a database that is not there yet."""
    db = await reach_database(service_dsn(settings, service), service, clock, machine)
    masters = KeyRing.parse(settings.master_keys.get_secret_value(), "AFTERWORD_MASTER_KEYS")
    blind = decode_secret(settings.blind_secret.get_secret_value(), "AFTERWORD_BLIND_SECRET")
    ring = KeyRing.parse(settings.token_keys.get_secret_value(), "AFTERWORD_TOKEN_KEYS")
    tokens = Tokens(ring)
    return Platform(
        settings=settings,
        db=db,
        bus=bus,
        clock=clock,
        machine=machine,
        sealer=Sealer(masters, blind, machine.wall),
        tokens=tokens,
        access=Access(db, clock, machine, secure=settings.public_url.startswith("https")),
    )


async def reach_database(dsn: str, service: str, clock: AnchoredClock, machine: Machine) -> Database:
    """Connect and learn the time, however long the database is away, or goes away again meanwhile."""
    backoff = Backoff(machine)
    while True:
        try:
            db = await connect(dsn, service=service, clock=clock, machine=machine)
            try:
                async with db.read() as conn:
                    clock.observe(await read_anchor(conn, machine))
            except RAISED:
                await db.close()
                raise
        except RAISED as error:
            if not is_transient(error):
                raise
            why = str(error) if isinstance(error, Unavailable) else type(error).__name__
            log.warning("waiting_for_database", service=service, error=why)
            await backoff.wait()
        else:
            return db


def service_dsn(settings: PlatformSettings, service: str) -> str:
    """The database address with the service's own role."""
    scheme, rest = settings.database_url.split("://", 1)
    password = settings.database_password.get_secret_value()
    return f"{scheme}://{role_of(service)}:{password}@{rest.split('@', 1)[-1]}"


def application(
    hosted: Sequence[Hosted],
    clock: AnchoredClock,
    bus: Bus,
    settings: PlatformSettings,
    stop: asyncio.Event,
    streams: Streams,
) -> ASGIApp:
    """One web application of all hosted services, with sign-in, static files and probes."""
    checks: dict[str, Check] = {
        "process": _stop_check(stop),
        "clock": _clock_check(clock),
        "broker": _bus_check(bus),
    }
    warnings: dict[str, Check] = {}
    for one in hosted:
        checks |= _checks(one)
        checks |= one.service.checks
        warnings |= one.service.warnings
    app = web_app(hosted[0].platform.access, settings.public_url, streams)
    join(app, probes(checks, clock, warnings))
    for one in hosted:
        join(app, one.service.router)
    return HotPaths(app, {path: asgi for one in hosted for path, asgi in one.service.hot.items()})


def _checks(one: Hosted) -> dict[str, Check]:
    name = one.service.name

    async def database() -> str:
        try:
            async with asyncio.timeout(2), one.platform.db.read() as conn:
                await conn.execute("select 1")
        except RAISED as error:
            if not is_transient(error):
                raise
            return f"unreachable: {type(error).__name__}"
        return ""

    async def consumer() -> str:
        stopped = [f"{t}/{p}" for loop in one.consumers for t, p in sorted(loop.stopped)]
        if stopped:
            return f"stopped after too many dead letters: {', '.join(stopped)}; see `afterword dlq list`"
        return "" if all(loop.ready for loop in one.consumers) else "no partitions assigned yet"

    async def outbox() -> str:
        late = one.outbox_age > OUTBOX_STUCK_SECONDS
        return f"oldest event waits {one.outbox_age:.0f} s for the broker" if late else ""

    return {f"{name}.database": database, f"{name}.consumer": consumer, f"{name}.outbox": outbox}


def _stop_check(stop: asyncio.Event) -> Check:
    async def check() -> str:
        return "stopping" if stop.is_set() else ""

    return check


def _clock_check(clock: AnchoredClock) -> Check:
    async def check() -> str:
        return (
            "the clocks disagree; nothing due is acted on until they agree for a minute"
            if clock.suspect
            else ""
        )

    return check


def _bus_check(bus: Bus) -> Check:
    async def check() -> str:
        return "" if await bus.healthy() else "unreachable"

    return check


def _start(
    tasks: asyncio.TaskGroup, one: Hosted, clock: AnchoredClock, machine: Machine, stop: asyncio.Event
) -> None:
    """Start everything that one service does besides HTTP."""
    name, platform = one.service.name, one.platform
    relay = Relay(platform.db, platform.bus, machine, republish=one.service.republish)
    tasks.create_task(relay.run(stop), name=f"{name}.relay")
    members = [each for each in one.service.subscriptions for _ in range(each.members)]
    for number, subscription in enumerate(members):
        instance = f"{name}-{platform.settings.instance}-{number}"
        loop = ConsumerLoop(subscription, platform.db, platform.bus, machine, instance=instance)
        one.consumers.append(loop)
        tasks.create_task(_consume(loop, platform.bus, machine, stop), name=f"{name}.consumer")
    watch = Loop("watch", 5.0, _watch(one, clock), due=False, woken=False)
    for each in (watch, housekeeping(platform.db, machine), *one.service.loops):
        driven = run_loop(name, each, machine, stop, bell=platform.db.bell, paused=lambda: clock.suspect)
        tasks.create_task(driven, name=f"{name}.{each.name}")
    for listener in one.service.listeners:
        tasks.create_task(_listen(listener, stop), name=f"{name}.listener")


async def _listen(listener: Listener, stop: asyncio.Event) -> None:
    await listener(stop)


async def _consume(loop: ConsumerLoop, bus: Bus, machine: Machine, stop: asyncio.Event) -> None:
    subscription = loop.subscription
    if subscription.foreign is None:
        await wait_for_topics(bus, subscription.names, machine, stop)
    await loop.run(stop)


async def _keep_time(
    hosted: Sequence[Hosted], clock: AnchoredClock, machine: Machine, stop: asyncio.Event
) -> None:
    """Follow the anchor: closely while business time is not real time, else every two seconds."""
    known: Anchor | None = None
    while not stop.is_set():
        every = 0.5
        try:
            async with hosted[0].platform.db.read() as conn:
                reading = await read_anchor(conn, machine)
            clock.observe(reading)
            every = 2.0 if reading.anchor.rate == 1 else 0.02
            if reading.anchor != known:
                known = reading.anchor
                _ring(hosted)
        except RAISED as error:
            if not is_transient(error):
                raise
        await pause(stop, every)
    _ring(hosted)


def _ring(hosted: Sequence[Hosted]) -> None:
    """Business time was moved, or all are to stop: every loop looks again."""
    for one in hosted:
        one.platform.db.bell.ring()


def _watch(one: Hosted, clock: AnchoredClock) -> Callable[[], Awaitable[int]]:
    """Refresh the gauges of a service: outbox and lag."""

    async def watch() -> int:
        name, platform = one.service.name, one.platform
        async with platform.db.read() as conn:
            depth, one.outbox_age = await outbox_depth(conn, platform.machine)
        metrics.OUTBOX_UNPUBLISHED.labels(name).set(depth)
        metrics.OUTBOX_OLDEST_AGE.labels(name).set(one.outbox_age)
        metrics.CLOCK_SUSPECT.labels(name).set(clock.suspect)
        for subscription in one.service.subscriptions:
            lags: dict[str, int] = dict.fromkeys(subscription.names, 0)
            if not subscription.names:
                continue
            found = await platform.bus.lag(subscription.group(name), subscription.names)
            for (topic, _), lag in found.items():
                lags[topic] += lag
            for topic, lag in lags.items():
                metrics.CONSUMER_LAG.labels(name, topic).set(lag)
        return 0

    return watch


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _uvicorn(app: ASGIApp, settings: PlatformSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,  # a path holds a token
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
        lifespan="off",
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the host decides when to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.finished = asyncio.Event()

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _serve(server: _Server, stop: asyncio.Event, drain_seconds: float, streams: Streams) -> None:
    """Serve until told to stop, and then a moment longer: whoever balances load has to hear of it first.

    Streams last until then too, so that whoever opens theirs anew comes to another process.
    """
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
        try:
            await stop.wait()
            await asyncio.sleep(drain_seconds)
        finally:
            server.should_exit = True
            streams.end()
            await serving
            server.finished.set()
