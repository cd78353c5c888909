"""A link without an invitation through all five services: made, answered, found, cared for, withdrawn."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from shared.security.roles import Role, Scope
from tests.support.books import balanced
from tests.support.house import House, someone
from tests.support.rooms import URL
from tests.support.townsfolk import hire, send, visit

pytestmark = [pytest.mark.e2e, pytest.mark.requirement("R52")]

LINKS = "/v1/programmes/delivery-csat/links"


async def test_answers_by_a_shared_link_count_and_who_says_who_they_are_is_cared_for(house: House) -> None:
    rita = await hire(house, "rita", Role.REP)
    company = {"id": "acme", "name": "Acme Robotics", "tier": "key", "owner": rita.email}
    await house.tell("contact.updated", contact=someone("elsa"), account=company)
    await house.settle()
    _, key = await house.access.create_key("crm", {Scope.PROGRAMMES_WRITE, Scope.PROGRAMMES_READ})
    programs = house.browser(authorization=f"Bearer {key}", **{"idempotency-key": "march"})
    made = await programs.post(LINKS, json={"label": "newsletter", "days": 30})
    assert made.status_code == 201, made.text
    assert (await programs.post(LINKS, json={"label": "newsletter", "days": 30})).json() == made.json()
    await house.settle()
    link = made.json()["url"].removeprefix(URL)

    nobody = await _answer(house, link, "198.51.100.1", 1)
    assert "within 24 hours" not in nobody.text
    found = await _answer(house, link, "198.51.100.2", 1, someone("elsa")["email"])
    assert "within 24 hours" in found.text
    await _answer(house, link, "198.51.100.3", 2, "new@beta.example")
    await house.later(minutes=5)

    books = await balanced(house)
    assert books.collector.responses == {"counted": 3}
    assert (books.scoring.answered, books.scoring.handed_over, books.alerts.unhappy) == (3, 0, 2)
    # The company's owner hears of Elsa; whoever nobody had heard of is in the directory now.
    assert any("Acme Robotics" in mail.subject + mail.text for mail in house.mails(rita.email))
    async with house.service("trigger").platform.db.read() as conn:
        people = await conn.fetchval("select count(*) from contacts where email_hash <> ''")
    assert people == 2

    await _take_back(house, made.json()["id"])
    gone = await programs.delete(f"{LINKS}/{made.json()['id']}", params={"reason": "misused"})
    assert gone.json()["withdrawn_at"]
    assert gone.json()["reason"] == "wrong_place", "who was faster wins"
    await house.settle()
    led = await visit(house, link, address="198.51.100.4")
    assert (await visit(house, led.headers["location"], address="198.51.100.4")).status_code == 410
    listed = (await programs.get(LINKS)).json()
    assert [one["label"] for one in listed] == ["newsletter"]
    assert (await programs.delete(f"{LINKS}/{made.json()['id']}")).json() == gone.json()


async def _take_back(house: House, link: str) -> None:
    """A manager finds the link, reads what taking it back does, and does it."""
    mia = await hire(house, "mia", Role.MANAGER)
    page = f"/programmes/links/{link}"
    listed = " ".join((await mia.see("/answers/links")).text.split())
    assert f'href="{page}"' in listed
    assert 'data-label="Answers"><div>3</div>' in listed
    assert (await mia.see("/programmes/links/00000000-0000-0000-0000-000000000000")).status_code == 404
    assert (await mia.press(page, "withdraw", reason="because")).status_code == 422
    assert (await mia.press(page, "withdraw", reason="wrong_place")).status_code == 303
    listed = " ".join((await mia.see("/answers/links?done=withdrawn")).text.split())
    assert "stood where it should not, by Mia" in listed
    assert "was taken back" in (await mia.see(page)).text
    async with house.service("trigger").platform.db.read() as conn:
        lines = await conn.fetch(
            "select actor, action from access.audit where subject = $1 order by id", f"link:{link}"
        )
    assert [line["action"] for line in lines] == ["link.made", "link.withdrawn"]
    assert all(line["actor"].partition(":")[0] in {"key", "user"} for line in lines)


async def _answer(house: House, link: str, address: str, score: int, who: str = "") -> httpx.Response:
    led = await visit(house, link, address=address)
    path = led.headers["location"]
    page = await visit(house, path, address=address)
    house.clock.advance(timedelta(seconds=40))
    sent = await send(
        house, page, path, address=address, **{"q.csat": str(score), "q.why": "late", "who": who}
    )
    assert sent.status_code == 303, sent.text
    await house.settle()
    return await visit(house, sent.headers["location"], address=address)


WRONG = (
    ("/v1/programmes/nonsense/links", {"label": "x"}, 409),
    (LINKS, {"label": "x", "account": "nobody"}, 409),
    (LINKS, {"label": " "}, 422),
    (LINKS, {"label": "x", "days": 367}, 422),
    (LINKS, {"label": "x", "surprise": 1}, 422),
)


async def test_a_link_that_cannot_be_made_says_why(house: House) -> None:
    _, key = await house.access.create_key("crm", {Scope.PROGRAMMES_WRITE})
    async with house.browser(authorization=f"Bearer {key}") as client:
        for path, body, status in WRONG:
            assert (await client.post(path, json=body)).status_code == status, body
        missing = await client.delete(f"{LINKS}/00000000-0000-0000-0000-000000000000")
    assert missing.status_code == 404
