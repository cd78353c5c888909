"""What programs and operators see: lists, books, previews; behind scopes, without personal data."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.dispatch.store import views
from services.dispatch.worker.minding import reap, weigh
from shared.contracts.directory import ContactChanged
from shared.contracts.model import Person
from shared.contracts.reasons import Reason
from shared.embedded.smtp import Fault, FaultKind
from shared.security.access import Scope
from tests.support.dispatch import NOW, MailRoom, Site, cancelled, contact_id, snapshot, survey_id


async def get(api: httpx.AsyncClient, path: str) -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_message_is_found_by_survey_contact_and_state(room: MailRoom, api: httpx.AsyncClient) -> None:
    await room.ask("anna")
    await room.ask("bert", person=Person(name="Bert\r\nBcc: eve@evil.example", email="bert@customer.example"))
    await room.work()
    for query in (f"survey={survey_id('anna')}", f"contact={contact_id('anna')}", "state=handed_over"):
        [message] = (await get(api, f"/v1/messages?{query}"))["messages"]
        assert message["survey_id"] == survey_id("anna")
        assert (message["state"], message["kind"], message["channel"]) == (
            "handed_over",
            "invitation",
            "email",
        )
        assert [a["outcome"] for a in message["attempts"]] == ["accepted"]
    [failed] = (await get(api, "/v1/messages?state=failed"))["messages"]
    assert (failed["reason"], failed["detail"]) == ("unsendable", "slots.name: a line break or NUL")
    assert (await get(api, f"/v1/messages?contact={contact_id('nobody')}"))["messages"] == []


async def test_lists_hold_no_personal_data(room: MailRoom, api: httpx.AsyncClient) -> None:
    room.faults.rules.append(
        Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 <anna@customer.example> unknown")
    )
    await room.ask("anna")
    await room.work()
    for path in ("/v1/messages", "/v1/suppressions"):
        text = (await api.get(path)).text
        assert "customer.example" not in text
        assert "Anna" not in text
    [entry] = (await get(api, "/v1/suppressions"))["suppressions"]
    assert (entry["kind"], entry["reason"], entry["contact_id"]) == (
        "address",
        "invalid_address",
        str(contact_id("anna")),
    )


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/messages", Scope.MESSAGES_READ),
        ("/v1/messages/books", Scope.MESSAGES_READ),
        ("/v1/suppressions", Scope.CONTACTS_READ),
    ],
)
async def test_each_list_needs_its_own_scope(
    site: Site, browser: httpx.AsyncClient, path: str, scope: Scope
) -> None:
    async def status(*scopes: Scope) -> int:
        headers = {"authorization": f"Bearer {await site.key(*scopes)}"}
        return (await browser.get(path, headers=headers)).status_code

    assert (await browser.get(path)).status_code == 401
    assert await status(Scope.SCORES_READ) == 403
    assert await status(scope) == 200


@pytest.mark.parametrize("path", ["/v1/messages?state=lost", "/v1/messages?survey=1", "/v1/messages?limit=0"])
async def test_a_wrong_question_is_named(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).status_code == 422


@pytest.mark.requirement("R57")
async def test_the_books_balance(room: MailRoom, api: httpx.AsyncClient) -> None:
    room.faults.rules += [
        Fault("refused@*", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 no"),
        Fault("lost@*", FaultKind.DROP_BEFORE_ACCEPT),
        Fault("full@*", FaultKind.REFUSE_RECIPIENT, "452 4.2.2 full"),
    ]
    for name in ("fine", "well", "refused", "lost", "full", "off", "stop"):
        await room.ask(name)
    await room.tell(cancelled("off"))
    await room.tell(ContactChanged(contact_id=str(contact_id("stop")), version=1, opted_out=True))
    await room.work()
    books = await get(api, "/v1/messages/books")
    assert books == {
        "requested": 7,
        "handed_over": 2,
        "failed": 1,
        "uncertain": 1,
        "suppressed": {"cancelled": 1, "opted_out": 1},
        "open": 1,
        "notes": {},
        "balanced": True,
    }


async def test_the_books_notice_a_survey_without_a_message(room: MailRoom) -> None:
    await room.ask("anna")
    await room.run("delete from messages")
    async with room.db.read() as conn:
        assert not (await views.books(conn)).balanced


async def test_everything_twice_is_once(room: MailRoom) -> None:
    """Each handler may see an event again, in another batch: state and outbox stay as they were."""
    request = await room.request("anna")
    batch = [
        request,
        cancelled("anna"),
        ContactChanged(contact_id=str(contact_id("anna")), version=1),
    ]
    await room.tell(*batch)
    await room.work()

    async def state() -> list[Any]:
        tables = ("surveys", "contacts", "messages", "attempts", "suppressions", "answers", "texts")
        return [[tuple(row) for row in await room.fetch(f"select * from {table}")] for table in tables]

    before, told = await state(), await room.told()
    for payload in batch:
        await room.tell(payload)
    await room.work()
    await reap(room.db)
    await weigh(room.db)
    assert await state() == before
    assert await room.told() == told
    assert told[0].data.reason is Reason.CANCELLED
    assert told[0].data.at == NOW
    assert snapshot("anna").key == told[0].key
