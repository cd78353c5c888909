"""The consumer loop: once, in order, poison set aside, infrastructure waited for."""

from __future__ import annotations

import pytest

from shared.bus.port import BusConsumer
from shared.contracts.topics import Topic
from shared.db.database import Database
from shared.errors import Unavailable
from shared.runtime import failpoints
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.deadletters import REPLAY_HEADER, Limits
from tests.integration.runtime.conftest import Probe, everything, touchpoint


async def started(probe: Probe, loop: ConsumerLoop, instance: str = "a") -> BusConsumer:
    consumer = probe.bus.consumer("afterword.probe", [Topic.TOUCHPOINTS.value], instance)
    await consumer.start()
    return consumer


async def drain(loop: ConsumerLoop, consumer: BusConsumer) -> None:
    while await loop.step(consumer):
        pass


async def test_each_event_has_its_effect_once_however_often_it_is_delivered(probe: Probe) -> None:
    await probe.say("1", "2", "1")
    await probe.say("2", "3")
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    assert await probe.counted() == ["1", "2", "3"]


async def test_two_senders_may_use_the_same_id(probe: Probe) -> None:
    await probe.say("1")
    await probe.say("1", ce_source="/helpdesk")
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    assert await probe.counted() == ["1", "1"]


async def test_a_crash_between_effect_and_offset_repeats_nothing(probe: Probe) -> None:
    await probe.say("1", "2")
    failpoints.arm("consumer.after_effect_before_offset:1:raise")
    loop = probe.loop()
    with pytest.raises(failpoints.FailpointHit):
        await loop.step(await started(probe, loop))
    failpoints.disarm()
    again = probe.loop()
    await drain(again, await started(probe, again))
    assert await probe.counted() == ["1", "2"]


async def test_a_crash_before_commit_leaves_nothing_and_loses_nothing(probe: Probe) -> None:
    await probe.say("1", "2")
    failpoints.arm("unit.before_commit:1:unavailable")
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    failpoints.disarm()
    assert await probe.counted() == ["1", "2"]


async def test_one_bad_record_is_set_aside_and_the_others_are_handled(probe: Probe) -> None:
    await probe.say(*[str(n) for n in range(20)])
    probe.poison = {"7"}
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    assert sorted(await probe.counted(), key=int) == [str(n) for n in range(20) if n != 7]
    async with probe.db.read() as conn:
        row = await conn.fetchrow("select topic, source, event_id, error, attempts, value from dead_letters")
    assert row is not None
    assert (row["topic"], row["source"], row["event_id"]) == ("afterword.touchpoints", "/crm", "7")
    assert (row["error"], row["attempts"]) == ("ValueError", 3)
    assert row["value"].startswith(b'{"occurred_at"')


@pytest.mark.parametrize(
    ("value", "headers", "names"),
    [
        pytest.param(b"\xff\xfe", {}, "order.delivered", id="not JSON"),
        pytest.param(b"{}", {}, "occurred_at", id="missing field"),
        pytest.param(b'{"occurred_at": "yesterday", "product": "p"}', {}, "occurred_at", id="wrong field"),
        pytest.param(b'{"occurred_at": "2026-03-01T10:00:00Z"}', {}, "contact", id="names nobody"),
        pytest.param(b"{}", {"ce_type": ""}, "type", id="no type"),
        pytest.param(b"[" * 100_000, {"content-type": "application/cloudevents+json"}, "JSON", id="nested"),
    ],
)
async def test_a_malformed_event_becomes_a_dead_letter_that_names_the_field(
    probe: Probe, value: bytes, headers: dict[str, str], names: str
) -> None:
    await probe.bus.produce([touchpoint("bad", value=value, headers=headers), touchpoint("good")])
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    assert await probe.counted() == ["good"]
    async with probe.db.read() as conn:
        assert names in await conn.fetchval("select reason from dead_letters")


async def test_a_dead_letter_has_a_copy_in_its_topic_with_the_record_untouched(probe: Probe) -> None:
    await probe.bus.produce([touchpoint("bad", value=b"\xff")])
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    await probe.relay().step()
    (copy,) = await everything(probe.bus, Topic.TOUCHPOINTS.dead_letters)
    headers = dict(copy.headers)
    assert copy.value == b"\xff"
    assert headers["ce_id"] == b"bad"
    assert headers["__dlq.errors.topic"] == b"afterword.touchpoints"


async def test_a_replayed_dead_letter_is_handled_once_mended(probe: Probe) -> None:
    await probe.say("1")
    probe.poison = {"1"}
    loop = probe.loop()
    consumer = await started(probe, loop)
    await drain(loop, consumer)
    probe.poison = set()
    await probe.say("1")
    await drain(loop, consumer)
    assert await probe.counted() == []
    await probe.say("1", **{REPLAY_HEADER: "1"})
    await probe.say("1", **{REPLAY_HEADER: "2"})
    await drain(loop, consumer)
    assert await probe.counted() == ["1"]


async def test_too_many_dead_records_stop_the_partition_instead_of_emptying_the_topic(probe: Probe) -> None:
    ids = [str(n) for n in range(40)]
    probe.poison = set(ids)
    loop = probe.loop(limits=Limits(consecutive=10))
    consumer = await started(probe, loop)
    for one in ids:
        await probe.say(one)
        await loop.step(consumer)
    assert loop.stopped
    assert not loop.ready
    async with probe.db.read() as conn:
        assert await conn.fetchval("select count(*) from dead_letters") == 10
    assert sum((await probe.bus.lag("afterword.probe", [Topic.TOUCHPOINTS.value])).values()) == 30


async def test_a_database_that_is_away_is_waited_for_and_nothing_is_skipped(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await probe.say("1")
    for hit in (1, 2, 3):
        failpoints.arm(f"consumer.after_claim:{hit}:unavailable")
    loop = probe.loop()
    await drain(loop, await started(probe, loop))
    failpoints.disarm()
    assert await probe.counted() == ["1"]
    assert probe.machine.monotonic() > 0


async def test_losing_all_data_of_the_broker_makes_the_consumer_start_again(probe: Probe) -> None:
    loop = probe.loop()
    consumer = await started(probe, loop)
    await probe.say("1", "2", "3")
    await drain(loop, consumer)
    probe.bus.lose_everything()
    probe.machine.advance(30)
    # The new log is longer than what was read of the old one: a plain position would skip its beginning.
    await probe.say("4", "5", "6", "7", "8")
    await drain(loop, consumer)
    probe.machine.advance(30)
    await drain(loop, consumer)
    assert await probe.counted() == ["1", "2", "3", "4", "5", "6", "7", "8"]


async def test_a_log_that_was_lost_while_nothing_was_assigned_is_read_again_later(probe: Probe) -> None:
    loop = probe.loop()
    consumer = await started(probe, loop)
    await probe.say("1", "2")
    await drain(loop, consumer)
    await consumer.stop()
    probe.bus.lose_everything()
    probe.machine.advance(30)
    assert await loop.step(consumer) == 0
    await probe.say("3", "4", "5")
    other = await started(probe, loop, "b")
    probe.bus.committed("afterword.probe").update(dict.fromkeys(other.assignment(), 2))
    await other.stop()
    again = await started(probe, loop)
    assert await loop.step(again) == 0
    await drain(loop, again)
    assert await probe.counted() == ["1", "2", "3", "4", "5"]


async def test_unavailable_is_raised_when_no_connection_can_be_had(probe: Probe, database: object) -> None:
    db: Database = probe.db
    await db.pool.close()
    with pytest.raises(Unavailable):
        async with db.begin():
            pass


@pytest.fixture(autouse=True)
def disarmed() -> object:
    yield
    failpoints.disarm()
