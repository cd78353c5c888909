"""Messages of which nobody knows whether they left: listed, decided about once, settled by later reports."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY

from services.dispatch.domain.uncertain import STOPPED, Decision, Standing
from services.dispatch.handlers.fates import arrived
from services.dispatch.handlers.uncertain import Uncertain
from services.dispatch.store import uncertain
from services.dispatch.store.uncertain import Wanted
from services.dispatch.worker.minding import Views, weigh
from shared.bus.memory import MemoryBus
from shared.contracts.directory import ContactErased
from shared.contracts.model import Channel, Person
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from shared.security.access import Role, Scope
from shared.web.cursors import text_cursor
from shared.web.problems import Problem
from tests.support.breaking import break_off, deliver, die_at, give_up, prove, since
from tests.support.desk import somebody
from tests.support.dispatch import (
    NOW,
    PUBLIC_URL,
    MailRoom,
    Site,
    cancelled,
    contact_id,
    delivery_id,
    reminder,
    survey_id,
)  # fmt: skip
from tests.support.texting import NUMBER, Exchange, delivery

pytestmark = pytest.mark.requirement("R50", "R57")
LIST = "/v1/messages/uncertain"
PAGE = "/messages/uncertain"


async def listed(api: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await api.get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.text
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


async def pages(api: httpx.AsyncClient, **query: str) -> list[str]:
    """The ids of a whole list, read two by two."""
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await api.get(LIST, params={"limit": "2", "after": after, **query})).json()
        seen += [one["delivery_id"] for one in page["messages"]]
        after = page["next"]
    return seen


async def decider(site: Site) -> httpx.AsyncClient:
    """A program that may decide."""
    headers = {"authorization": f"Bearer {await site.key(Scope.MESSAGES_READ, Scope.MESSAGES_WRITE)}"}
    transport = httpx.ASGITransport(app=site.app)
    return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers)


async def decide(
    api: httpx.AsyncClient, name: str, decision: str, decisions: int = 0, message: UUID | None = None
) -> httpx.Response:
    path = f"/v1/messages/{message or delivery_id(name)}/decision"
    return await api.post(path, json={"decision": decision, "decisions": decisions})


async def told(room: MailRoom) -> list[str]:
    return [one.type.removeprefix("delivery.").removesuffix(".v1") for one in await room.told()]


async def attempts(room: MailRoom) -> list[str | None]:
    return [row["outcome"] for row in await room.fetch("select outcome from attempts order by number")]


async def made(room: MailRoom) -> int:
    return len(await room.fetch("select from uncertain_decisions"))


async def test_what_broke_off_is_listed_with_why_and_without_personal_data(
    room: MailRoom, site: Site, api: httpx.AsyncClient
) -> None:
    await break_off(room, "anna")
    await room.ask("bert")
    await die_at(room, "dispatch.after_handing_over_commit")
    await give_up(room)
    await since(room, delivery_id("anna"), NOW - timedelta(hours=1))
    bert, anna = await listed(api)
    assert (bert["why"], bert["detail"]) == ("worker_stopped", STOPPED)
    assert (anna["why"], anna["since"]) == ("no_answer", "2026-03-03T08:00:00Z")
    assert anna["detail"]
    assert (anna["programme"], anna["kind"], anna["channel"], anna["state"]) == (
        "relationship-nps", "invitation", "email", "uncertain",
    )  # fmt: skip
    assert (anna["contact_id"], anna["bar"], anna["decisions"], anna["decision"]) == (
        str(contact_id("anna")), None, 0, None,
    )  # fmt: skip
    text = (await api.get(LIST)).text
    assert "Anna" not in text
    assert "customer.example" not in text
    assert await listed(api, "?programme=other") == await listed(api, "?channel=sms") == []
    assert len(await listed(api, "?programme=relationship-nps&channel=email")) == 2
    await weigh(room.db)
    assert REGISTRY.get_sample_value("afterword_dispatch_uncertain_messages") == 2


async def test_a_list_goes_on_where_a_page_ends(room: MailRoom, site: Site) -> None:
    api = await decider(site)
    names = [f"p{number}" for number in range(5)]
    await break_off(room, *names)
    for number, name in enumerate(names):
        await since(room, delivery_id(name), NOW - timedelta(minutes=number // 2))
    seen = await pages(api)
    page = (await api.get(LIST)).json()
    assert (page["open"], page["left"]) == (5, 0)
    assert len(seen) == len(set(seen)) == 5
    times = {str(delivery_id(name)): number // 2 for number, name in enumerate(names)}
    assert [times[one] for one in seen] == [0, 0, 1, 1, 2]
    for name in names[:3]:
        await decide(api, name, "leave")
    log = await pages(api, standing="decided")
    assert sorted(log) == sorted(str(delivery_id(name)) for name in names[:3])
    rep = await somebody(site, Role.REP)
    for wrong in (
        "x",
        "\0",
        text_cursor(NOW.isoformat(), "\0", "1", ""),
        text_cursor(NOW.isoformat(), "a", "", ""),
    ):
        for reader, path in ((api, LIST), (rep, PAGE)):
            assert (await reader.get(path, params={"after": wrong})).status_code == 422
    for reader, path in ((api, LIST), (rep, PAGE)):
        assert (await reader.get(path, params={"programme": "\0"})).status_code == 422


@pytest.mark.parametrize("decision", list(Decision))
async def test_a_decision_is_recorded_and_made_once_when_it_is_pressed_twice(
    room: MailRoom, site: Site, decision: Decision
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    first = await decide(api, "anna", decision.value)
    again = await decide(api, "anna", decision.value)
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["decided_at"] == again.json()["decided_at"]
    [row] = await room.fetch("select decision, decided_by, decided_at from uncertain_decisions")
    assert (row["decision"], row["decided_at"]) == (decision.value, NOW)
    assert row["decided_by"].startswith("key:")
    [line] = await room.fetch("select actor, subject from access.audit where action = 'message.decided'")
    assert tuple(line) == (row["decided_by"], str(delivery_id("anna")))
    await deliver(room)
    expected = {"delivered": ("handed_over", 1), "send_again": ("handed_over", 2), "leave": ("uncertain", 1)}
    assert ((await room.state("anna"))[0], len(room.mails)) == expected[decision]


async def test_of_two_who_press_at_once_one_decides_and_the_other_one_is_told(
    room: MailRoom, site: Site
) -> None:
    await break_off(room, "anna")
    both = [await decider(site) for _ in range(2)]
    async with asyncio.TaskGroup() as tasks:
        pressed = [tasks.create_task(decide(api, "anna", "send_again")) for api in both]
    answers = [one.result() for one in pressed]
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert "Somebody has decided meanwhile: it is sent again (2026-03-03 09:00 UTC)." in refused.text
    assert await made(room) == 1
    await deliver(room)
    assert len(room.mails) == 2, "the first one, which had arrived, and one more"


async def test_what_is_marked_as_delivered_is_told_to_the_others_once(room: MailRoom, site: Site) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "delivered")
    assert await told(room) == ["uncertain", "handed_over", "delivered"]
    assert await attempts(room) == ["accepted"]
    async with room.db.begin() as tx:
        await arrived(tx, delivery_id("anna"), delivered=True)
    assert await told(room) == ["uncertain", "handed_over", "delivered"]
    books = (await api.get("/v1/messages/books")).json()
    assert (books["handed_over"], books["uncertain"], books["balanced"]) == (1, 0, True)
    refused = await decide(api, "anna", "send_again", 1)
    assert refused.status_code == 409
    assert "It is not uncertain any more. It is handed_over now." in refused.text
    [line] = await listed(api, "?standing=decided")
    assert (line["state"], line["decision"]["decision"], line["bar"]) == (
        "handed_over",
        "delivered",
        "settled",
    )


async def test_what_is_sent_again_has_the_same_message_id_and_one_more_attempt(
    room: MailRoom, site: Site
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "send_again")
    assert (await room.state("anna"))[0] == "planned"
    await room.wake()
    await room.work()
    assert len(room.mails) == 1, "answers that came meanwhile must be known first"
    await Views(room.db, MemoryBus()).prove()
    await deliver(room)
    assert [room.read(0)["Message-ID"]] * 2 == [mail["Message-ID"] for mail in (room.read(0), room.read(1))]
    assert await attempts(room) == ["unknown", "accepted"]
    assert await told(room) == ["uncertain", "handed_over"]
    assert (await room.state("anna"))[0] == "handed_over"
    books = (await api.get("/v1/messages/books")).json()
    assert (books["handed_over"], books["balanced"]) == (1, True)


@pytest.mark.parametrize(
    ("fault", "tried"),
    [
        (Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "550 5.7.1 not now"), "refused"),
        (Fault("anna@*", FaultKind.DROP_AFTER_ACCEPT), "unknown"),
    ],
    ids=["refused", "broken off"],
)
async def test_what_is_sent_again_in_vain_is_uncertain_as_before_and_may_be_decided_anew(
    room: MailRoom, site: Site, fault: Fault, tried: str
) -> None:
    """The first try got past the recipient's address; what the second one is refused says nothing of it."""
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "send_again")
    room.faults.rules.append(fault)
    await deliver(room)
    assert (await room.state("anna"))[0] == "uncertain"
    assert await attempts(room) == ["unknown", tried]
    assert await told(room) == ["uncertain"], "that is no news to the others"
    [one] = await listed(api)
    assert (one["last_try"], one["decisions"], one["bar"]) == (tried, 1, None)
    room.faults.rules.clear()
    assert (await decide(api, "anna", "send_again", 1)).json()["number"] == 2
    await deliver(room)
    assert await told(room) == ["uncertain", "handed_over"]
    assert [one["decision"]["number"] for one in await listed(api, "?standing=decided")] == [2, 1]


async def test_a_second_try_that_finds_a_dead_address_keeps_it_from_being_written_to(
    room: MailRoom, site: Site
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "send_again")
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 gone"))
    await deliver(room)
    [one] = await listed(api)
    assert one["bar"] == "not_written_to"
    refused = await decide(api, "anna", "send_again", 1)
    assert refused.status_code == 409
    assert "not written to any more" in refused.json()["detail"]


async def test_a_worker_that_dies_over_the_second_try_leaves_it_uncertain_as_before(
    room: MailRoom, site: Site
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "send_again")
    await prove(room)
    await die_at(room, "dispatch.after_handing_over_commit")
    await give_up(room)
    await deliver(room)
    assert await attempts(room) == ["unknown", "unknown"]
    assert await told(room) == ["uncertain"]
    [one] = await listed(api)
    assert one["why"] == "worker_stopped"
    assert len(room.mails) == 1


async def bar_of(room: MailRoom, api: httpx.AsyncClient, bar: str) -> None:
    [one] = await listed(api)
    assert one["bar"] == bar
    refused = await decide(api, "anna", "send_again")
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("It cannot be sent again. ")
    assert refused.json()["what_to_do"] == "Leave it as it is."
    assert await made(room) == 0


async def test_what_was_answered_called_off_or_reminded_of_is_not_sent_again(
    room: MailRoom, site: Site, clock: FixedClock
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    insert = "insert into answers (survey_id, version, answered) values ($1::text::uuid, 1, true)"
    await room.run(insert, survey_id("anna"))
    await bar_of(room, api, "answered")
    await room.run("delete from answers")
    await room.tell(reminder("anna"))
    await bar_of(room, api, "followed")
    await deliver(room)
    await bar_of(room, api, "followed")
    await room.run(
        "delete from attempts a using messages m where m.delivery_id = a.delivery_id and m.step = 1"
    )
    await room.run("delete from messages where step = 1")
    assert (await listed(api))[0]["bar"] is None
    await room.tell(cancelled("anna", 3))
    await bar_of(room, api, "cancelled")
    await room.run("update surveys set cancelled_as = null, fresh_until = $1", NOW)
    await bar_of(room, api, "closed")
    await room.run("update surveys set fresh_until = null")
    clock.advance(timedelta(days=31))
    await bar_of(room, api, "closed")


async def test_who_said_stop_or_was_erased_gets_nothing_again_and_the_list_names_nobody(
    room: MailRoom, site: Site
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await room.run(
        "insert into suppressions (kind, subject, reason, via, noted_at) "
        "select 'address', address_hash, 'opted_out', 'page', $1::timestamptz from messages",
        NOW,
    )
    await bar_of(room, api, "not_written_to")
    await room.tell(ContactErased(contact_id=str(contact_id("anna")), version=3, erased_at=NOW))
    await bar_of(room, api, "erased")
    rep = await somebody(site, Role.REP)
    page = (await rep.get(PAGE)).text
    assert "Anna" not in page
    assert "A person" in page


async def test_what_the_last_look_stops_after_all_is_uncertain_as_before_and_says_why(
    room: MailRoom, site: Site
) -> None:
    """They answer between the decision and the hand-over: the first mail had arrived."""
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "send_again")
    insert = "insert into answers (survey_id, version, answered) values ($1::text::uuid, 1, true)"
    await room.run(insert, survey_id("anna"))
    await deliver(room)
    assert len(room.mails) == 1
    assert await room.state("anna") == ("uncertain", "answered")
    assert await told(room) == ["uncertain"], "no place is given back: they may have been asked"
    [one] = await listed(api)
    assert (one["not_sent_because"], one["bar"]) == ("answered", "answered")


@pytest.mark.parametrize("status", ["delivered", "undelivered"])
@pytest.mark.parametrize("waiting", [False, True], ids=["undecided", "waits to be sent again"])
async def test_a_later_report_settles_it_and_nothing_is_sent_again(
    exchange: Exchange, site: Site, status: str, *, waiting: bool
) -> None:
    room = exchange.room
    person = Person(name="Anna", email="anna@customer.example", phone=NUMBER)
    await room.ask("anna", person=person, channels=(Channel.SMS, Channel.EMAIL))
    await die_at(room, "dispatch.after_accept_before_record")
    await give_up(room)
    api = await decider(site)
    message = delivery("anna", Channel.SMS)
    if waiting:
        assert (await decide(api, "anna", "send_again", 0, message)).status_code == 200
    await exchange.fate("anna", status, "" if status == "delivered" else "30003")
    assert await listed(api) == []
    await deliver(room)
    assert len(exchange.provider.taken) == 1
    expected = [(0, "sms", "handed_over")] if status == "delivered" else [
        (0, "sms", "passed_on"), (0, "email", "handed_over"),
    ]  # fmt: skip
    assert await exchange.states("anna") == expected
    assert await attempts(room) == (["accepted"] if status == "delivered" else ["accepted", "accepted"])
    refused = await decide(api, "anna", "delivered", int(waiting), message)
    assert refused.status_code == 409


async def test_what_is_left_as_it_is_is_off_the_list_and_may_be_decided_later(
    room: MailRoom, site: Site
) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await decide(api, "anna", "leave")
    assert await listed(api) == []
    await weigh(room.db)
    assert REGISTRY.get_sample_value("afterword_dispatch_uncertain_messages") == 0
    [left] = await listed(api, "?standing=left")
    assert left["decision"]["decision"] == "leave"
    stale = await decide(api, "anna", "delivered", 0)
    assert stale.status_code == 409
    assert "it is left as it is" in stale.text
    assert (await decide(api, "anna", "delivered", 1)).status_code == 200
    assert (await room.state("anna"))[0] == "handed_over"


async def test_whoever_may_not_decide_or_asks_for_nonsense_is_told_so(room: MailRoom, site: Site) -> None:
    await break_off(room, "anna")
    api = await decider(site)
    unknown = await decide(api, "anna", "leave", 0, contact_id("nobody"))
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no message of this id.")
    assert (await decide(api, "anna", "repeat")).status_code == 422
    assert (await decide(api, "anna", "leave", 5)).status_code == 409
    reader = {"authorization": f"Bearer {await site.key(Scope.MESSAGES_READ)}"}
    refused = await api.post(
        f"/v1/messages/{delivery_id('anna')}/decision",
        json={"decision": "leave", "decisions": 0},
        headers=reader,
    )
    assert refused.status_code == 403
    assert "messages:write" in refused.text
    rep = await somebody(site, Role.REP)
    form = {"decision": "leave", "decisions": "0"}
    assert (await rep.post(f"{PAGE}/{delivery_id('anna')}", data=form)).status_code == 403
    viewer = await somebody(site, Role.VIEWER)
    assert (await viewer.get(PAGE)).status_code == 403
    manager = await somebody(site, Role.MANAGER)
    assert (
        await manager.post(f"{PAGE}/{delivery_id('anna')}", data={"decision": "leave"})
    ).status_code == 422
    assert await made(room) == 0


async def test_the_page_shows_who_and_what_and_takes_a_decision(room: MailRoom, site: Site) -> None:
    empty = await somebody(site, Role.REP)
    assert "Nothing to decide" in (await empty.get(PAGE)).text
    await break_off(room, "anna")
    page = (await empty.get(PAGE)).text
    assert "Anna Öberg" in page
    assert "anna@customer.example" in page
    assert f"/directory/contacts/{contact_id('anna')}" in page
    assert "It was sent, and no answer came." in page
    assert "Send again" not in page, "a rep looks, a manager decides"
    manager = await somebody(site, Role.MANAGER)
    assert "It may reach them twice." in (await manager.get(f"{PAGE}?channel=email")).text
    assert "No such message" in (await manager.get(f"{PAGE}?channel=sms")).text
    done = await manager.post(
        f"{PAGE}/{delivery_id('anna')}?channel=email", data={"decision": "send_again", "decisions": "0"}
    )
    assert done.headers["location"] == f"{PAGE}?channel=email&done=send_again"
    assert "Nothing to decide" in (await manager.get(PAGE)).text
    log = (await manager.get(f"{PAGE}?standing=decided")).text
    assert "Vera Viewer" in log
    assert "waits to be sent" in log
    await deliver(room)
    assert "handed over" in (await manager.get(f"{PAGE}?standing=decided")).text
    rates = (await manager.get("/messages/rates?from=2026-03-03&to=2026-03-03")).text
    assert "uncertain</a>" not in rates
    await break_off(room, "bert")
    rates = (await manager.get("/messages/rates?from=2026-03-03&to=2026-03-03")).text
    assert f'href="{PAGE}?programme=relationship-nps">1 uncertain</a>' in rates


async def test_a_decision_without_a_number_counts_on_what_there_is(room: MailRoom) -> None:
    """As a command does, which somebody types who has just seen the list."""
    known = Uncertain(room.db, room.sealer)
    await break_off(room, "anna")
    assert (await known.decide(delivery_id("anna"), Decision.LEAVE, None, "system")).fresh
    assert not (await known.decide(delivery_id("anna"), Decision.LEAVE, None, "system")).fresh
    assert (await known.decide(delivery_id("anna"), Decision.SEND_AGAIN, None, "system")).made.number == 2
    with pytest.raises(Problem, match="It is planned now"):
        await known.decide(delivery_id("anna"), Decision.SEND_AGAIN, None, "system")
    async with room.db.read() as conn:
        log = await uncertain.listed(conn, Wanted(Standing.DECIDED), 10)
    assert [row.made and row.made.number for row in log] == [2, 1]


async def test_only_what_a_person_had_sent_again_can_be_called_off(room: MailRoom) -> None:
    """A report about a message that has never left is nobody's evidence."""
    await room.ask("anna")
    async with room.db.begin() as tx:
        assert not await uncertain.call_off(tx.conn, delivery_id("anna"), NOW)
    assert (await room.state("anna"))[0] == "planned"


async def test_a_message_that_asks_nothing_is_listed_too(room: MailRoom, site: Site) -> None:
    api = await decider(site)
    await break_off(room, "anna")
    await room.run(
        "update messages set kind = 'first_reply', survey_id = null, message_id = gen_random_uuid()"
    )
    [one] = await listed(api)
    assert (one["kind"], one["survey_id"]) == ("first_reply", None)
    assert one["bar"] == "erased", "nothing of the person is kept with it"
