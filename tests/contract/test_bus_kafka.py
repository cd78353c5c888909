"""What the Kafka bus adds to the contract: idempotence, restarts under load, and a stop that always ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings, bounded, stop_bounded
from shared.bus.model import CommitOutcome, Outgoing, Record, TopicSpec
from shared.bus.partitioner import murmur2, partition_of
from shared.bus.port import BusConsumer, BusUnavailable
from shared.runtime.ids import random_id
from tests.support.logs import KafkaLog, TansuLog, kafka_under_test
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def tansu(tmp_path: Path) -> AsyncIterator[TansuLog]:
    log = await TansuLog.begin(tmp_path)
    yield log
    await log.down()


@pytest.fixture
async def kafka() -> AsyncIterator[KafkaLog]:
    log = kafka_under_test()
    if log is None:
        pytest.skip("needs Apache Kafka (make test-kafka)")
    await log.up()
    yield log
    await log.up()


async def topic_on(bus: KafkaBus, partitions: int = 1) -> str:
    topic = f"t-{random_id().hex[:12]}"
    await bus.ensure_topics([TopicSpec(topic, partitions, compacted=False, retention=None)])
    return topic


async def produced(bus: KafkaBus, topic: str, number: int) -> None:
    """Produce one record as the relay does: again and again until it is acknowledged."""

    async def acknowledged() -> bool:
        with suppress(BusUnavailable):
            await bus.produce([Outgoing(topic, b"k", str(number).encode())])
            return True
        return False

    await until(acknowledged, 120)


async def read_until(consumer: BusConsumer, word: bytes) -> list[Record]:
    got: list[Record] = []

    async def complete() -> bool:
        with suppress(BusUnavailable):
            got.extend(await consumer.getmany(500, 1.0))
        return any(record.value == word for record in got)

    await until(complete, 120)
    return got


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(b"21", -973932308, id="two bytes"),
        pytest.param(b"foobar", -790332482, id="six bytes"),
        pytest.param(b"abc", 479470107, id="three bytes"),
        pytest.param(b"a-little-bit-long-string", -985981536, id="24 bytes"),
        pytest.param(b"a-little-bit-longer-string", -1486304829, id="26 bytes"),
    ],
)
def test_keys_hash_as_in_kafkas_own_client(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF
    assert partition_of(key, 6) == (expected & 0x7FFFFFFF) % 6


async def test_a_broker_without_idempotence_is_served_without(tansu: TansuLog) -> None:
    bus = tansu.bus()
    await bus.start()
    assert bus.idempotent is False
    await bus.stop()


async def test_demanded_idempotence_is_not_done_without(tansu: TansuLog) -> None:
    bus = KafkaBus(KafkaSettings(tansu.bootstrap, idempotence=True))
    with pytest.raises(BusUnavailable):
        await bus.produce([Outgoing("t", b"k", b"v")])
    await bus.stop()


@pytest.mark.kafka
async def test_apache_kafka_takes_an_idempotent_producer(kafka: KafkaLog) -> None:
    bus = kafka.bus()
    await bus.start()
    assert bus.idempotent is True
    await bus.stop()


@pytest.mark.kafka
async def test_a_killed_broker_loses_and_reorders_nothing(kafka: KafkaLog) -> None:
    bus = kafka.bus()
    topic = await topic_on(bus)
    consumer = bus.consumer(f"g-{topic}", [topic], "1")
    await consumer.start()
    for number in range(100):
        if number in (30, 60):
            async with asyncio.TaskGroup() as both:
                both.create_task(kafka.lose_connection())
                both.create_task(produced(bus, topic, number))
        else:
            await produced(bus, topic, number)
    got = [int(record.value or b"") for record in await read_until(consumer, b"99")]
    firsts = list(dict.fromkeys(got))
    assert firsts == list(range(100))
    await consumer.stop()
    await bus.stop()


@pytest.mark.kafka
async def test_a_topic_made_while_the_leader_of_its_readers_was_away_is_read(kafka: KafkaLog) -> None:
    # As after the loss of a broker's data: the group meets before its topics are made anew (seed 1).
    bus = kafka.bus()
    topic = f"t-{random_id().hex[:12]}"
    consumer = bus.consumer(f"g-{topic}", [topic], "1")
    await consumer.start()

    async def met() -> bool:
        with suppress(BusUnavailable):
            await consumer.getmany(1, 0.1)
        return consumer.generation > 0

    await until(met, 60)
    assert consumer.assignment() == frozenset()
    await consumer.stop()
    await bus.ensure_topics([TopicSpec(topic, 4, compacted=False, retention=None)])
    await produced(bus, topic, 7)
    await consumer.start()
    assert [record.value for record in await read_until(consumer, b"7")] == [b"7"]
    await consumer.stop()
    await bus.stop()


async def test_a_member_without_partitions_has_nothing_to_rewind(tansu: TansuLog) -> None:
    bus = tansu.bus()
    consumer = bus.consumer("g", [await topic_on(bus)], "1")
    await consumer.start()
    with pytest.raises(BusUnavailable):
        await consumer.seek_to_beginning()
    await consumer.stop()
    await bus.stop()


async def test_what_is_committed_while_a_rebalance_waits_does_not_come_again(tansu: TansuLog) -> None:
    # The second member asks to join while the first has a batch in hand; its commit is waited for.
    patient = KafkaSettings(tansu.bootstrap, request_seconds=5.0, drain_seconds=20.0)
    bus, other = KafkaBus(patient), KafkaBus(patient)
    topic = await topic_on(bus, 4)
    await bus.produce([Outgoing(topic, None, b"x", partition=number) for number in range(4)])
    one = bus.consumer(f"g-{topic}", [topic], "1")
    await one.start()
    held: list[Record] = []

    async def all_there() -> bool:
        if len(held) < 4:
            held.extend(await one.getmany(10, 1.0))
        return len(held) == 4

    await until(all_there)
    two = other.consumer(f"g-{topic}", [topic], "2")
    await two.start()
    offsets = {(record.topic, record.partition): record.offset + 1 for record in held}
    assert await one.commit(offsets) is CommitOutcome.COMMITTED

    async def shared() -> bool:
        again = await one.getmany(10, 0.1) + await two.getmany(10, 0.1)
        assert again == []
        return bool(one.assignment() and two.assignment())

    await until(shared)
    for member in (one, two):
        await member.stop()
    for client in (bus, other):
        await client.stop()


async def test_a_connection_that_was_lost_in_mid_write_is_a_broker_that_is_away() -> None:
    lost = "unable to perform operation on <TCPTransport closed=True reading=False>; the handler is closed"
    with pytest.raises(BusUnavailable):
        async with bounded("consumer reads", 1):
            raise RuntimeError(lost)
    with pytest.raises(RuntimeError, match="a bug"):
        async with bounded("consumer reads", 1):
            raise RuntimeError("a bug")


async def test_a_cancellation_that_is_not_ours_is_absorbed_and_the_sockets_are_closed() -> None:
    closed: list[str] = []

    async def torn() -> None:
        raise asyncio.CancelledError

    async def close() -> None:
        closed.append("sockets")

    await stop_bounded("client", torn, close)
    assert closed == ["sockets"]


async def test_our_own_cancellation_is_passed_on() -> None:
    async def endless() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stop_bounded("client", endless, endless)


async def test_a_stop_that_hangs_is_given_up() -> None:
    async def endless() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        await stop_bounded("client", endless, endless, seconds=0.05)
