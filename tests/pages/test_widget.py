"""The widget on a product's page of another origin, under a strict policy, by keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette

from demo.widget import product
from shared.contracts.deliveries import DeliveryHandedOver
from shared.contracts.directory import ContactChanged
from shared.contracts.forms import Letter
from shared.contracts.model import Channel
from shared.contracts.responses import ResponseSubmitted
from shared.runtime.ids import derive
from tests.support.browsing import barriers, chromium
from tests.support.collecting import StartCollector
from tests.support.collector import NPS, PLATFORM, Collector, contact_id, snapshot, survey_id

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("survey_pages")]
PRODUCT = "http://localhost:4173"
"""Where the product's page seems to lie: the test answers the browser in its place."""

PROMISE = "For your answer we plant a tree & care for it for five years."
SECRET = "a secret of the widget that is long enough"  # noqa: S105, RUF100 - of the test


@pytest_asyncio.fixture(loop_scope="session")
async def collector(start_collector: StartCollector) -> Collector:
    """A collector with a widget; which page may embed it is said when that page is served."""
    made = await start_collector({"widget_secrets": SECRET, "widget_origins": PRODUCT})
    await made.asked(1, NPS, letter=Letter(subject={"en": "A question"}, incentive={"en": PROMISE}))
    await made.feed(
        ContactChanged(contact_id=str(contact_id(1)), version=1, external_id="C-1"),
        DeliveryHandedOver(
            delivery_id=str(derive("delivery", 1)), version=2, survey_id=str(survey_id(1)),
            channel=Channel.IN_APP, snapshot=snapshot(1), at=made.clock.now(),
        ),
    )  # fmt: skip
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    # The product's page is answered by the test, so that the browser takes it for one of the wide world.
    nearby = "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"
    async with chromium(nearby) as started:
        yield started


async def opened(browser: Browser, shop: Starlette, *, dark: bool, bypass: bool = False) -> Page:
    """The product's page; any complaint in the browser's console fails the test."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844} if dark else {"width": 1280, "height": 900},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        bypass_csp=bypass,
    )
    page = await context.new_page()
    # A 422 is told on the console too; the widget's own words there are warnings.
    page.on("console", lambda said: pytest.fail(said.text) if said.type == "warning" else None)
    page.on("pageerror", lambda error: pytest.fail(str(error)))

    async def answer(route: Any) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(shop), base_url=PRODUCT) as client:
            found = await client.get("/")
        await route.fulfill(status=200, headers=dict(found.headers), body=found.content)

    # Script, preflight and survey come one after the other: more patience than a page of one answer needs.
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    await page.route(f"{PRODUCT}/", answer)
    await page.goto(f"{PRODUCT}/")
    return page


@pytest.mark.requirement("R52", "R55")
async def test_somebody_signed_in_answers_inside_the_product_by_keyboard_alone(
    browser: Browser, address: str, collector: Collector, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        snippet = (await client.get("/v1/widget/snippet")).json()
    snippet["src"] = snippet["src"].replace(PLATFORM.public_url, address)
    shop = product(snippet, "C-1", SECRET, collector.machine)
    page = await opened(browser, shop, dark=False)
    panel = page.get_by_role("dialog", name="Working with us")
    await expect(panel).to_be_visible()
    await expect(panel.get_by_text(PROMISE)).to_be_visible()
    await page.screenshot(path=tmp_path / "desk.png")
    dark = await opened(browser, shop, dark=True, bypass=True)
    await expect(dark.get_by_role("dialog")).to_be_visible()
    await dark.screenshot(path=tmp_path / "phone-dark.png")
    assert await barriers(dark) == []
    product_button = page.get_by_role("button", name="Plan a route")
    await product_button.focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    for _ in range(9):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Your drivers")
    await page.get_by_role("button", name="Send answer").press("Enter")
    await expect(page.get_by_text("Please answer this question.")).to_be_visible()
    await expect(page.get_by_role("radio", name="Speed")).to_be_focused()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Send answer").press("Enter")
    await expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
    await expect(page.get_by_text(PROMISE)).to_be_visible()
    await page.screenshot(path=tmp_path / "thanks.png")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    collector.wait(60)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert (event.primary_score.value, event.choices) == (9, {"matters": ("speed",)})
