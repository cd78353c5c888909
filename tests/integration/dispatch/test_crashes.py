"""A worker may die anywhere: nothing is lost or sent twice, and what nobody can know is called uncertain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from services.dispatch.channels.port import Outgoing
from services.dispatch.domain.model import Ending
from services.dispatch.domain.states import Happening
from services.dispatch.store import queue
from services.dispatch.worker.delivering import Call, Outcome
from services.dispatch.worker.minding import reap
from shared.contracts.deliveries import DeliveryHandedOver, DeliveryUncertain
from shared.contracts.model import Channel
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime import failpoints
from shared.runtime.failpoints import FailpointHit
from shared.runtime.ids import random_id
from tests.support.dispatch import NOW, MailRoom, delivery_id
from tests.support.waiting import until

EXPIRE = (
    "update messages set lease_until = clock.machine_now() - interval '1 s' where lease_until is not null"
)


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    failpoints.disarm()
    yield
    failpoints.disarm()


async def die_at(room: MailRoom, name: str) -> None:
    """Run a round that stops at a failpoint."""
    failpoints.arm(f"{name}:1:raise")
    with pytest.raises((FailpointHit, ExceptionGroup)) as caught:
        await room.postman.round()
    error: BaseException = caught.value
    if isinstance(error, BaseExceptionGroup):
        assert error.subgroup(FailpointHit) is not None
    failpoints.disarm()


async def test_a_worker_that_dies_with_claimed_messages_gives_them_back(room: MailRoom) -> None:
    await room.ask("anna")
    await die_at(room, "dispatch.after_claim")
    assert (await room.state("anna"))[0] == "claimed"
    await room.work()
    assert room.mails == []
    await room.run(EXPIRE)
    assert await reap(room.db) == 1
    await room.work()
    assert (await room.state("anna"))[0] == "handed_over"
    assert len(room.mails) == 1


@pytest.mark.parametrize(
    ("failpoint", "sent"),
    [("dispatch.after_handing_over_commit", 0), ("dispatch.after_accept_before_record", 1)],
)
async def test_a_worker_that_dies_while_handing_over_leaves_it_uncertain(
    room: MailRoom, failpoint: str, sent: int
) -> None:
    await room.ask("anna")
    await die_at(room, failpoint)
    assert (await room.state("anna"))[0] == "handing_over"
    [attempt] = await room.fetch("select outcome from attempts")
    assert attempt["outcome"] is None
    await room.run(EXPIRE)
    await reap(room.db)
    await room.work()
    assert (await room.state("anna"))[0] == "uncertain"
    assert len(room.mails) == sent
    assert [told.type for told in await room.told()] == [DeliveryUncertain.TYPE]
    [attempt] = await room.fetch("select outcome from attempts")
    assert attempt["outcome"] == "unknown"


async def test_a_worker_that_dies_after_the_record_has_done_its_work(room: MailRoom) -> None:
    await room.ask("anna")
    await die_at(room, "dispatch.after_record")
    await room.run(EXPIRE)
    await reap(room.db)
    await room.work()
    assert (await room.state("anna"))[0] == "handed_over"
    assert len(room.mails) == 1


async def test_a_lease_that_lasts_is_left_alone(room: MailRoom) -> None:
    await room.ask("anna")
    await die_at(room, "dispatch.after_handing_over_commit")
    assert await reap(room.db) == 0
    assert (await room.state("anna"))[0] == "handing_over"


async def test_late_evidence_of_the_same_worker_mends_an_uncertain_message(room: MailRoom) -> None:
    """A worker that was stopped (not killed) past its lease still knows what the server said."""

    await room.ask("anna")
    await die_at(room, "dispatch.after_accept_before_record")
    await room.run(EXPIRE)
    await reap(room.db)
    [row] = await room.fetch("select lease_token from messages")
    call = Call(delivery_id("anna"), 1, Channel.EMAIL, Outgoing("k", "a@b.example", "c@d.example", b""), NOW)
    await room.postman._record(row["lease_token"], [Outcome(call)])
    assert (await room.state("anna"))[0] == "handed_over"
    told = await room.told()
    assert [t.type for t in told] == [DeliveryUncertain.TYPE, DeliveryHandedOver.TYPE]
    assert [t.data.version for t in told] == [1, 2]


async def test_a_stale_worker_writes_nothing(room: MailRoom) -> None:
    """Another worker has the message by now: the old token matches no row."""

    await room.ask("anna")
    await die_at(room, "dispatch.after_handing_over_commit")
    async with room.db.begin() as tx:
        moved = await queue.end(tx.conn, random_id(), Happening.ACCEPT, [Ending(delivery_id("anna"))], NOW)
    assert moved == []
    assert (await room.state("anna"))[0] == "handing_over"


async def test_a_database_that_is_away_while_recording_loses_nothing(room: MailRoom) -> None:
    """The server has taken the mail; the record waits for the database instead of leaving it uncertain."""
    await room.ask("anna")
    failpoints.disarm()  # forgets the transactions counted so far
    # Transactions of a round: claim, write down, record. The third one meets a lost connection, twice.
    failpoints.arm("unit.before_commit:3:unavailable,unit.before_commit:4:unavailable")
    await room.postman.round()
    assert (await room.state("anna"))[0] == "handed_over"
    assert len(room.mails) == 1
    assert len(await room.told()) == 1


async def test_the_table_refuses_a_worked_on_message_without_a_lease(room: MailRoom) -> None:
    await room.ask("anna")
    with pytest.raises(asyncpg.CheckViolationError):
        await room.run("update messages set state = 'handing_over'")


async def test_a_slow_server_does_not_cost_the_lease(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.SLOW, seconds=1.0))
    await room.ask("anna")
    patient = replace(room.postman, lease_seconds=0.6)

    async def renewed() -> bool:
        [row] = await room.fetch(
            "select lease_until - (select min(started_at) from attempts) as held from messages"
        )
        return row["held"] is not None and row["held"].total_seconds() > 0.7

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(patient.round())
        await until(renewed)
        await reap(room.db)
    assert (await room.state("anna"))[0] == "handed_over"
    assert len(room.mails) == 1
