"""A made-up service `probe` that counts touchpoints and announces each, on real Postgres and a memory bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing, Record, TopicSpec
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.envelope import Event, decode
from shared.contracts.topics import TOPICS, Topic
from shared.db.database import Database, Tx, connect
from shared.db.ddl import RUNTIME_TABLES
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.consumer import ConsumerLoop, Route, Subscription
from shared.runtime.deadletters import Limits
from shared.runtime.relay import Relay
from tests.support.databases import cloned, ensure_template


@dataclass
class Probe:
    """The service under test with all its parts."""

    db: Database
    bus: MemoryBus
    machine: FakeMachine
    poison: set[str] = field(default_factory=set)
    batches: list[int] = field(default_factory=list)

    async def count(self, events: Sequence[Event[Any]], tx: Tx) -> None:
        """Store each touchpoint and announce it; fails on a poisoned one."""
        self.batches.append(len(events))
        for event in events:
            if event.id in self.poison:
                raise ValueError(event.id)
            await tx.conn.execute("insert into counted values ($1)", event.id)
            at = event.data.occurred_at
            tx.emit(ContextRecorded(kind=ContextKind.USAGE, at=at), identity=event.id, key=event.key)

    def loop(self, instance: str = "a", limits: Limits | None = None) -> ConsumerLoop:
        """A consumer of the probe."""
        route = Route(("*",), self.count)
        subscription = Subscription((Topic.TOUCHPOINTS,), (route,))
        return ConsumerLoop(subscription, self.db, self.bus, self.machine, instance=instance, limits=limits)

    def relay(self) -> Relay:
        """A relay of the probe."""
        return Relay(self.db, self.bus, self.machine)

    async def counted(self) -> list[str]:
        """Ids of all touchpoints that had an effect, with repetitions."""
        async with self.db.read() as conn:
            return [row[0] for row in await conn.fetch("select id from counted order by id")]

    async def say(self, *ids: str, key: str = "k", **headers: str) -> None:
        """A backend tells of touchpoints."""
        await self.bus.produce([touchpoint(one, key=key, headers=headers) for one in ids])

    async def announced(self) -> list[str]:
        """Event ids on the context topic, in log order, one key's worth."""
        records = await everything(self.bus, Topic.CONTEXT)
        events = [decode(r.topic, r.key, r.value, r.headers) for r in records]
        return [event.id for event in events if event]


def touchpoint(
    event_id: str, *, key: str = "k", value: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Outgoing:
    """A touchpoint as a backend writes it."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/crm",
        "ce_type": "order.delivered",
    }
    attributes |= {"ce_time": "2026-03-01T10:00:00Z"} | dict(headers or {})
    body = value or b'{"occurred_at": "2026-03-01T10:00:00Z", "contact": {"id": "c1"}}'
    return Outgoing(
        Topic.TOUCHPOINTS.value, key.encode(), body, tuple((n, v.encode()) for n, v in attributes.items())
    )


async def everything(bus: MemoryBus, topic: str) -> list[Record]:
    """All records of a topic as the log holds them now."""
    found = []
    for (name, partition), end in (await bus.end_offsets([topic])).items():
        start, _ = await bus.log_range(name, partition)
        for offset in range(start, end):
            record = await bus.read_at(name, partition, offset)
            if record is not None:
                found.append(record)
    return found


@pytest.fixture
async def probe(
    postgres_server: PostgresAddress, run_folder: Any, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[Probe]:
    """The probe on a fresh schema."""
    template = await ensure_template(postgres_server, (), run_folder)
    async with cloned(postgres_server, template) as copy:
        admin = await asyncpg.connect(copy.admin_dsn)
        await admin.execute("create schema probe; set search_path to probe")
        await admin.execute(RUNTIME_TABLES)
        await admin.execute("create table counted (id text not null)")
        await admin.close()
        db = await connect(copy.admin_dsn, service="probe", clock=clock, machine=machine, size=4)
        bus = MemoryBus(lambda: machine.wall().timestamp())
        await bus.start()
        await bus.ensure_topics(
            [TopicSpec(plan.topic.value, 3, plan.retention is None, plan.retention) for plan in TOPICS]
            + [TopicSpec(plan.topic.dead_letters, 1, compacted=False, retention=None) for plan in TOPICS]
        )
        yield Probe(db, bus, machine)
        await db.close()
