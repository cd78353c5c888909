"""A rep asks by hand: told beforehand what would come of it, once however often the button is pressed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.trigger.handlers.people import find_contact
from shared.contracts.envelope import Event
from shared.contracts.surveys import SurveyRequested
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine
from shared.security.roles import Role, Scope
from shared.security.tokens import Tokens
from tests.support.trigger import Site, World, site_of

ACME = {"id": "a1", "name": "Acme"}
ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg", "zone": "Europe/Stockholm"}
DEAL = """
key: deal-feedback
title: {en: Deal}
family: transactional
when: {on: manual, per: contact, fresh_for: 7d}
audience: {persona: [decision_maker]}
send: {window: anytime}
letter: {subject: {en: "Your purchase"}, intro: {en: Hello}, reminder: {en: Again}}
quarantine: {contact: 14d}
primary: csat
questions:
  - {id: csat, type: csat, text: {en: "How satisfied?"}, low_label: {en: Bad}, high_label: {en: Good}}
  - {id: why, type: text, optional: true, text: {en: "Why?"}}
"""
pytestmark = pytest.mark.requirement("R29", "R36")


@pytest.fixture
async def site(world: World, machine: FakeMachine, tokens: Tokens, programmes: Path) -> Site:
    spoken = re.sub(r"{en: ([^{}]+)}", r"{en: \1, es: \1, sv: \1}", DEAL)
    (programmes / "deal.yaml").write_text(spoken)
    await world.publisher.run()
    boss = {**ANNA, "persona": "decision_maker"}
    await world.tell("contact.updated", contact=boss, account=ACME)
    return site_of(world, machine, tokens)


async def id_of(world: World, ref: str = "c1") -> str:
    async with world.db.read() as conn:
        return str(await find_contact(conn, world.sealer, ref))


async def taken_in(world: World) -> None:
    """What the routes announced happens, and what is due is decided."""
    for told in await world.said(Touchpoint):
        event = Event("asked", "/afterword/trigger", "ask.requested", world.clock.now(), "", "k", told)
        await world.handle([event])
    await world.due()


async def test_the_page_says_what_would_happen_and_asks_once(site: Site) -> None:
    world = site.world
    who = await id_of(world)
    async with await site.signed_in(Role.REP) as client:
        assert "Ask now" in (await client.get(f"/directory/contacts/{who}")).text
        page = (await client.get(f"/directory/contacts/{who}/ask?programme=deal-feedback")).text
        assert "It would be sent now" in page
        (reference,) = re.findall(r'name="reference" value="([^"]+)"', page)
        form = {"programme": "deal-feedback", "reference": reference}
        for _ in range(2):
            done = await client.post(f"/directory/contacts/{who}/ask", data=form)
            assert done.status_code == 303
    async with world.db.read() as conn:
        told = "select count(*) from outbox where topic = 'afterword.touchpoints'"
        assert await conn.fetchval(told) == 1
    await taken_in(world)
    (survey,) = await world.said(SurveyRequested)
    assert survey.snapshot.programme == "deal-feedback"


async def test_why_not_is_said_before(site: Site) -> None:
    world = site.world
    order = {"kind": "order", "id": "o1"}
    await world.tell("order.delivered", contact=ANNA, account=ACME, subject=order)
    await world.later(hours=2)
    user = {"id": "c2", "email": "bo@kund.example", "persona": "user"}
    await world.tell("contact.updated", contact=user, account=ACME)
    async with await site.with_key(Scope.TOUCHPOINTS_WRITE, Scope.CONTACTS_WRITE) as client:

        async def foreseen(ref: str) -> tuple[str, str]:
            path = "/v1/programmes/deal-feedback/asks/preview"
            told = (await client.get(path, params={"contact": ref})).json()
            assert told["sentence"].startswith("It would")
            return told["outcome"], told["reason"] or ""

        assert await foreseen("c1") == ("suppressed", "quarantined")
        assert await foreseen("c2") == ("not_matched", "not_in_audience")
        await client.post("/v1/contacts/c1/consent", json={"given": False})
        assert await foreseen("c1") == ("suppressed", "opted_out")
        path = "/v1/programmes/{}/asks/preview"
        assert (await client.get(path.format("delivery-csat"), params={"contact": "c1"})).status_code == 404
        assert (await client.get(path.format("deal-feedback"), params={"contact": "x"})).status_code == 404
        assert (await client.get(path.format("deal-feedback"))).status_code == 422
    async with world.db.read() as conn:
        assert await conn.fetchval("select count(*) from plans where programme = 'deal-feedback'") == 0


async def test_a_brake_and_a_hold_are_foreseen(site: Site) -> None:
    world = site.world
    who = await id_of(world)
    async with await site.signed_in(Role.MANAGER) as client:
        await client.post("/programmes/pause", data={"scope": "all"})
        page = (await client.get(f"/directory/contacts/{who}/ask?programme=deal-feedback")).text
        assert "because an operator paused it" in page
        assert "Ask all the same" in page


@pytest.mark.parametrize(
    ("programme", "status"),
    [("delivery-csat", 404), ("nothing", 404), ("", 404), ("deal-feedback", 200)],
)
async def test_only_programmes_by_hand_are_asked_by_hand(site: Site, programme: str, status: int) -> None:
    who = await id_of(site.world)
    async with await site.signed_in(Role.REP) as client:
        path = f"/directory/contacts/{who}/ask"
        assert (await client.get(path, params={"programme": programme})).status_code == status
        done = await client.post(path, data={"programme": programme, "reference": "r"})
        assert done.status_code == (303 if status == 200 else 404)
        assert (await client.post(path, data={"programme": programme})).status_code == 422
    async with await site.signed_in(Role.VIEWER) as client:
        assert (await client.get(path)).status_code == 403
