"""Machines with a real browser: they load pages whole, run scripts and press buttons, and never count."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from shared.contracts.responses import ResponseHeld, ResponseReleased, ResponseSubmitted
from tests.support.browsing import chromium
from tests.support.collector import Collector

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("survey_pages")]
COMMON = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven() -> AsyncIterator[Browser]:
    """It says that a program drives it."""
    async with chromium() as browser:
        yield browser


async def asked(collector: Collector, number: int = 1) -> str:
    """A survey whose mail left ten minutes ago, so that the time gives nobody away."""
    path = await collector.asked(number)
    await collector.handed_over(number, ago=600)
    return path


async def held(collector: Collector) -> ResponseHeld:
    collector.wait(60)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseHeld), event
    return event


async def visitor(browser: Browser, agent: str | None = COMMON) -> BrowserContext:
    return await browser.new_context(user_agent=agent)


@pytest.mark.parametrize("agent", [None, COMMON], ids=["under its own name", "under a common one"])
async def test_a_driven_browser_that_clicks_the_button_is_held(
    collector: Collector, address: str, driven: Browser, agent: str | None
) -> None:
    path = await asked(collector)
    page = await (await visitor(driven, agent)).new_page()
    await page.goto(f"{address}{path}?score=1")
    collector.wait(6)
    await page.get_by_role("button", name="Send answer").click()
    await page.get_by_text("Thank you").first.wait_for()
    assert "driven" in (await held(collector)).evidence


@pytest.mark.parametrize(
    "press",
    [
        pytest.param("document.querySelector('form button').click()", id="click from a script"),
        pytest.param("document.querySelector('form').submit()", id="submit from a script"),
        pytest.param("document.querySelector('form').requestSubmit()", id="requestSubmit from a script"),
    ],
)
async def test_a_page_that_a_script_sends_off_is_held_though_the_browser_hides_it(
    collector: Collector, address: str, browser: Browser, press: str
) -> None:
    path = await asked(collector)
    page = await (await visitor(browser)).new_page()
    await page.goto(f"{address}{path}?score=1")
    collector.wait(6)
    async with page.expect_navigation():
        await page.evaluate(press)
    assert (await held(collector)).evidence == ("driven",)


async def test_a_browser_that_clicks_everything_on_every_page_is_held(
    collector: Collector, address: str, browser: Browser
) -> None:
    """As OctopusDeploy/docs#3393 tells it: real clicks, a hidden driver, all links of the mail."""
    path = await asked(collector)
    context = await visitor(browser)
    for score in range(1, 8):
        page = await context.new_page()
        await page.goto(f"{address}{path}?score={score}")
        collector.wait(0.3)
    trap = await context.new_page()
    await trap.goto(f"{address}{path}/trap")
    for page in context.pages[:7]:
        collector.wait(1)
        button = page.get_by_role("button", name="Send answer")
        if await button.count():
            await button.click()
    event = await held(collector)
    assert {"all_scores_opened", "trap_opened"} <= set(event.evidence)


async def test_a_browser_that_only_looks_answers_nothing(
    collector: Collector, address: str, driven: Browser
) -> None:
    path = await asked(collector)
    page = await (await visitor(driven)).new_page()
    for link in (*(f"?score={score}" for score in range(1, 8)), "", "/trap", "?edit=1"):
        await page.goto(f"{address}{path}{link}")
    collector.wait(3600)
    assert await collector.settle() == []
    async with collector.db.read() as conn:
        assert await conn.fetchval("select count(*) from answers") == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_person_after_the_pressing_browser_counts(
    collector: Collector, address: str, driven: Browser, browser: Browser, *, scripts: bool
) -> None:
    path = await asked(collector)
    machine = await (await visitor(driven)).new_page()
    await machine.goto(f"{address}{path}?score=2")
    collector.wait(3)
    await machine.get_by_role("button", name="Send answer").click()
    await held(collector)
    collector.wait(600)
    person = await (await browser.new_context(user_agent=COMMON, java_script_enabled=scripts)).new_page()
    await person.goto(f"{address}{path}?score=2")
    collector.wait(12)
    await person.get_by_role("button", name="Send answer").press("Enter")
    await person.get_by_role("heading", name="Thank you, Mia").wait_for()
    collector.wait(30)
    (released,) = await collector.settle()
    assert isinstance(released, ResponseReleased)
    assert released.primary_score.value == 2


async def test_a_hand_is_seen_however_it_presses(
    collector: Collector, address: str, browser: Browser
) -> None:
    for number, way in enumerate(("mouse", "finger", "key", "label"), start=1):
        path = await asked(collector, number)
        context = await browser.new_context(user_agent=COMMON, has_touch=True)
        page = await context.new_page()
        await page.goto(f"{address}{path}?score=6")
        collector.wait(12)
        button = page.get_by_role("button", name="Send answer")
        match way:
            case "mouse":
                await button.click()
            case "finger":
                await button.tap()
            case "key":
                await button.press("Space")
            case _:
                await page.locator(".first label", has=page.locator("[value='7']")).click()
                await button.press("Enter")
        await page.get_by_role("heading", name="Thank you, Mia").wait_for()
    async with collector.db.read() as conn:
        agents = await conn.fetch("select agent from answers")
    assert {row["agent"] for row in agents} == {"touched"}
    collector.wait(60)
    assert {type(event) for event in await collector.settle()} == {ResponseSubmitted}
