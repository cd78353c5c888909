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
from services.trigger.metrics import MISSED, SOURCE_FINDINGS
from services.trigger.settings import Settings
from services.trigger.sources.check import read_sources
from services.trigger.sources.live import LiveSources
from services.trigger.sources.mapping import SourceDecoder
from services.trigger.store import programmes as store
from services.trigger.worker.gauges import Gauges
from services.trigger.worker.publisher import Publisher
from services.trigger.worker.sources import SourceWatch
from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing, TopicSpec
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine, SystemMachine
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.ids import random_id
from shared.security.roles import Scope
from tests.support.assembled import platform
from tests.support.lanes import a_log
from tests.support.trigger import DEFAULTS, ROOT, Site, World

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
    subscription = foreign_topics(
        lambda: sources.topics, SourceDecoder(sources), Intake(world.sealer, machine)
    )
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
    assert [one.names for one in service.subscriptions if one.foreign] == [("t",)]


async def test_without_the_file_the_service_reads_our_topics_alone(tmp_path: Path) -> None:
    service = await build(Settings(sources_file=tmp_path / "sources.yaml"), platform("trigger"))
    assert [one.names for one in service.subscriptions if one.foreign] == [()]


async def test_the_service_does_not_start_on_a_file_that_is_not_fit_to_run(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: a, topics: [t]}]")
    with pytest.raises(ValueError, match="format json needs events"):
        await build(Settings(sources_file=file), platform("trigger"))


def rule(topic: str, product: str = "name") -> str:
    return f"sources: [{{name: a, topics: [{topic}], events: [{{type: product.used, product: {product}}}]}}]"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("sources: [", "", id="no YAML"),
        pytest.param("sources: [{name: a, topics: [t]}]", "format json needs events", id="not fit to run"),
        pytest.param(None, "the file is gone", id="gone"),
        pytest.param("", "the file is empty", id="empty"),
    ],
)
async def test_a_broken_file_changes_nothing_and_says_why(tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(rule("t"))
    live = LiveSources(file)
    watch = SourceWatch(live)
    assert await watch.run() == 1
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    assert await watch.run() == 0
    assert live.topics() == ("t",)
    assert SOURCE_FINDINGS._value.get() == len(live.findings) > 0
    assert why in live.findings[0].text
    file.write_text(rule("u"))
    assert await watch.run() == 1
    assert live.topics() == ("u",)
    assert not live.findings
    assert await watch.run() == 0


async def test_a_file_that_comes_later_is_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    live = LiveSources(file)
    assert not live.refresh()
    assert (live.topics(), live.findings) == ((), ())
    file.write_text(rule("t"))
    assert live.refresh()
    assert live.topics() == ("t",)


async def test_a_broken_file_is_shown_with_the_programmes_and_stops_none(
    world: World, programmes: Path, tmp_path: Path
) -> None:
    live = LiveSources(tmp_path / "sources.yaml")
    (tmp_path / "sources.yaml").write_text("sources: [")
    live.refresh()
    publisher = Publisher(world.db, programmes, DEFAULTS, also=lambda: live.findings)
    async with world.db.begin() as tx:
        await tx.conn.execute("delete from leases")
    await publisher.run()
    async with world.db.read() as conn:
        assert "sources.yaml" in {found.file for found in await store.findings(conn)}
        assert all(one.state == "active" for one in await store.standings(conn))


async def test_topics_change_without_a_restart(world: World, machine: FakeMachine, tmp_path: Path) -> None:
    """First there is no file at all, then it names one topic, then another one."""
    file, bus, stop = tmp_path / "sources.yaml", MemoryBus(), asyncio.Event()
    live = LiveSources(file)
    await bus.ensure_topics([TopicSpec(name, 1, compacted=False, retention=None) for name in ("t", "u")])
    subscription = foreign_topics(live.topics, live.decode, Intake(world.sealer, machine))
    loop = ConsumerLoop(subscription, world.db, bus, SystemMachine(), instance="one")
    assert loop.subscription.names == ()
    system = SystemMachine()

    async def heard(products: list[str]) -> None:
        async with asyncio.timeout(60):
            while sorted(told.product for told in await world.said(Touchpoint)) != products:
                await system.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(loop.run(stop))
        file.write_text(rule("t"))
        live.refresh()
        await bus.produce([Outgoing("t", b"k", b'{"name": "press"}')])
        await heard(["press"])
        file.write_text(rule("u", "product"))
        live.refresh()
        await bus.produce([Outgoing("u", b"k", b'{"product": "saw"}'), Outgoing("u", b"k", b"{")])
        await heard(["press", "saw"])
        stop.set()
    assert await letters(world)


GAP: dict[str, Any] = {
    "ChangeEventHeader": {
        "entityName": "Contact", "recordIds": ["003A", "003B"], "changeType": "GAP_UPDATE",
        "commitTimestamp": 1772524800000, "transactionKey": "00f1", "sequenceNumber": 1},
}  # fmt: skip


@pytest.mark.requirement("R54")
async def test_changes_that_salesforce_could_not_tell_are_to_be_looked_up(
    blank_site: Site, machine: FakeMachine
) -> None:
    world, bus = blank_site.world, MemoryBus()
    live = LiveSources(ROOT / "docs/sources.example.yaml")
    live.refresh()
    topic = next(name for name in live.topics() if "salesforce" in name)
    await bus.ensure_topics([TopicSpec(name, 1, compacted=False, retention=None) for name in live.topics()])
    subscription = foreign_topics(live.topics, live.decode, Intake(world.sealer, machine))
    loop = ConsumerLoop(subscription, world.db, bus, machine, instance="one")
    reading = Reading(bus, loop, subscription.group("trigger"), subscription.names)
    overflow = {"ChangeEventHeader": GAP["ChangeEventHeader"] | {"changeType": "GAP_OVERFLOW"}}
    foreign = {"ChangeEventHeader": GAP["ChangeEventHeader"] | {"entityName": "Lead"}}
    await reading.say(topic, GAP, GAP, overflow, foreign)
    await reading.step()
    await Gauges(world.db).run()
    assert MISSED._value.get() == 3
    async with await blank_site.with_key(Scope.PROGRAMMES_READ, Scope.CONTACTS_WRITE) as client:
        found = (await client.get("/v1/sources/missed")).json()
        assert sorted((one["entity"], one["record"]) for one in found) == [
            ("Contact", "*"),
            ("Contact", "003A"),
            ("Contact", "003B"),
        ]
        line = {name: found[0][name] for name in ("source", "entity", "record")}
        assert (await client.delete("/v1/sources/missed", params=line)).status_code == 204
        assert (await client.delete("/v1/sources/missed", params=line)).status_code == 404
        assert len((await client.get("/v1/sources/missed")).json()) == 2
        assert (await client.get("/v1/sources")).json() == {"topics": [], "findings": []}


@pytest.mark.kafka
@pytest.mark.timeout(120)
async def test_on_apache_kafka(world: World, machine: FakeMachine) -> None:
    """A topic that is not there at first, then has one partition for two members."""
    name = f"shop-{random_id()}"
    sources, _ = read_sources("s", rule(name))
    assert sources is not None
    subscription = foreign_topics(
        lambda: sources.topics, SourceDecoder(sources), Intake(world.sealer, machine)
    )
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
