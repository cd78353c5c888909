"""What a service is made of, and what it is given: the two sides of each composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.types import ASGIApp

from shared.bus.port import Bus
from shared.db.database import Database
from shared.runtime.clock import Clock, Machine
from shared.runtime.consumer import Subscription
from shared.runtime.http import Check
from shared.runtime.loops import Loop
from shared.runtime.relay import Republish
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

Listener = Callable[[asyncio.Event], Awaitable[None]]
"""Listens for something that does not come by HTTP, until the event is set; what fails ends the process."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a service is given: its database, the bus, the two times, secrets and sign-in."""

    settings: PlatformSettings
    db: Database
    bus: Bus
    clock: Clock
    machine: Machine
    sealer: Sealer
    tokens: Tokens
    access: Access


@dataclass(frozen=True, slots=True)
class Service:
    """What a service consists of.

    Attributes:
        name: its name, schema and consumer group.
        router: its HTTP routes.
        hot: path -> application that serves POSTs to it before any routing (`shared.runtime.hot`).
        subscriptions: what it reads from Kafka.
        loops: what it does when something is due.
        listeners: further doors beside HTTP.
        republish: emits the current state of its compacted topics, for a broker that lost everything.
        checks: further readiness checks.
        warnings: what `/readyz` tells beside them and stays ready with.
    """

    name: str
    router: APIRouter
    hot: Mapping[str, ASGIApp] = field(default_factory=dict)
    subscriptions: tuple[Subscription, ...] = ()
    loops: tuple[Loop, ...] = ()
    listeners: tuple[Listener, ...] = ()
    republish: Republish | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    warnings: Mapping[str, Check] = field(default_factory=dict)
