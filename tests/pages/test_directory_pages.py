"""The directory in a real browser: nothing cut off, no barrier, by phone and by desk; asking with a thumb."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from services.trigger.domain.reports import Gap, Missed, Named, Report
from services.trigger.handlers.intake import Intake
from services.trigger.handlers.people import find_account, find_contact
from services.trigger.store import missed
from shared.contracts.deliveries import ContactUnsubscribed, UnsubscribeScope
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.roles import Role
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.browsing import DESK, PHONE, Reader, faults
from tests.support.databases import OpenDatabase
from tests.support.serving import served
from tests.support.trigger import World, begin, shipped, site_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("trigger_pages")]
ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg", "zone": "Europe/Stockholm"}
TWIN = {"id": "crm-2", "email": "anna.berg@a-rather-long-name.kund.example", "name": "A. Berg"}
ACME = {"id": "a1", "name": "Acme", "tier": "key", "owner": "maria@nordlicht.example"}
PAGES = ["overview", "contact", "account", "ask"]


@dataclass
class Visit:
    """An admin before the served pages, and where they are."""

    reader: Reader
    paths: dict[str, str]

    async def opens(self, name: str, size: tuple[int, int] = DESK, *, dark: bool = False) -> Page:
        """A page as an admin sees it."""
        return await self.reader.opens(self.paths[name], size=size, dark=dark)


async def lived_in(world: World, machine: FakeMachine) -> dict[str, str]:
    """Somebody asked, somebody suspected, something missed, something that waits."""
    for number, person in enumerate((ANNA, TWIN, {**TWIN, "email": ANNA["email"]})):
        order = {"kind": "order", "id": f"o{number}"}
        told = {**person, "consent": True, "persona": "decision_maker"}
        await world.tell("order.delivered", contact=told, account=ACME, subject=order)
    await world.later(hours=2)
    async with world.db.read() as conn:
        who = await find_contact(conn, world.sealer, "c1")
        firm = await find_account(conn, "a1")
    stop = ContactUnsubscribed(
        contact_id=str(who), scope=UnsubscribeScope.PROGRAMME, programme="support-csat", at=world.clock.now()
    )
    await world.hear(stop)
    async with world.db.begin() as tx:
        told_missed = Missed("/sources/crm", "Contact", "0035f00002JUZPDAA5", "update", tx.now)
        await missed.note(tx.conn, [told_missed], tx.now)
        thin = Touchpoint(occurred_at=tx.now, contact=TouchpointContact(id="zendesk:4711"))
        gap = Gap("zendesk", Named.CONTACT, "zendesk:4711")
        report = Report("z", "z", "/webhooks/zendesk", "z", "support_ticket.resolved", thin, gap)
        await Intake(world.sealer, machine).take(tx, "/webhooks/zendesk", [report])
    contact = f"/directory/contacts/{who}"
    return {
        "overview": "/directory",
        "contact": contact,
        "account": f"/directory/accounts/{firm}",
        "ask": f"{contact}/ask?programme=deal-shared",
    }


@pytest_asyncio.fixture(loop_scope="session")
async def world(database: OpenDatabase, clock: FixedClock, sealer: Sealer, tmp_path: Path) -> World:
    """The shipped programmes and one that is asked by hand."""
    (shipped(tmp_path) / "deal.yaml").write_text(DEAL)
    return await begin(await database("trigger"), clock, sealer, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, world: World, machine: FakeMachine, tokens: Tokens) -> AsyncIterator[Visit]:
    paths = await lived_in(world, machine)
    site = site_of(world, machine, tokens)
    token = await site.session(Role.ADMIN)
    async with served(site.app) as url:
        yield Visit(Reader(browser, url, token), paths)


DEAL = """
key: deal-shared
title: {en: After the deal, es: Tras el acuerdo, sv: Efter affären}
family: transactional
when: {on: manual, per: contact, fresh_for: 7d}
send: {window: anytime}
letter:
  subject: {en: "Your purchase", es: "Su compra", sv: "Ditt köp"}
  intro: {en: Hello, es: Hola, sv: Hej}
  reminder: {en: Again, es: Otra vez, sv: Igen}
quarantine: {contact: 1d}
primary: csat
questions:
  - id: csat
    type: csat
    text: {en: "How satisfied?", es: "¿Satisfecho?", sv: "Nöjd?"}
    low_label: {en: Bad, es: Mal, sv: Dåligt}
    high_label: {en: Good, es: Bien, sv: Bra}
  - {id: why, type: text, optional: true, text: {en: "Why?", es: "¿Por qué?", sv: "Varför?"}}
"""


@pytest.mark.parametrize("name", PAGES)
async def test_pages_have_no_barrier_and_fit(visit: Visit, name: str) -> None:
    assert await faults(partial(visit.opens, name)) == {}


async def test_a_rep_sees_why_not_before_asking(visit: Visit) -> None:
    page = await visit.opens("contact", PHONE)
    await page.get_by_label("Programme").select_option("deal-shared")
    await page.get_by_role("button", name="See what would happen").click()
    assert "It would wait until" in await page.get_by_role("status").inner_text()
    await page.get_by_role("button", name="Ask all the same").click()
    assert await page.get_by_role("heading", name="Anna Berg").is_visible()


async def test_an_operator_merges_two_entries(visit: Visit) -> None:
    page = await visit.opens("overview")
    await page.get_by_role("button", name="Merge, keep this one").first.click()
    assert await page.get_by_text("Known under another id before").is_visible()
