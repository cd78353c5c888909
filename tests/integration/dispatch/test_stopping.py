"""Saying stop: one click by a mail program, a page for people, and nobody is written to again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.contracts.deliveries import ContactUnsubscribed, UnsubscribeScope
from shared.contracts.directory import Consent, ContactChanged, ContactErased
from shared.contracts.model import Person
from shared.contracts.reasons import Reason
from shared.runtime.clock import FixedClock
from tests.support.dispatch import NOW, MailRoom, account_id, contact_id, snapshot, survey_id

DAY = timedelta(days=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def stop_link(room: MailRoom, name: str = "anna", locale: str = "en") -> str:
    """The link of the mail that a person really got."""
    await room.ask(name, snapshot=snapshot(name, locale=locale))
    await room.work()
    found = re.match(r"<https://ask\.northwind\.example(/u/[^>]+)>", room.read()["List-Unsubscribe"])
    assert found
    return found[1]


async def unsubscribed(room: MailRoom) -> list[ContactUnsubscribed]:
    return [t.data for t in await room.told() if t.type == ContactUnsubscribed.TYPE]


async def test_one_click_stops_everything_at_once(room: MailRoom, browser: httpx.AsyncClient) -> None:
    link = await stop_link(room)
    answer = await browser.post(link, data=ONE_CLICK)
    assert (answer.status_code, answer.headers.get("location")) == (200, None)
    assert "set-cookie" not in answer.headers
    [event] = await unsubscribed(room)
    assert event == ContactUnsubscribed(
        contact_id=str(contact_id("anna")),
        account_id=str(account_id("acme")),
        scope=UnsubscribeScope.ALL,
        at=NOW,
        via="one_click",
    )
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert await room.state("again") == ("suppressed", Reason.OPTED_OUT)
    assert len(room.mails) == 1


async def test_one_click_may_come_as_multipart_and_twice(room: MailRoom, browser: httpx.AsyncClient) -> None:
    link = await stop_link(room)
    for _ in range(2):
        answer = await browser.post(link, files={"List-Unsubscribe": (None, "One-Click")})
        assert answer.status_code == 200
    assert len(await unsubscribed(room)) == 1


async def test_the_same_address_under_another_contact_is_not_asked_either(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    await browser.post(await stop_link(room), data=ONE_CLICK)
    await room.ask("copy", person=Person(name="Anna", email="anna@customer.example"))
    await room.work()
    assert await room.state("copy") == ("suppressed", Reason.OPTED_OUT)


def agreed(name: str, at: datetime, version: int = 2, **fields: Any) -> ContactChanged:
    """The directory tells that somebody who had said no said yes at a time."""
    scope = fields.pop("scope", "all")
    return ContactChanged(contact_id=str(contact_id(name)), version=version, renewed={scope: at}, **fields)


async def test_whoever_agrees_again_is_written_to_again_and_it_stays_known(
    room: MailRoom, browser: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    link = await stop_link(room)
    await browser.post(link, data=ONE_CLICK)
    await room.tell(agreed("anna", NOW + DAY))
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.ask("copy", person=Person(name="Anna", email="anna@customer.example"))
    await room.work()
    assert await room.state("again") == ("handed_over", None)
    assert await room.state("copy") == ("handed_over", None), "the mailbox may be written to as well"
    assert (await api.get("/v1/suppressions")).json() == {"suppressions": []}
    past = (await api.get("/v1/suppressions?lifted=true")).json()["suppressions"]
    assert {one["kind"] for one in past} == {"contact", "address"}
    assert {one["agreed_at"] for one in past} == {(NOW + DAY).isoformat().replace("+00:00", "Z")}


@pytest.mark.parametrize(("after", "state"), [(-1, "suppressed"), (0, "suppressed"), (1, "handed_over")])
async def test_only_a_yes_that_was_given_after_the_stop_lifts_it(
    room: MailRoom, browser: httpx.AsyncClient, after: int, state: str
) -> None:
    await browser.post(await stop_link(room), data=ONE_CLICK)
    await room.tell(agreed("anna", NOW + after * timedelta(microseconds=1)))
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert (await room.state("again"))[0] == state


async def test_news_of_somebody_who_never_agreed_again_lift_nothing(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    await browser.post(await stop_link(room), data=ONE_CLICK)
    given = ContactChanged(contact_id=str(contact_id("anna")), version=9, consent=Consent.GIVEN)
    await room.tell(given)
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert await room.state("again") == ("suppressed", Reason.OPTED_OUT)


async def test_a_yes_to_one_programme_lifts_that_one_alone(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    link = await stop_link(room)
    await browser.post(link, data={"scope": "programme"})
    await browser.post(link, data={"scope": "all"})
    await room.tell(agreed("anna", NOW + DAY, scope="relationship-nps"))
    assert [row["programme"] for row in await room.fetch("select * from lifted_suppressions")] == [
        "relationship-nps"
    ]
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert await room.state("again") == ("suppressed", Reason.OPTED_OUT)


async def test_a_stop_after_the_yes_is_heard_again_and_holds(
    room: MailRoom, browser: httpx.AsyncClient, clock: FixedClock
) -> None:
    link = await stop_link(room)
    await browser.post(link, data=ONE_CLICK)
    await room.tell(agreed("anna", NOW + DAY))
    clock.advance(2 * DAY)
    for _ in range(2):
        await browser.post(link, data=ONE_CLICK)
    await room.tell(agreed("anna", NOW + DAY, version=3))
    assert [told.at for told in await unsubscribed(room)] == [NOW, NOW + 2 * DAY]
    await room.ask("again", snapshot=snapshot("anna"), survey_id=survey_id("again"))
    await room.work()
    assert await room.state("again") == ("suppressed", Reason.OPTED_OUT)


async def test_a_yes_of_who_was_merged_is_about_all_their_mailboxes(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    await browser.post(await stop_link(room, "anna"), data=ONE_CLICK)
    left = ContactChanged(
        contact_id=str(contact_id("anna")), version=2, opted_out=True, merged_into=str(contact_id("berg"))
    )
    await room.tell(left)
    await room.tell(agreed("berg", NOW + DAY))
    await room.ask("berg", person=Person(name="Anna", email="anna@customer.example"))
    await room.work()
    assert await room.state("berg") == ("handed_over", None)


async def test_a_yes_brings_no_dead_and_no_erased_address_back(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    await room.run(
        "insert into suppressions (kind, subject, reason, contact_id, noted_at) "
        "select 'address', address_hash, 'bounced', contact_id, $1 from messages",
        NOW,
    )
    await room.tell(agreed("anna", NOW + DAY))
    assert [row["reason"] for row in await room.fetch("select reason from suppressions")] == ["bounced"]


async def test_erasure_takes_the_history_of_stops_with_it(room: MailRoom, browser: httpx.AsyncClient) -> None:
    await browser.post(await stop_link(room), data=ONE_CLICK)
    await room.tell(agreed("anna", NOW + DAY))
    await room.tell(ContactErased(contact_id=str(contact_id("anna")), version=3, erased_at=NOW))
    assert await room.fetch("select * from lifted_suppressions") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_opening_the_link_changes_nothing(
    room: MailRoom, browser: httpx.AsyncClient, method: str
) -> None:
    link = await stop_link(room)
    for _ in range(3):
        await browser.request(method, link)
    assert await room.fetch("select * from suppressions") == []
    assert await unsubscribed(room) == []


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("en", "Do not want to be asked?"),
        ("es-MX", "¿No quiere que le preguntemos?"),
        ("sv", "Vill du slippa frågor?"),
        ("de-AT", "Möchten Sie nicht mehr gefragt werden?"),
        ("fr", "Vous ne souhaitez plus être interrogé"),
        ("pt-BR", "Não quer que lhe perguntemos?"),
    ],
)
async def test_the_page_speaks_the_language_of_the_mail(
    room: MailRoom, browser: httpx.AsyncClient, locale: str, title: str
) -> None:
    answer = await browser.get(await stop_link(room, locale=locale), headers={"accept-language": "nl, it"})
    assert answer.status_code == 200
    assert f'lang="{locale[:2]}"' in answer.text
    assert title in answer.text
    assert "Northwind" in answer.text


async def test_a_press_of_the_button_without_a_choice_changes_nothing(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    answer = await browser.post(await stop_link(room), data={})
    assert answer.status_code == 422
    assert await unsubscribed(room) == []


async def test_surveys_of_one_programme_can_be_stopped_alone(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    answer = await browser.post(await stop_link(room), data={"scope": "programme"})
    assert answer.status_code == 200
    [event] = await unsubscribed(room)
    assert (event.scope, event.programme, event.via) == (
        UnsubscribeScope.PROGRAMME,
        "relationship-nps",
        "page",
    )
    await room.ask("same", snapshot=snapshot("anna"))
    await room.ask("other", snapshot=snapshot("anna", programme="onboarding"))
    await room.work()
    assert await room.state("same") == ("suppressed", Reason.OPTED_OUT)
    assert await room.state("other") == ("handed_over", None)


@pytest.mark.parametrize("token", ["x", "a" * 66, "%00", "../../etc"])
async def test_a_wrong_link_is_a_plain_page(room: MailRoom, browser: httpx.AsyncClient, token: str) -> None:
    for answer in (await browser.get(f"/u/{token}"), await browser.post(f"/u/{token}", data=ONE_CLICK)):
        assert answer.status_code == 404
    assert await unsubscribed(room) == []


async def test_an_answer_link_never_unsubscribes(room: MailRoom, browser: httpx.AsyncClient) -> None:
    token = room.tokens.sign("answer", contact_id("anna"), contact_id("anna").bytes)
    assert (await browser.post(f"/u/{token}", data=ONE_CLICK)).status_code == 404


async def test_the_link_works_when_the_mail_is_long_forgotten(
    room: MailRoom, browser: httpx.AsyncClient
) -> None:
    link = await stop_link(room)
    await room.run("delete from attempts")
    await room.run("delete from messages")
    assert (await browser.post(link, data=ONE_CLICK)).status_code == 200
    [event] = await unsubscribed(room)
    assert event.account_id is None


async def test_an_erased_person_leaves_no_address_and_is_not_written_to_again(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    await room.tell(ContactErased(contact_id=str(contact_id("anna")), version=3, erased_at=NOW))
    [message] = await room.fetch("select person, slots, address_hash from messages")
    assert tuple(message) == ("", "{}", None)
    [survey] = await room.fetch("select person, slots from surveys")
    assert tuple(survey) == ("", "{}")
    await room.ask("again", person=Person(name="Anna", email="anna@customer.example"))
    await room.work()
    assert await room.state("again") == ("suppressed", Reason.ERASED)


async def test_a_survey_that_comes_after_the_erasure_leaves_nothing_of_the_person(room: MailRoom) -> None:
    await room.tell(ContactErased(contact_id=str(contact_id("anna")), version=3, erased_at=NOW))
    await room.ask("anna", person=Person(name="Anna", email="anna@customer.example"))
    [message] = await room.fetch("select person, slots from messages")
    assert tuple(message) == ("", "{}")
    [survey] = await room.fetch("select person, slots from surveys")
    assert tuple(survey) == ("", "{}")
