"""Send me a test: the real mail and the real page, and nothing of it counts."""

from __future__ import annotations

import pytest

from shared.security.roles import Role, Scope
from tests.support.books import balanced
from tests.support.house import House, someone
from tests.support.rooms import URL
from tests.support.townsfolk import answer, hire, visit

pytestmark = pytest.mark.e2e

WANTED = {"to": "maria@nordlicht.example", "name": "Maria", "locale": "sv", "answer_like": "detractor"}


async def test_a_test_goes_the_whole_way_and_counts_nowhere(house: House) -> None:
    rita = await hire(house, "rita", Role.REP)
    before = await balanced(house)
    _, key = await house.access.create_key("crm", {Scope.PROGRAMMES_WRITE})
    async with house.browser(authorization=f"Bearer {key}", **{"idempotency-key": "once"}) as client:
        sent = await client.post("/v1/programmes/delivery-csat/tests", json=WANTED)
        again = await client.post("/v1/programmes/delivery-csat/tests", json=WANTED)
    assert (sent.status_code, again.json()) == (202, sent.json()), sent.text
    told = sent.json()
    assert told["expected"]["score"] == 1
    assert any("ticket" in text for text in told["expected"]["follows"])
    await house.settle()

    # One real mail, to one of our own, that says what it is.
    (mail,) = house.mails("maria@nordlicht.example")
    assert mail.subject.startswith("[Test] Kom leverans")
    assert "Detta är ett test." in mail.text
    page = await visit(house, told["link"].removeprefix(URL))
    assert "Detta är ett test." in page.text

    # An unhappy answer thanks as always, and nobody hears of it.
    thanks = await answer(house, mail, 1)
    assert "Detta är ett test." in thanks.text
    after = await balanced(house)
    assert after == before
    assert house.mails(rita.email) == []

    # It used nobody's quarantine, and nobody is reminded.
    async with house.service("trigger").platform.db.read() as conn:
        assert await conn.fetchval("select count(*) from asks") == 0
    await house.later(days=40)
    assert len(house.mails()) == 1


async def test_a_test_is_answered_while_the_person_is_asked_for_real(house: House) -> None:
    person = someone("elsa", locale="sv", zone="Europe/Stockholm")
    _, key = await house.access.create_key("crm", {Scope.PROGRAMMES_WRITE})
    async with house.browser(authorization=f"Bearer {key}") as client:
        await client.post("/v1/programmes/delivery-csat/tests", json={"to": person["email"]})
    await house.settle()
    await house.tell("order.delivered", contact=person, subject={"kind": "order", "id": "1"})
    await house.later(days=3)
    assert sum(not mail.subject.startswith("[Test]") for mail in house.mails(person["email"])) == 1
    await balanced(house)


@pytest.mark.parametrize(
    ("key", "body", "status", "field"),
    [
        ("nonsense", {"to": "a@b.example"}, 409, "key"),
        ("delivery-csat", {"to": "not an address"}, 422, "to"),
        ("delivery-csat", {"to": "a@b.example", "answer_like": "robot"}, 422, "answer_like"),
        ("delivery-csat", {"to": "a@b.example", "surprise": 1}, 422, "surprise"),
        ("delivery-csat", {}, 422, "to"),
    ],
)
async def test_what_cannot_be_tried_is_said(
    house: House, key: str, body: dict[str, object], status: int, field: str
) -> None:
    _, secret = await house.access.create_key("crm", {Scope.PROGRAMMES_WRITE})
    async with house.browser(authorization=f"Bearer {secret}") as client:
        said = await client.post(f"/v1/programmes/{key}/tests", json=body)
    assert said.status_code == status
    assert field in said.text
