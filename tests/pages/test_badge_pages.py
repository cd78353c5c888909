"""A published score as a browser shows it on somebody's page, and the pages of those who publish it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi.responses import HTMLResponse
from playwright.async_api import Browser

from services.scoring.domain.badges import Badge
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from tests.support.badges import LABEL, Shopfront, said
from tests.support.browsing import DESK, PHONE, SIZES, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.score_pages import access_to, application, signed_in
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("score_pages")]

WORDS = "They answer within the hour, and they know our warehouse by heart."


@dataclass(frozen=True)
class Shop:
    """Scoring, served: a badge with one quote, and sessions of a manager and a viewer."""

    front: Shopfront
    badge: Badge
    url: str
    manager: str
    viewer: str


@pytest_asyncio.fixture(loop_scope="session")
async def shop(database: OpenDatabase, clock: FixedClock) -> AsyncIterator[Shop]:
    db = await database("scoring")
    front = Shopfront(db, clock)
    await front.opens()
    await front.crowd()
    await front.hears(WORDS, said(1, permissions=("quote",)))
    await front.hears("Nobody may read this.", said(2))
    await front.reads()
    badge = await front.publishes()
    assert await front.chooses(badge, 1)
    access = access_to(db, clock)
    manager, viewer = await signed_in(access, Role.MANAGER), await signed_in(access)
    async with served(application(db, clock, access)) as url:
        yield Shop(front, badge, url, manager, viewer)


@pytest.mark.requirement("R84")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_badge_has_no_barrier_and_nothing_is_cut_off(
    browser: Browser, shop: Shop, tmp_path: Path, *, dark: bool, size: tuple[int, int], language: str
) -> None:
    path = f"/badges/{shop.badge.key}?lang={language}"
    page = await Reader(browser, shop.url, "").opens(path, size=size, dark=dark)
    await page.screenshot(path=tmp_path / "badge.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await barriers(page) == []
    text = " ".join((await page.locator("main").inner_text()).split())
    assert LABEL in text
    assert WORDS in text
    expected = {"en": "If everybody had answered, it would most likely lie between", "de": "32 Antworten"}
    assert expected[language] in text


@pytest.mark.requirement("R84")
async def test_a_badge_stands_in_a_frame_of_a_foreign_page_with_its_style_and_as_a_picture(
    browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    context = await browser.new_context(java_script_enabled=True, viewport={"width": 700, "height": 700})
    page = await context.new_page()
    address = f"{shop.url}/badges/{shop.badge.key}"
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text))
    theirs = HTMLResponse(
        f'<iframe src="{address}" title="Score" width="544" height="400"></iframe>'
        f'<img src="{address}.svg" alt="Score" width="360">'
    )
    async with served(theirs) as foreign:
        await page.goto(foreign)
        frame = page.frame_locator("iframe")
        assert "+" in await frame.locator(".number b").inner_text()
        radius = await frame.locator("main").evaluate("one => getComputedStyle(one).borderTopLeftRadius")
        assert radius == "14px", "the policy of the answer lets its own style in"
        picture = page.locator("img")
        await picture.evaluate("one => one.decode()")
        assert await picture.evaluate("one => one.naturalWidth") == 360
        await page.screenshot(path=tmp_path / "framed.png")
    assert complaints == []


@pytest.mark.requirement("R84")
async def test_the_picture_says_in_words_what_it_shows(browser: Browser, shop: Shop, tmp_path: Path) -> None:
    reader = Reader(browser, shop.url, "")
    page = await reader.opens(f"/badges/{shop.badge.key}.svg?lang=sv", dark=True)
    await page.screenshot(path=tmp_path / "picture.png")
    said_by = await page.evaluate("document.querySelector('desc').textContent")
    assert "Om alla hade svarat" in said_by
    assert "32 svar" in said_by
    widest = await page.evaluate(
        "Math.max(...[...document.querySelectorAll('text')].map(one => one.getBBox().width)) + 20"
    )
    assert widest <= 350


@pytest.mark.requirement("R84")
async def test_a_manager_publishes_a_score_with_words_and_takes_it_back_without_scripts(
    browser: Browser, shop: Shop
) -> None:
    reader = Reader(browser, shop.url, shop.manager)
    page = await reader.opens("/scores", size=PHONE, scripts=False)
    await page.get_by_role("link", name="Published", exact=True).click()
    await page.get_by_label("What stands above it").fill("Northwind & friends")
    await page.get_by_label("Score", exact=True).select_option(
        label="Half-yearly pulse: Would recommend us (NPS) (32 answers)"
    )
    await page.get_by_label("Answers needed").fill("20")
    await page.get_by_role("button", name="Publish").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "Northwind & friends"
    assert "Nobody may read this." not in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Publish").click()
    assert await page.get_by_text("These words are published now.").is_visible()
    address = await page.get_by_role("link", name="Open it as others see it").get_attribute("href")
    seen = await reader.opens(str(address), scripts=False)
    assert WORDS in await seen.locator("main").inner_text()
    await page.get_by_role("button", name="They took their consent back").click()
    await seen.reload()
    assert WORDS not in await seen.locator("main").inner_text()
    await page.get_by_text("Take it back").first.click()
    await page.get_by_label("Why?").select_option("objection")
    await page.get_by_role("button", name="Take it back").click()
    assert "somebody objected" in await page.locator("main").inner_text()
    await seen.reload()
    assert "no longer published" in await seen.locator("main").inner_text()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_pages_of_those_who_publish_have_no_barrier(
    browser: Browser, shop: Shop, tmp_path: Path, *, size: tuple[int, int], dark: bool
) -> None:
    reader = Reader(browser, shop.url, shop.manager)
    for name, path in (("list", "/scores/badges"), ("one", f"/scores/badges/{shop.badge.id}")):
        page = await reader.opens(path, size=size, dark=dark)
        await page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await barriers(page) == []


async def test_who_may_not_publish_is_told_so(browser: Browser, shop: Shop) -> None:
    reader = Reader(browser, shop.url, shop.viewer)
    await reader.opens("/scores/badges", status=403)
    page = await reader.opens("/scores")
    assert await page.get_by_role("link", name="Published", exact=True).count() == 0
