"""Channels in order of preference: the next one where one fails or stays silent, always within one ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.domain.phone import Phone
from services.dispatch.domain.stop_list import Entry
from services.dispatch.handlers.fates import Return, came_back, stopped
from services.dispatch.handlers.stop_list import StopList
from services.dispatch.store import suppressions, views
from shared.contracts.deliveries import (
    BounceKind,
    ContactResubscribed,
    ContactUnsubscribed,
    DeliveryBounced,
    DeliveryDelivered,
    DeliveryHandedOver,
    DeliveryLinkReady,
    DeliveryPassedOn,
    DeliveryReplied,
)
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.model import Channel, Person
from shared.contracts.reasons import Reason
from shared.runtime.clock import FixedClock
from tests.support.dispatch import (
    NOW,
    PUBLIC_URL,
    account_id,
    cancelled,
    contact_id,
    reminder,
    snapshot,
    survey_id,
)
from tests.support.provider import Reply
from tests.support.texting import NUMBER, Exchange, delivery

ALL = (Channel.SMS, Channel.EMAIL)


@pytest.mark.requirement("R50", "R52")
async def test_a_survey_goes_by_the_preferred_channel_alone(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    [taken] = exchange.provider.taken
    assert taken.form["To"] == NUMBER
    assert "Answer with a number from 0 to 10" in taken.form["Body"]
    assert exchange.room.mails == []
    [told] = await exchange.room.told()
    assert (told.type, told.data.channel) == (DeliveryHandedOver.TYPE, Channel.SMS)
    assert told.data.snapshot.channel is Channel.SMS


@pytest.mark.requirement("R52")
@pytest.mark.parametrize(
    ("phone", "reply", "reason"),
    [
        ("", None, Reason.INVALID_ADDRESS),
        ("+46 8 123 456 78", None, Reason.INVALID_ADDRESS),
        (NUMBER, Reply(400, b'{"code":21614}'), Reason.INVALID_ADDRESS),
        (NUMBER, Reply(400, b'{"code":21408}'), Reason.BOUNCED),
    ],
)
async def test_a_channel_that_fails_hands_the_same_ask_on(
    exchange: Exchange, phone: str, reply: Reply | None, reason: Reason
) -> None:
    exchange.provider.replies += [reply] if reply else []
    await exchange.ask("anna", *ALL, phone=phone)
    assert await exchange.states("anna") == [(0, "sms", "passed_on"), (0, "email", "handed_over")]
    assert len(exchange.room.mails) == 1
    assert not exchange.room.read()["Subject"].startswith("Reminder")
    passed, handed = await exchange.room.told()
    assert (passed.type, passed.data.reason, passed.data.next_channel) == (
        DeliveryPassedOn.TYPE,
        reason,
        Channel.EMAIL,
    )
    assert (handed.type, handed.data.channel, handed.data.step) == (DeliveryHandedOver.TYPE, Channel.EMAIL, 0)
    async with exchange.room.db.read() as conn:
        books = await views.books(conn)
    assert books.balanced
    assert (books.requested, books.handed_over) == (1, 1)


async def test_what_may_have_arrived_is_never_sent_by_another_channel(exchange: Exchange) -> None:
    exchange.provider.replies.append(Reply(0))
    await exchange.ask("anna", *ALL)
    assert await exchange.states("anna") == [(0, "sms", "uncertain")]
    assert exchange.room.mails == []
    await exchange.fate("anna", "sent")
    assert await exchange.states("anna") == [(0, "sms", "handed_over")]
    assert await exchange.told() == ["uncertain", "handed_over"]


async def test_no_other_channel_is_tried_for_whoever_said_stop(exchange: Exchange) -> None:
    exchange.provider.replies.append(Reply(400, b'{"code":21610}'))
    await exchange.ask("anna", *ALL)
    assert await exchange.states("anna") == [(0, "sms", "failed")]
    assert exchange.room.mails == []
    await exchange.ask("copy", Channel.SMS)
    assert await exchange.told() == ["failed", "suppressed"]


async def test_when_every_channel_fails_the_last_one_says_so(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL, phone="", email="not an address")
    assert await exchange.states("anna") == [(0, "sms", "passed_on"), (0, "email", "suppressed")]
    assert await exchange.told() == ["passed_on", "suppressed"]


@pytest.mark.requirement("R49", "R52")
async def test_a_silent_channel_is_followed_by_the_next_at_the_next_step(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.room.tell(reminder("anna"))
    await exchange.room.run("update messages set view_current = true")
    await exchange.room.work()
    assert await exchange.states("anna") == [(0, "sms", "handed_over"), (1, "email", "handed_over")]
    assert exchange.room.read()["Subject"].startswith("Reminder: ")
    await exchange.room.tell(reminder("anna", step=2, version=3))
    await exchange.room.run("update messages set view_current = true")
    await exchange.room.work()
    assert (await exchange.states("anna"))[-1] == (2, "sms", "handed_over")
    assert exchange.provider.taken[-1].form["Body"].startswith("Reminder. ")


@pytest.mark.requirement("R52")
async def test_a_text_message_that_got_lost_goes_on_by_mail_once(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    for _ in range(2):
        await exchange.fate("anna", "undelivered", "30005")
        await exchange.room.work()
    assert await exchange.states("anna") == [(0, "sms", "passed_on"), (0, "email", "handed_over")]
    assert len(exchange.room.mails) == 1
    assert await exchange.told() == ["handed_over", "passed_on", "handed_over"]
    await exchange.ask("bert", Channel.SMS)
    assert (await exchange.states("bert")) == [(0, "sms", "suppressed")]


async def test_without_another_channel_it_bounced(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    for _ in range(2):
        await exchange.fate("anna", "undelivered", "30003")
    told = await exchange.room.told()
    assert [one.type for one in told] == [DeliveryHandedOver.TYPE, DeliveryBounced.TYPE]
    assert (told[1].data.kind, told[1].data.detail) == ("soft", "sms: 30003")


async def test_delivered_is_told_once(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    for status in ("sent", "delivered", "delivered", "sent"):
        await exchange.fate("anna", status)
    assert await exchange.told() == ["handed_over", "delivered"]


async def test_two_calls_about_one_message_at_once_pass_it_on_once(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(exchange.fate("anna", "undelivered"))
    await exchange.room.work()
    assert len(exchange.room.mails) == 1


@pytest.mark.requirement("R52")
async def test_a_number_sent_back_is_an_answer_once(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    for _ in range(2):
        answer = await exchange.reply("9")
        assert f"{PUBLIC_URL}/s/" in answer
        assert "Thank you" in answer
    replied = [told.data for told in await exchange.room.told() if told.type == DeliveryReplied.TYPE]
    assert [(one.score, one.survey_id, one.reply_id) for one in replied] == [(9, survey_id("anna"), "SM9")]


@pytest.mark.parametrize("body", ["11", "great!", ""])
async def test_what_is_no_number_of_the_scale_is_asked_back(exchange: Exchange, body: str) -> None:
    await exchange.ask("anna", Channel.SMS)
    assert "from 0 to 10" in await exchange.reply(body)
    assert await exchange.told() == ["handed_over"]


async def test_a_reply_after_the_end_is_thanked_for(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    await exchange.room.tell(cancelled("anna"))
    assert "closed" in await exchange.reply("9")
    assert await exchange.told() == ["handed_over"]


async def test_a_stranger_gets_no_answer(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    assert "<Message>" not in await exchange.reply("9", number="+46701740606")
    assert "<Message>" not in await exchange.reply("9", "SM8", number="nobody")
    assert await exchange.told() == ["handed_over"]


@pytest.mark.requirement("R52")
async def test_stop_ends_every_channel(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    for _ in range(2):
        assert "<Message>" not in await exchange.reply("STOP")
    [gone] = [told.data for told in await exchange.room.told() if told.type == ContactUnsubscribed.TYPE]
    assert (gone.contact_id, gone.scope, gone.via) == (str(contact_id("anna")), "all", "sms")
    await exchange.room.tell(reminder("anna"))
    await exchange.room.run("update messages set view_current = true")
    await exchange.room.work()
    assert exchange.room.mails == []


HOUR = timedelta(hours=1)


async def again(exchange: Exchange, channel: Channel = Channel.SMS) -> str:
    """What becomes of a further survey of Anna's."""
    name = f"again-{len(await exchange.room.fetch('select from surveys'))}"
    person = Person(name="Anna", email="anna@customer.example", phone=NUMBER)
    await exchange.room.ask(
        name, person=person, channels=(channel,), snapshot=snapshot("anna"), survey_id=survey_id(name)
    )
    await exchange.room.work()
    [(_, _, state)] = await exchange.states(name)
    return state


def directory_says(version: int, *, opted_out: bool, **fields: Any) -> ContactChanged:
    """How Anna stands, as trigger tells it."""
    return ContactChanged(
        contact_id=str(contact_id("anna")),
        account_id=str(account_id("acme")),
        version=version,
        opted_out=opted_out,
        **fields,
    )


async def words(exchange: Exchange) -> list[tuple[str, str]]:
    """What was told about stops and their ends."""
    kinds = {ContactUnsubscribed.TYPE: "no", ContactResubscribed.TYPE: "taken back"}
    return [(kinds[one.type], one.data.via) for one in await exchange.room.told() if one.type in kinds]


@pytest.mark.requirement("R52", "R57")
@pytest.mark.parametrize("word", ["START", "unstop.", " Yes! "])
async def test_start_takes_back_what_stop_by_text_message_did(
    exchange: Exchange, clock: FixedClock, word: str
) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.reply("STOP")
    await exchange.room.tell(directory_says(2, opted_out=True))
    assert await again(exchange) == "suppressed"
    clock.advance(HOUR)
    for _ in range(2):
        assert "<Message>" not in await exchange.reply(word, "SM10")
    assert await words(exchange) == [("no", "sms"), ("taken back", "sms")]
    [back] = [one for one in await exchange.room.told() if one.type == ContactResubscribed.TYPE]
    assert back.data == ContactResubscribed(
        contact_id=str(contact_id("anna")), account_id=str(account_id("acme")), at=NOW + HOUR, via="sms"
    )
    await exchange.room.tell(directory_says(3, opted_out=False))
    assert await again(exchange) == "handed_over"
    assert await again(exchange, Channel.EMAIL) == "handed_over"
    async with exchange.room.db.read() as conn:
        assert await suppressions.suppressions(conn, 10, None) == []
        past = await suppressions.lifted(conn, 10, None)
    assert {(one.kind, one.via, one.grounds, one.lifted_at) for one in past} == {
        ("contact", "sms", "taken_back", NOW + HOUR),
        ("address", "sms", "taken_back", NOW + HOUR),
    }


async def test_a_stop_and_a_start_that_are_heard_again_later_change_nothing(
    exchange: Exchange, clock: FixedClock
) -> None:
    await exchange.ask("anna", *ALL)
    for number, word in enumerate(("STOP", "START", "STOP")):
        clock.advance(HOUR)
        await exchange.reply(word, f"SM{number}")
    expected = [("no", "sms"), ("taken back", "sms"), ("no", "sms")]
    assert await words(exchange) == expected
    clock.advance(HOUR)
    await exchange.reply("START", "SM1")
    assert await again(exchange) == "suppressed"
    await exchange.reply("START", "SM3")
    await exchange.reply("STOP", "SM2")
    assert await again(exchange) == "handed_over"
    assert await words(exchange) == [*expected, ("taken back", "sms")]


async def test_a_start_of_the_very_instant_of_the_stop_leaves_it(exchange: Exchange) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.reply("STOP")
    await exchange.reply("START", "SM10")
    assert await words(exchange) == [("no", "sms")]
    assert await again(exchange) == "suppressed"


@pytest.mark.parametrize("first", ["page", "sms"])
async def test_start_leaves_an_unsubscription_in_another_way(
    exchange: Exchange, clock: FixedClock, first: str
) -> None:
    await exchange.ask("anna", *ALL)

    async def unsubscribe() -> None:
        async with exchange.room.db.begin() as tx:
            await stopped(tx, contact_id("anna"), account_id("acme"), "page")

    if first == "page":
        await unsubscribe()
        clock.advance(HOUR)
    await exchange.reply("STOP")
    if first == "sms":
        clock.advance(HOUR)
        await unsubscribe()
    clock.advance(HOUR)
    await exchange.reply("START", "SM10")
    expected = [("no", "page")] if first == "page" else [("no", "sms"), ("no", "page")]
    assert await words(exchange) == expected
    for channel in ALL:
        assert await again(exchange, channel) == "suppressed"


async def test_start_leaves_a_dead_mailbox_dead_that_came_back_after_the_stop(
    exchange: Exchange, clock: FixedClock
) -> None:
    await exchange.ask("anna", Channel.EMAIL)
    await exchange.ask("more", Channel.SMS)
    await exchange.room.run("update messages set contact_id = $1", contact_id("anna"))
    await exchange.reply("STOP")
    clock.advance(HOUR)
    hard = Return(BounceKind.HARD, Reason.INVALID_ADDRESS, "bounce: 5.1.1", "mail")
    async with exchange.room.db.begin() as tx:
        await came_back(tx, delivery("anna", Channel.EMAIL), hard)
    await exchange.reply("START", "SM10")
    assert await again(exchange) == "handed_over"
    assert await again(exchange, Channel.EMAIL) == "suppressed"
    rows = await exchange.room.fetch("select kind, reason, via from suppressions")
    assert [tuple(row) for row in rows] == [("address", "invalid_address", "mail")]


async def test_start_leaves_what_one_of_ours_or_a_list_entered(exchange: Exchange, clock: FixedClock) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.reply("STOP")
    clock.advance(HOUR)
    known = StopList(exchange.room.db, exchange.room.sealer)
    entry = Entry(Phone(NUMBER), "address", Reason.OPTED_OUT, "mailchimp")
    assert await known.enter([entry, entry]) == 1
    await exchange.reply("START", "SM10")
    assert await again(exchange) == "suppressed"
    assert await again(exchange, Channel.EMAIL) == "handed_over"


async def test_start_is_heard_of_a_number_that_the_provider_alone_knew_to_have_stopped(
    exchange: Exchange, clock: FixedClock
) -> None:
    exchange.provider.replies.append(Reply(400, b'{"code":21610}'))
    await exchange.ask("anna", Channel.SMS)
    assert await again(exchange) == "suppressed"
    clock.advance(HOUR)
    assert "<Message>" not in await exchange.reply("START")
    assert await words(exchange) == [], "nobody had told that the person wants nothing"
    assert await again(exchange) == "handed_over"


async def test_start_ends_the_stop_of_the_person_under_all_their_ids(
    exchange: Exchange, clock: FixedClock
) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.reply("STOP")
    stays = str(contact_id("annas-other-id"))
    await exchange.room.tell(directory_says(2, opted_out=True, merged_into=stays))
    await exchange.room.run(
        "update messages set contact_id = $1::text::uuid where contact_id = $2", stays, contact_id("anna")
    )
    clock.advance(HOUR)
    await exchange.reply("START", "SM10")
    assert await words(exchange) == [("no", "sms"), ("taken back", "sms")]
    assert await exchange.room.fetch("select from suppressions") == []


async def test_whoever_was_erased_is_not_written_to_whatever_is_sent(
    exchange: Exchange, clock: FixedClock
) -> None:
    await exchange.ask("anna", *ALL)
    await exchange.reply("STOP")
    who = str(contact_id("anna"))
    await exchange.room.tell(ContactErased(contact_id=who, version=9, erased_at=NOW))
    clock.advance(HOUR)
    assert "<Message>" not in await exchange.reply("START", "SM10")
    assert await words(exchange) == [("no", "sms")]
    await exchange.ask("copy", *ALL)
    assert await exchange.states("copy") == [(0, "sms", "suppressed")]


async def test_a_yes_with_nothing_to_take_back_is_asked_what_it_means(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.SMS)
    assert "from 0 to 10" in await exchange.reply("Yes")
    assert "<Message>" not in await exchange.reply("START", "SM10", number="+46701740606")
    assert await exchange.told() == ["handed_over"]


@pytest.mark.parametrize("path", ["/hooks/twilio/status?delivery=x", "/hooks/twilio/reply"])
async def test_an_unsigned_call_is_refused(exchange: Exchange, path: str) -> None:
    await exchange.ask("anna", Channel.SMS)
    form = {"MessageSid": "SM9", "From": NUMBER, "Body": "STOP"}
    for headers in ({}, {"X-Twilio-Signature": "AAAA"}):
        answer = await exchange.http.post(path, data=form, headers=headers)
        assert answer.status_code == 401
    assert await exchange.told() == ["handed_over"]


@pytest.mark.requirement("R36", "R52")
async def test_a_link_is_told_by_event_and_found_by_api(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.LINK)
    handed, ready = await exchange.room.told()
    assert (handed.type, ready.type) == (DeliveryHandedOver.TYPE, DeliveryLinkReady.TYPE)
    found = await exchange.http.get(f"/v1/links/{survey_id('anna')}")
    assert found.json() == {"survey_id": survey_id("anna"), "url": ready.data.url}
    await exchange.room.tell(cancelled("anna"))
    assert (await exchange.http.get(f"/v1/links/{survey_id('anna')}")).status_code == 404


@pytest.mark.requirement("R52")
async def test_a_survey_waits_in_the_product_until_it_is_answered(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.IN_APP)
    waiting = (await exchange.http.get("/v1/pending", params={"contact": str(contact_id("anna"))})).json()
    [survey] = waiting["surveys"]
    assert survey["question"] == "How likely are you to recommend Cloud to a colleague?"
    assert [one["value"] for one in survey["scores"]] == list(range(11))
    assert await exchange.told() == ["handed_over"]
    for _ in range(2):
        shown = await exchange.http.get(f"/v1/pending/{waiting['token']}", headers={"authorization": ""})
        assert shown.headers["access-control-allow-origin"] == "*"
        assert shown.json()["surveys"] == [survey]
    told = await exchange.room.told()
    assert [one.type for one in told] == [DeliveryHandedOver.TYPE, DeliveryDelivered.TYPE]
    await exchange.room.run(
        "insert into answers (survey_id, version, answered) values ($1::text::uuid, 1, true)",
        survey_id("anna"),
    )
    assert (await exchange.http.get(f"/v1/pending/{waiting['token']}")).json() == {"surveys": []}


async def test_nobody_sees_what_waits_for_another(exchange: Exchange) -> None:
    await exchange.ask("anna", Channel.IN_APP)
    bert = (await exchange.http.get("/v1/pending", params={"contact": str(contact_id("bert"))})).json()
    assert bert["surveys"] == []
    assert (await exchange.http.get(f"/v1/pending/{bert['token']}")).json() == {"surveys": []}
    assert (await exchange.http.get("/v1/pending/x")).status_code == 404
    stop = exchange.room.tokens.sign("unsubscribe", contact_id("anna"))
    assert (await exchange.http.get(f"/v1/pending/{stop}")).status_code == 404
    params = {"contact": str(contact_id("anna"))}
    bare = await exchange.http.get("/v1/pending", params=params, headers={"authorization": ""})
    assert bare.status_code == 401
