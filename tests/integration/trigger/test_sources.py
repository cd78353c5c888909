"""Topics of others: read by a group of their own, taken in once, put aside with their path."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.trigger.app import build
from services.trigger.handlers.foreign import foreign_topics
from services.trigger.handlers.intake import Intake
from services.trigger.settings import Settings
from services.trigger.sources.check import read_sources
from services.trigger.sources.mapping import SourceDecoder
from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing, TopicSpec
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine, SystemMachine
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.ids import random_id
from tests.support.assembled import platform
from tests.support.lanes import a_log
from tests.support.trigger import ROOT, World

ORDER: dict[str, Any] = {
    "status": "DELIVERED", "order_no": 7, "updated_at": "2026-03-03T08:00:00Z",
    "customer": {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg"},
}  # fmt: skip


@dataclass
class Reading:
    """The example file's topics on a memory bus, and the loop that reads them."""

    bus: MemoryBus
    loop: ConsumerLoop
    group: str
    topics: tuple[str, ...]

    async def say(self, topic: str, *values: object) -> None:
        await self.bus.produce([Outgoing(topic, b"k", json.dumps(value).encode()) for value in values])

    async def step(self) -> int:
        """One batch by a new member of the group."""
        consumer = self.bus.consumer(self.group, self.topics, "one")
        await consumer.start()
        done = await self.loop.step(consumer)
        await consumer.stop()
        return done


@pytest.fixture
async def reading(world: World, machine: FakeMachine) -> Reading:
    sources, _ = read_sources("s", (ROOT / "docs/sources.example.yaml").read_text())
    assert sources is not None
    bus = MemoryBus()
    await bus.ensure_topics(
        [TopicSpec(topic, 1, compacted=False, retention=None) for topic in sources.topics]
    )
    subscription = foreign_topics(sources.topics, SourceDecoder(sources), Intake(world.sealer, machine))
    loop = ConsumerLoop(subscription, world.db, bus, machine, instance="one")
    return Reading(bus, loop, subscription.group("trigger"), subscription.names)


@pytest.mark.requirement("R54")
async def test_records_of_others_become_touchpoints_once(world: World, reading: Reading) -> None:
    await reading.say("shop.orders", ORDER, ORDER, ORDER | {"status": "NEW"})
    await reading.say("shop.orders.eu", ORDER)
    await reading.step()
    (told,) = await world.said(Touchpoint)
    assert told.subject.id == "7"
    assert (told.people[0].email, bool(told.people[0].ref)) == ("", True)
    await world.tell("order.delivered", **told.model_dump())
    assert (await world.books()).planned == 1


async def test_another_record_under_the_same_id_is_a_conflict(world: World, reading: Reading) -> None:
    await reading.say("shop.orders", ORDER, ORDER | {"note": "changed"})
    await reading.step()
    assert len(await world.said(Touchpoint)) == 1
    async with world.db.read() as conn:
        assert await conn.fetchval("select sum(conflicts) from webhooks where source = '/sources/shop'") == 1


async def test_what_cannot_be_read_is_put_aside_and_the_rest_goes_on(world: World, reading: Reading) -> None:
    await reading.say("shop.orders", ORDER | {"updated_at": "soon"}, ORDER)
    await reading.step()
    async with world.db.read() as conn:
        (letter,) = await conn.fetch("select topic, reason from dead_letters")
        copies = await conn.fetchval("select count(*) from outbox where topic = 'dlq.shop.orders'")
    assert dict(letter) == {
        "topic": "shop.orders",
        "reason": "shop: occurred_at: not an ISO 8601 time",
    }
    assert copies == 1
    assert len(await world.said(Touchpoint)) == 1


async def test_a_member_without_partitions_is_ready_all_the_same(reading: Reading) -> None:
    """A topic of others may have fewer partitions than we have instances, or not be there yet."""
    assert not reading.loop.ready
    reading.loop._consumer = reading.bus.consumer(reading.group, reading.topics, "two")
    assert reading.loop.ready


async def test_the_service_reads_what_the_file_names(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: a, topics: [t], events: [{type: product.used, product: name}]}]")
    service = await build(Settings(sources_file=file), platform("trigger"))
    assert [one.foreign.topics for one in service.subscriptions if one.foreign] == [("t",)]


async def test_without_the_file_the_service_reads_our_topics_alone(tmp_path: Path) -> None:
    service = await build(Settings(sources_file=tmp_path / "sources.yaml"), platform("trigger"))
    assert [one.foreign for one in service.subscriptions] == [None]


async def test_the_service_does_not_start_on_a_file_that_is_not_fit_to_run(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: a, topics: [t]}]")
    with pytest.raises(ValueError, match="format json needs events"):
        await build(Settings(sources_file=file), platform("trigger"))


@pytest.mark.kafka
@pytest.mark.timeout(120)
async def test_on_apache_kafka(world: World, machine: FakeMachine) -> None:
    """A topic that is not there at first, then has one partition for two members."""
    name = f"shop-{random_id()}"
    rule = f"sources: [{{name: a, topics: [{name}], events: [{{type: product.used, product: name}}]}}]"
    sources, _ = read_sources("s", rule)
    assert sources is not None
    subscription = foreign_topics(sources.topics, SourceDecoder(sources), Intake(world.sealer, machine))
    stop, system = asyncio.Event(), SystemMachine()
    async with a_log("kafka") as log:
        assert log is not None
        bus = log.bus()
        async with asyncio.TaskGroup() as tasks:
            for instance in ("one", "two"):
                loop = ConsumerLoop(subscription, world.db, bus, system, instance=instance)
                tasks.create_task(loop.run(stop))
            await bus.ensure_topics([TopicSpec(name, 1, compacted=False, retention=None)])
            await bus.produce([Outgoing(name, b"k", b'{"name": "press"}'), Outgoing(name, b"k", b"{")])
            async with asyncio.timeout(90):
                while not (await world.said(Touchpoint) and await letters(world)):
                    await system.sleep(0.2)
            stop.set()
        await bus.stop()
    assert [told.product for told in await world.said(Touchpoint)] == ["press"]


async def letters(world: World) -> list[str]:
    async with world.db.read() as conn:
        return [row["reason"] for row in await conn.fetch("select reason from dead_letters")]
