"""What every bus promises, on a log in memory, on the embedded broker and on a real Apache Kafka."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from shared.bus.model import CommitOutcome, Outgoing, Record, TopicSpec
from shared.bus.partitioner import partition_of
from shared.bus.port import Bus, BusConsumer, BusUnavailable, RecordTooLarge
from shared.runtime.ids import random_id
from tests.support.logs import Log, MemoryLog, TansuLog, kafka_under_test
from tests.support.waiting import until

PARTITIONS = 4
WAIT_SECONDS = 40.0

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=["memory", "tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    match request.param:
        case "memory":
            yield MemoryLog()
        case "tansu":
            tansu = await TansuLog.begin(tmp_path)
            yield tansu
            await tansu.down()
        case _:
            kafka = kafka_under_test()
            if kafka is None:
                pytest.skip("needs Apache Kafka (make test-kafka)")
            await kafka.up()
            yield kafka
            await kafka.up()


class Room:
    """A topic of its own on a log, and clients that are closed at the end."""

    def __init__(self, log: Log, bus: Bus, stack: AsyncExitStack) -> None:
        self.log = log
        self.bus = bus
        self.topic = f"t-{random_id().hex[:12]}"
        self.group = f"g-{random_id().hex[:12]}"
        self._stack = stack

    async def another_bus(self) -> Bus:
        bus = self.log.bus()
        self._stack.push_async_callback(bus.stop)
        await bus.start()
        return bus

    async def consumer(self, instance: str = "1", bus: Bus | None = None) -> BusConsumer:
        consumer = (bus or self.bus).consumer(self.group, [self.topic], instance)
        self._stack.push_async_callback(consumer.stop)
        await consumer.start()
        return consumer

    async def say(self, *words: str, key: str = "k") -> None:
        await self.bus.produce([Outgoing(self.topic, key.encode(), word.encode()) for word in words])


@pytest.fixture
async def room(log: Log) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        bus = log.bus()
        stack.push_async_callback(bus.stop)
        await bus.start()
        room = Room(log, bus, stack)
        await bus.ensure_topics([spec(room.topic)])
        yield room


def spec(topic: str) -> TopicSpec:
    return TopicSpec(topic, PARTITIONS, compacted=False, retention=None)


async def read(consumer: BusConsumer, count: int) -> list[Record]:
    """Read until so many records came; a broker that is away for a while is waited for."""
    got: list[Record] = []

    async def complete() -> bool:
        with suppress(BusUnavailable):
            got.extend(await consumer.getmany(500, 1.0))
        return len(got) >= count

    await until(complete, WAIT_SECONDS)
    return got


async def rebalanced(consumers: list[BusConsumer], wanted: list[int]) -> None:
    """Poll until each consumer has so many partitions."""
    async with asyncio.timeout(WAIT_SECONDS):
        while [len(consumer.assignment()) for consumer in consumers] != wanted:
            for consumer in consumers:
                await consumer.getmany(1, 0.1)


def after(records: list[Record]) -> dict[tuple[str, int], int]:
    """Give the offsets that say all of these are handled."""
    return {(record.topic, record.partition): record.offset + 1 for record in records}


def words(records: list[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


async def test_positions_come_in_the_order_given_and_lead_back_to_the_records(room: Room) -> None:
    sent = [Outgoing(room.topic, f"k{n}".encode(), f"v{n}".encode()) for n in range(20)]
    positions = await room.bus.produce(sent)
    for outgoing, position in zip(sent, positions, strict=True):
        found = await room.bus.read_at(position.topic, position.partition, position.offset)
        assert found is not None
        assert (found.key, found.value) == (outgoing.key, outgoing.value)
        assert found.timestamp_ms == position.timestamp_ms


async def test_bytes_of_headers_keys_and_tombstones_arrive_as_sent(room: Room) -> None:
    headers = (("ce_id", b"1"), ("raw", b"\x00\xff\xfe"), ("twice", b"a"), ("twice", b"b"), ("none", b""))
    records = [
        Outgoing(room.topic, b"\x00\xff", b"\xfe\x00", headers),
        Outgoing(room.topic, b"gone", None),
        Outgoing(room.topic, None, b""),
    ]
    places = await room.bus.produce(records)
    for sent, place in zip(records, places, strict=True):
        found = await room.bus.read_at(place.topic, place.partition, place.offset)
        assert found is not None
        assert (found.key, found.value, found.headers) == (sent.key, sent.value, sent.headers)


async def test_a_key_keeps_its_order_and_its_partition(room: Room) -> None:
    for start in range(0, 300, 100):
        numbers = range(start, start + 100)
        await room.bus.produce([Outgoing(room.topic, f"k{n % 7}".encode(), str(n).encode()) for n in numbers])
    consumer = await room.consumer()
    seen: dict[bytes, list[int]] = defaultdict(list)
    for record in await read(consumer, 300):
        assert record.key is not None
        assert record.partition == partition_of(record.key, PARTITIONS)
        seen[record.key].append(int(record.value or b""))
    assert sorted(number for numbers in seen.values() for number in numbers) == list(range(300))
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_a_partition_can_be_chosen(room: Room) -> None:
    (place,) = await room.bus.produce([Outgoing(room.topic, b"k", b"v", partition=3)])
    assert (place.partition, place.offset) == (3, 0)


async def test_more_than_one_batch_of_a_partition_stays_in_order(room: Room) -> None:
    sent = [Outgoing(room.topic, b"k", bytes([n]) * 300_000) for n in range(10)]
    places = await room.bus.produce(sent)
    assert [place.offset for place in places] == list(range(10))
    consumer = await room.consumer()
    assert [(record.value or b"")[0] for record in await read(consumer, 10)] == list(range(10))


async def test_a_record_that_is_too_large_is_named_and_the_bus_goes_on(room: Room) -> None:
    with pytest.raises(RecordTooLarge):
        await room.bus.produce([Outgoing(room.topic, b"k", b"x" * 1_100_000)])
    await room.say("small")
    assert sum((await room.bus.end_offsets([room.topic])).values()) == 1


async def test_nothing_produced_is_nothing_done(room: Room) -> None:
    assert await room.bus.produce([]) == []


async def test_topics_can_be_ensured_again(room: Room) -> None:
    await room.say("one")
    await room.bus.ensure_topics([spec(room.topic)])
    ends = await room.bus.end_offsets([room.topic])
    assert len(ends) == PARTITIONS
    assert sum(ends.values()) == 1


async def test_no_record_stands_beyond_the_end_or_before_the_start(room: Room) -> None:
    (place,) = await room.bus.produce([Outgoing(room.topic, b"k", b"v")])
    assert await room.bus.log_range(room.topic, place.partition) == (0, 1)
    assert await room.bus.read_at(room.topic, place.partition, 1) is None
    assert await room.bus.read_at(room.topic, place.partition, -1) is None


async def test_a_partition_that_is_not_there_is_an_empty_one(room: Room) -> None:
    assert await room.bus.log_range(room.topic, PARTITIONS + 3) == (0, 0)
    assert await room.bus.read_at(room.topic, PARTITIONS + 3, 0) is None


async def test_a_topic_has_the_partitions_it_was_asked_to_have(log: Log, room: Room) -> None:
    topic = f"{room.topic}-wide"
    await room.bus.end_offsets([topic])  # some brokers invent a topic that is merely asked about
    await room.bus.ensure_topics([TopicSpec(topic, 6, compacted=True, retention=None)])
    assert len(await room.bus.end_offsets([topic])) == 6
    (place,) = await room.bus.produce([Outgoing(topic, b"k", b"v", partition=5)])
    assert (place.partition, place.offset) == (5, 0)


async def test_reading_goes_on_after_the_committed_offset(room: Room) -> None:
    await room.say("one", "two", "three")
    first = await room.consumer()
    got = await read(first, 3)
    assert await first.commit(after(got[:2])) is CommitOutcome.COMMITTED
    await first.stop()
    again = await room.consumer()
    assert words(await read(again, 1)) == ["three"]


async def test_what_was_not_committed_comes_again(room: Room) -> None:
    await room.say("one", "two")
    first = await room.consumer()
    assert words(await read(first, 2)) == ["one", "two"]
    await first.stop()
    again = await room.consumer()
    assert words(await read(again, 2)) == ["one", "two"]


async def test_an_empty_log_gives_an_empty_list_in_time(room: Room) -> None:
    consumer = await room.consumer()
    async with asyncio.timeout(5):
        assert await consumer.getmany(10, 0.1) == []


async def test_no_more_records_than_asked_for(room: Room) -> None:
    await room.say(*(str(n) for n in range(10)))
    consumer = await room.consumer()
    first = await read_some(consumer, 3)
    assert words(first) == ["0", "1", "2"]
    assert words(await read_some(consumer, 3)) == ["3", "4", "5"]


async def read_some(consumer: BusConsumer, limit: int) -> list[Record]:
    """Read once, as soon as there is something."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (got := await consumer.getmany(limit, 1.0)):
            pass
    return got


async def test_two_members_share_the_partitions(room: Room) -> None:
    one = await room.consumer("1")
    two = await room.consumer("2", await room.another_bus())
    await rebalanced([one, two], [PARTITIONS // 2, PARTITIONS // 2])
    assert one.assignment().isdisjoint(two.assignment())
    await room.bus.produce(
        [Outgoing(room.topic, None, str(n).encode(), partition=n % PARTITIONS) for n in range(40)]
    )
    got = await read(one, 20) + await read(two, 20)
    assert sorted(int(word) for word in words(got)) == list(range(40))


async def test_a_commit_of_what_came_before_a_rejoin_is_refused(room: Room) -> None:
    await room.bus.produce([Outgoing(room.topic, None, b"x", partition=n) for n in range(PARTITIONS)])
    one = await room.consumer("1")
    held = await read(one, PARTITIONS)
    before = one.generation
    two = await room.consumer("2", await room.another_bus())
    async with asyncio.timeout(WAIT_SECONDS):
        while not two.assignment() or one.generation == before:
            await two.getmany(1, 0.1)
    assert await one.commit(after(held)) is CommitOutcome.LOST_ASSIGNMENT
    assert sum((await room.bus.lag(room.group, [room.topic])).values()) == PARTITIONS
    again = await read(one, PARTITIONS // 2)
    assert await one.commit(after(again)) is CommitOutcome.COMMITTED


async def test_more_than_was_handed_out_cannot_be_committed(room: Room) -> None:
    await room.say("one", "two")
    consumer = await room.consumer()
    got = await read(consumer, 2)
    beyond = {partition: offset + 5 for partition, offset in after(got).items()}
    assert await consumer.commit(beyond) is CommitOutcome.LOST_ASSIGNMENT
    assert await consumer.commit({("elsewhere", 0): 1}) is CommitOutcome.LOST_ASSIGNMENT


async def test_lag_counts_what_was_not_committed(room: Room) -> None:
    await room.say("one", "two", "three")
    assert sum((await room.bus.lag(room.group, [room.topic])).values()) == 3
    consumer = await room.consumer()
    got = await read(consumer, 3)
    await consumer.commit(after(got[:1]))
    lag = await room.bus.lag(room.group, [room.topic])
    assert len(lag) == PARTITIONS
    assert sum(lag.values()) == 2


async def test_everything_can_be_read_again_from_the_beginning(room: Room) -> None:
    await room.say("one", "two")
    consumer = await room.consumer()
    got = await read(consumer, 2)
    assert (await consumer.positions())[(room.topic, got[0].partition)] == 2
    await consumer.commit(after(got))
    await consumer.seek_to_beginning()
    assert words(await read(consumer, 2)) == ["one", "two"]


async def test_a_broker_that_is_away_is_said_in_time_and_found_again(room: Room) -> None:
    await room.say("before")
    await room.log.down()
    async with asyncio.timeout(30):
        assert not await room.bus.healthy()
        with pytest.raises(BusUnavailable):
            await room.say("lost")
        with pytest.raises(BusUnavailable):
            await room.bus.end_offsets([room.topic])
    await room.log.up()
    await until(room.bus.healthy)
    await room.say("after")
    kept = 1 if room.log.forgets else 2
    assert sum((await room.bus.end_offsets([room.topic])).values()) >= kept


async def test_a_bus_starts_while_the_broker_is_away(room: Room) -> None:
    await room.log.down()
    bus = room.log.bus()
    await bus.start()
    await room.log.up()
    await bus.ensure_topics([spec(room.topic)])
    await bus.produce([Outgoing(room.topic, b"k", b"v")])
    await bus.stop()


async def test_stopping_ends_in_time_while_the_broker_is_away(room: Room) -> None:
    consumer = await room.consumer()
    await consumer.getmany(1, 0.1)
    await room.log.down()
    async with asyncio.timeout(25):
        await consumer.stop()
        await room.bus.stop()
    await room.log.up()


async def test_lost_data_is_seen_and_a_new_birth_is_read_from_its_beginning(room: Room) -> None:
    await room.say("one", "two", "three")
    consumer = await room.consumer()
    got = await read(consumer, 3)
    await consumer.commit(after(got))
    before = consumer.generation
    last = got[-1]

    await room.log.lose()
    await until(room.bus.healthy)
    await room.bus.ensure_topics([spec(room.topic)])
    assert await room.bus.read_at(room.topic, last.partition, last.offset) is None
    assert await room.bus.log_range(room.topic, last.partition) == (0, 0)

    await room.say("new one", "new two", "new three", "new four")
    assert await consumer.commit(after(got)) is CommitOutcome.LOST_ASSIGNMENT
    fresh = await read(consumer, 4)
    assert words(fresh)[-4:] == ["new one", "new two", "new three", "new four"]
    assert consumer.generation > before
    assert await consumer.commit(after(fresh)) is CommitOutcome.COMMITTED
