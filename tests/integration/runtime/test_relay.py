"""The relay: every committed event reaches the log, in order, also when the broker lost everything."""

from __future__ import annotations

import asyncio

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.port import BusUnavailable
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.topics import Topic
from shared.runtime import failpoints
from shared.runtime.ids import derive
from shared.runtime.relay import Relay, drop_partitions, make_partitions, outbox_depth
from tests.integration.runtime.conftest import Probe


def event_id(identity: str) -> str:
    return str(derive(ContextRecorded.TYPE, identity))


async def announce(probe: Probe, *identities: str, key: str = "k") -> None:
    async with probe.db.begin() as tx:
        for identity in identities:
            payload = ContextRecorded(kind=ContextKind.USAGE, at=tx.now)
            tx.emit(payload, identity=identity, key=key)


async def publish(relay: Relay) -> None:
    while await relay.step():
        pass


async def test_events_reach_the_log_in_the_order_of_their_commits(probe: Probe) -> None:
    for identity in ("1", "2", "3"):
        await announce(probe, identity)
    await publish(probe.relay())
    assert await probe.announced() == [event_id(i) for i in ("1", "2", "3")]
    async with probe.db.read() as conn:
        assert (await outbox_depth(conn, probe.machine))[0] == 0


async def test_a_rolled_back_unit_announces_nothing(probe: Probe) -> None:
    async def unit() -> None:
        async with probe.db.begin() as tx:
            tx.emit(ContextRecorded(kind=ContextKind.USAGE, at=tx.now), identity="1", key="k")
            raise RuntimeError("change of mind")

    with pytest.raises(RuntimeError, match="change of mind"):
        await unit()
    await publish(probe.relay())
    assert await probe.announced() == []


async def test_a_row_that_becomes_visible_after_a_later_one_is_not_lost(probe: Probe) -> None:
    slow_has_written, fast_is_published = asyncio.Event(), asyncio.Event()
    relay = probe.relay()

    async def slow() -> None:
        async with probe.db.begin() as tx:
            tx.emit(ContextRecorded(kind=ContextKind.USAGE, at=tx.now), identity="slow", key="a")
            await tx.conn.execute("select nextval(pg_get_serial_sequence('outbox', 'id'))")
            slow_has_written.set()
            await fast_is_published.wait()

    async def fast() -> None:
        await slow_has_written.wait()
        await announce(probe, "fast", key="b")
        await publish(relay)
        fast_is_published.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(slow())
        tasks.create_task(fast())
    await publish(relay)
    assert sorted(await probe.announced()) == sorted([event_id("slow"), event_id("fast")])


async def test_a_crash_between_ack_and_mark_repeats_the_event_under_the_same_id(probe: Probe) -> None:
    await announce(probe, "1")
    failpoints.arm("relay.after_produce_before_mark:1:raise")
    with pytest.raises(failpoints.FailpointHit):
        await probe.relay().step()
    failpoints.disarm()
    probe.machine.advance(60)
    async with probe.db.read() as conn:
        await conn.execute("delete from leases")
    await publish(probe.relay())
    assert await probe.announced() == [event_id("1"), event_id("1")]


async def test_nothing_is_lost_while_the_broker_is_away(probe: Probe) -> None:
    relay = probe.relay()
    probe.bus.go_down()
    await announce(probe, "1")
    with pytest.raises(BusUnavailable):
        await relay.step()
    probe.bus.come_back()
    await publish(relay)
    assert await probe.announced() == [event_id("1")]


async def test_a_second_relay_waits_while_the_first_holds_the_lease(probe: Probe) -> None:
    first, second = probe.relay(), probe.relay()
    await announce(probe, "1")
    assert await first.step() == 1
    await announce(probe, "2")
    assert await second.step() == 0
    assert await first.step() == 1


@pytest.mark.parametrize("restarted", [False, True], ids=["relay kept running", "relay restarted too"])
async def test_a_broker_that_lost_everything_gets_all_retained_events_again(
    probe: Probe, restarted: bool
) -> None:
    relay = probe.relay()
    await announce(probe, "1", "2", "3")
    await publish(relay)
    probe.bus.lose_everything()
    probe.machine.advance(5)
    await announce(probe, "4", "5", "6", "7")
    if restarted:
        async with probe.db.read() as conn:
            await conn.execute("delete from leases")
        relay = probe.relay()
    await publish(relay)
    probe.machine.advance(5)
    await relay.step()
    await publish(relay)
    assert set(await probe.announced()) == {event_id(str(n)) for n in range(1, 8)}


async def test_after_an_outage_nothing_new_goes_out_before_the_relay_has_looked_back(probe: Probe) -> None:
    relay = probe.relay()
    await announce(probe, "1", "2")
    await publish(relay)
    probe.bus.go_down()
    await announce(probe, "3")
    with pytest.raises(BusUnavailable):
        await relay.step()
    probe.bus.lose_everything()
    probe.bus.come_back()
    await publish(relay)
    assert await probe.announced() == [event_id("1"), event_id("2"), event_id("3")]


async def test_a_relay_makes_the_topics_that_its_service_announces_on(probe: Probe) -> None:
    bus = MemoryBus()
    await bus.start()
    probe.db.service = "alerts"
    await Relay(probe.db, bus, probe.machine).step()
    made = {topic for topic, _ in await bus.end_offsets([*Topic, *(topic.dead_letters for topic in Topic)])}
    announced = {Topic.TICKETS, Topic.MESSAGES, Topic.IMPROVEMENTS, Topic.PERMISSIONS}
    assert made == announced | {topic.dead_letters for topic in Topic}


async def test_state_topics_are_told_anew_after_a_loss(probe: Probe) -> None:
    told: list[str] = []

    async def republish(tx: object) -> None:
        told.append("directory")

    relay = Relay(probe.db, probe.bus, probe.machine, republish=republish)
    await announce(probe, "1")
    await publish(relay)
    assert told == []
    probe.bus.lose_everything()
    probe.machine.advance(5)
    await announce(probe, "2")
    await publish(relay)
    assert told == ["directory"]


async def test_old_published_days_are_dropped_and_unpublished_ones_kept(probe: Probe) -> None:
    async with probe.db.read() as conn:
        await make_partitions(conn, probe.machine)
    probe.machine.advance(24 * 3600)
    await announce(probe, "published")
    await publish(probe.relay())
    probe.machine.advance(24 * 3600)
    await announce(probe, "unpublished")
    probe.machine.advance(40 * 24 * 3600)
    async with probe.db.read() as conn:
        await drop_partitions(conn, probe.machine)
        left = await conn.fetch("select event_id from outbox")
    assert [row[0] for row in left] == [event_id("unpublished")]


async def test_the_partition_key_of_records_is_the_one_given(probe: Probe) -> None:
    await announce(probe, "1", key="account-9")
    await publish(probe.relay())
    ends = await probe.bus.end_offsets([Topic.CONTEXT.value])
    ((topic, partition),) = [p for p, end in ends.items() if end]
    record = await probe.bus.read_at(topic, partition, 0)
    assert record is not None
    assert record.key == b"account-9"


@pytest.fixture(autouse=True)
def disarmed() -> object:
    yield
    failpoints.disarm()
