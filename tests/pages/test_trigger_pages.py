"""Why, programmes and settings in a real browser: nothing cut off, no barrier, by phone and by desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from services.trigger.domain.best_moment import Seen
from services.trigger.domain.hearing import Moment
from services.trigger.domain.shared_links import link_id
from services.trigger.handlers.shared_links import Asked, make
from services.trigger.store import slots
from services.trigger.worker.learning import Learning
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.roles import Role
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.browsing import PHONE, WIDER, Reader, barriers, faults
from tests.support.databases import OpenDatabase
from tests.support.serving import served
from tests.support.trigger import Site, World, begin, shadowed, shipped, site_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("trigger_pages")]
LINK = link_id("delivery-csat", "wall")
PATHS = [
    "/why",
    "/why?q=anna@kund.example",
    "/why?q=nobody",
    "/why?q=o1",
    "/why/left-out",
    "/programmes",
    "/programmes/journey",
    "/settings",
    "/programmes/delivery-csat-2",
    "/programmes/learned",
    "/programmes/moments",
    f"/programmes/links/{LINK}",
]
ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg", "zone": "Europe/Stockholm"}
ACME = {"id": "a1", "name": "Acme"}


@pytest_asyncio.fixture(loop_scope="session")
async def world(database: OpenDatabase, clock: FixedClock, sealer: Sealer, tmp_path: Path) -> World:
    """The shipped programmes, and one of them once more in shadow."""
    shadowed(shipped(tmp_path))
    return await begin(await database("trigger"), clock, sealer, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, world: World, machine: FakeMachine, tokens: Tokens
) -> AsyncIterator[Reader]:
    """Somebody asked, somebody left alone, and the same once more in shadow."""
    for who in range(9):
        one = {"id": f"h{who}", "email": f"h{who}@kund.example"}
        told: dict[str, Any] = {"contact": one, "account": {"id": f"b{who % 3}"}}
        if who < 6:
            await world.tell("contract.renewal_date_set", **told, renewal_on=date(2026, 3, 20 + who))
        if who % 3 == 0:
            for _ in range(3):
                await world.tell("support_ticket.opened", **told)
    for number in (1, 2):
        subject = {"kind": "order", "id": f"o{number}"}
        await world.tell("order.delivered", contact=ANNA, account=ACME, subject=subject)
    await world.later(hours=2)
    async with world.db.begin() as tx:
        await make(tx, "delivery-csat", LINK, Asked("On the wall", timedelta(days=30)), by="CLI")
        seen = {Moment("transactional/user", date(2026, 1, day), 5): Seen(40, 11) for day in range(5, 10)}
        seen[Moment("transactional/user", date(2026, 1, 12), 4)] = Seen(400, 20)
        seen |= {Moment("relationship/sv", date(2026, 1, 12), 4): Seen(9, 1)}
        await slots.add_news(tx.conn, seen)
    await Learning(world.db).run()
    site: Site = site_of(world, machine, tokens)
    token = await site.session(Role.ADMIN)
    async with served(site.app) as url:
        yield Reader(browser, url, token)


@pytest.mark.parametrize("path", PATHS)
async def test_pages_have_no_barrier_and_fit(visit: Reader, path: str) -> None:
    assert await faults(partial(visit.opens, path)) == {}


async def test_a_rep_finds_out_why_with_a_thumb(visit: Reader) -> None:
    page = await visit.opens("/why", size=PHONE)
    await page.get_by_label("Who or what?").fill("anna@kund.example")
    await page.get_by_role("button", name="Look up").click()
    assert await page.get_by_role("heading", name="Anna Berg").is_visible()
    first = page.get_by_role("listitem").first
    assert "because the person was asked too recently" in await first.inner_text()


async def test_an_operator_judges_a_programme_in_shadow(visit: Reader) -> None:
    page = await visit.opens("/programmes")
    await page.get_by_role("row", name="delivery-csat-2").get_by_role("link").click()
    assert await page.get_by_text("1 survey would have gone out, to 1 person of 1 account.").is_visible()
    assert await page.get_by_role("row", name="the person was asked too recently").is_visible()
    assert await page.get_by_role("row", name="Anna Berg").is_visible()


async def test_an_operator_reads_what_was_learned_and_how_sure_it_is(visit: Reader) -> None:
    page = await visit.opens("/programmes/learned", size=PHONE)
    users = page.get_by_role("region", name="Users: transactional surveys")
    swedes = page.get_by_role("region", name="People who read Swedish")
    assert await users.get_by_text("More answer then than at other times.").is_visible()
    assert await swedes.get_by_text("No programme of this kind goes by it").is_visible()


async def test_an_operator_sets_a_moment_aside_with_a_thumb_and_offers_it_again(visit: Reader) -> None:
    page = await visit.opens("/programmes/moments", size=PHONE)
    help_sought = page.get_by_role("heading", name="Help sought 3 times in 14 days")
    await page.get_by_role("button", name="Set aside: Help sought 3 times in 14 days").click()
    assert not await help_sought.is_visible()
    await page.get_by_text("Set aside (1)").click()
    await page.get_by_role("button", name="Offer again: Help sought 3 times in 14 days").click()
    assert await help_sought.is_visible()


async def test_all_sending_is_paused_and_resumed(visit: Reader) -> None:
    page = await visit.opens("/programmes")
    await page.get_by_role("button", name="Pause all sending").click()
    assert await page.get_by_text("All sending is paused.").is_visible()
    await page.get_by_role("button", name="Resume all sending").click()
    assert await page.get_by_role("button", name="Pause all sending").is_visible()


async def test_an_operator_reads_what_a_programme_does(visit: Reader) -> None:
    page = await visit.opens("/programmes/delivery-csat", size=PHONE)
    does = page.get_by_role("region", name="What it does")
    for words in ("2h after order.delivered", "contact within 24h", "[if csat 2 or less]"):
        assert words.lower() in (await does.inner_text()).lower()
    assert await page.get_by_label("Language").evaluate("one => one.tagName") == "SELECT"


async def test_an_operator_sends_a_test(visit: Reader) -> None:
    page = await visit.opens("/programmes/delivery-csat", size=PHONE)
    await page.get_by_label("E-mail address").fill("me@nordlicht.example")
    await page.get_by_role("button", name="Send a test").click()
    assert await page.get_by_text("A test is on its way to me@nordlicht.example.").is_visible()
    assert await barriers(page) == []


async def test_an_operator_copies_a_programme_for_a_moment(visit: Reader) -> None:
    page = await visit.opens("/programmes", size=PHONE)
    await page.get_by_role("link", name="Moments worth a question").click()
    assert await page.get_by_role("heading", name="Help sought 3 times in 14 days").is_visible()
    await page.get_by_text("Ask about it").first.click()
    assert await page.get_by_role("link", name="Take this programme").first.is_visible()
    assert await page.get_by_text("state: shadow").first.is_visible()
    assert await page.evaluate(WIDER) <= 0, "the programme scrolls in its card"
    assert await barriers(page) == []
