"""A worker may die anywhere: nothing is lost or sent twice, and what nobody can know is called uncertain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import replace

import asyncpg
import pytest

from services.dispatch.channels.port import Outgoing
from services.dispatch.channels.webhook import WebhookChannel, WebhookTarget
from services.dispatch.domain.model import Ending
from services.dispatch.domain.states import Happening
from services.dispatch.store import queue, views
from services.dispatch.worker.delivering import Call, Outcome
from services.dispatch.worker.minding import reap
from shared.contracts.deliveries import DeliveryHandedOver, DeliveryUncertain
from shared.contracts.model import Channel, Person
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime import failpoints
from shared.runtime.clock import SystemMachine
from shared.runtime.ids import random_id
from shared.security.signatures import WebhookSecret
from tests.support.breaking import EXPIRE, die_at
from tests.support.dispatch import NOW, MailRoom, delivery_id, reminder
from tests.support.texting import NUMBER, Exchange, delivery
from tests.support.waiting import until

SECRET = WebhookSecret.standard("whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNDU2")
BETWEEN = [("dispatch.after_handing_over_commit", 0), ("dispatch.after_accept_before_record", 1)]
"""Where a worker may die around the call of a provider, and how many messages have left by then."""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    failpoints.disarm()
    yield
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


@pytest.mark.parametrize(("failpoint", "sent"), BETWEEN)
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


async def die_texting(exchange: Exchange, name: str) -> None:
    """Ask Anna by text message, with a mail as the second choice, and die on the way."""
    person = Person(name="Anna", email="anna@customer.example", phone=NUMBER)
    await exchange.room.ask("anna", person=person, channels=(Channel.SMS, Channel.EMAIL))
    await die_at(exchange.room, name)
    assert await exchange.states("anna") == [(0, "sms", "handing_over")]


async def give_up(exchange: Exchange, repeatable: Collection[Channel] = ()) -> None:
    """The lease of the dead worker ends; others go on as long as there is anything to do."""
    await exchange.room.run(EXPIRE)
    await reap(exchange.room.db, repeatable)
    await exchange.room.wake()
    await exchange.room.work()


async def outcomes(exchange: Exchange) -> list[str | None]:
    return [row["outcome"] for row in await exchange.room.fetch("select outcome from attempts")]


@pytest.mark.requirement("R50", "R52")
@pytest.mark.parametrize(("failpoint", "sent"), BETWEEN)
async def test_a_text_of_a_worker_that_died_is_never_sent_again_and_is_called_uncertain(
    exchange: Exchange, failpoint: str, sent: int
) -> None:
    """Twilio knows no key by which it would drop a repetition, so nobody repeats."""
    await die_texting(exchange, failpoint)
    for _ in range(2):
        await give_up(exchange)
    assert len(exchange.provider.taken) == sent
    assert exchange.room.mails == [], "what may have arrived is not sent by another channel"
    assert await exchange.states("anna") == [(0, "sms", "uncertain")]
    assert await exchange.told() == ["uncertain"]
    async with exchange.room.db.read() as conn:
        books = await views.books(conn)
        [found] = await views.messages(conn, views.Filter(state="uncertain"))
    assert books.balanced
    assert books.uncertain == 1
    assert found.detail == "stopped while handing over"
    assert [one.outcome for one in found.attempts] == ["unknown"]


@pytest.mark.requirement("R52", "R57")
@pytest.mark.parametrize("heard", ["before it is given up", "after it was given up"])
async def test_the_providers_call_settles_a_text_of_a_worker_that_died(
    exchange: Exchange, heard: str
) -> None:
    await die_texting(exchange, "dispatch.after_accept_before_record")
    first = [] if heard.startswith("before") else ["uncertain"]
    if first:
        await give_up(exchange)
    for status in ("queued", "sent", "delivered", "sent"):
        await exchange.fate("anna", status)
    await give_up(exchange)
    assert await exchange.states("anna") == [(0, "sms", "handed_over")]
    assert await exchange.told() == [*first, "handed_over", "delivered"]
    assert await outcomes(exchange) == ["accepted"]
    assert len(exchange.provider.taken) == 1
    assert exchange.room.mails == []


@pytest.mark.requirement("R52")
@pytest.mark.parametrize("heard", ["before it is given up", "after it was given up"])
async def test_a_text_of_a_worker_that_died_goes_on_by_mail_once_it_surely_did_not_arrive(
    exchange: Exchange, heard: str
) -> None:
    await die_texting(exchange, "dispatch.after_accept_before_record")
    if heard.startswith("after"):
        await give_up(exchange)
    for _ in range(2):
        await exchange.fate("anna", "undelivered", "30003")
        await give_up(exchange)
    assert await exchange.states("anna") == [(0, "sms", "passed_on"), (0, "email", "handed_over")]
    assert len(exchange.provider.taken) == len(exchange.room.mails) == 1
    assert await outcomes(exchange) == ["accepted", "accepted"]


@pytest.mark.requirement("R49", "R52")
async def test_after_a_text_of_a_worker_that_died_the_reminder_speaks_like_the_first(
    exchange: Exchange,
) -> None:
    """Nobody knows whether it arrived, so the next step does not say that there was one."""
    await die_texting(exchange, "dispatch.after_accept_before_record")
    await give_up(exchange)
    await exchange.room.tell(reminder("anna"))
    await exchange.room.run("update messages set view_current = true")
    await give_up(exchange)
    assert await exchange.states("anna") == [(0, "sms", "uncertain"), (1, "email", "handed_over")]
    assert exchange.room.read()["Subject"] == "How is Cloud doing?"
    assert len(exchange.provider.taken) == 1


@pytest.mark.requirement("R50", "R52")
@pytest.mark.parametrize("channel", [Channel.LINK, Channel.IN_APP])
@pytest.mark.parametrize(("failpoint", "_sent"), BETWEEN)
async def test_what_stays_in_the_house_is_handed_over_after_all(
    exchange: Exchange, channel: Channel, failpoint: str, _sent: int
) -> None:
    person = Person(name="Anna", email="anna@customer.example")
    await exchange.room.ask("anna", person=person, channels=(channel, Channel.EMAIL))
    await die_at(exchange.room, failpoint)
    assert await exchange.told() == []
    for _ in range(2):
        await give_up(exchange, repeatable={channel})
    assert await exchange.states("anna") == [(0, channel.value, "handed_over")]
    assert await exchange.told() == ["handed_over", *(["link_ready"] if channel is Channel.LINK else [])]
    assert await outcomes(exchange) == ["unknown", "accepted"]


@pytest.mark.requirement("R50", "R52")
@pytest.mark.parametrize("drops", [True, False])
async def test_a_webhook_of_a_worker_that_died_is_called_again_where_its_key_is_honoured(
    exchange: Exchange, *, drops: bool
) -> None:
    target = WebhookTarget(f"{exchange.provider.url}/asks", SECRET, drops_repeats=drops)
    channel = WebhookChannel(target, SystemMachine())
    room = exchange.room
    desk = replace(room.postman.desk, channels=frozenset({Channel.WEBHOOK}))
    room.postman = replace(room.postman, channels={Channel.WEBHOOK: channel}, desk=desk)
    await room.ask("anna", channels=(Channel.WEBHOOK,))
    await die_at(room, "dispatch.after_accept_before_record")
    await give_up(exchange, repeatable={Channel.WEBHOOK} if channel.repeatable else set())
    await channel.close()
    [(_, _, state)] = await exchange.states("anna")
    keys = [taken.headers["webhook-id"] for taken in exchange.provider.taken]
    key = str(delivery("anna", Channel.WEBHOOK))
    assert (state, keys) == (("handed_over", [key, key]) if drops else ("uncertain", [key]))
