"""Improvement actions in a real browser: from a case to the road map on a phone, and without barriers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.conftest import OpenDatabase
from tests.pages.test_task_pages import Visit
from tests.support.alert_site import content, site
from tests.support.browsing import DESK, PHONE, barriers, chromium
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("alert_pages")]


@pytest.fixture
async def visit(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> AsyncIterator[Visit]:
    """The pages of a site with one case."""
    on = site(await database("alerts"), sealer, clock)
    await content(on)
    async with served(on.app()) as url, chromium() as browser:
        yield Visit(browser, url, on)


@pytest.mark.requirement("R76", "R81")
async def test_from_a_case_to_a_shipped_improvement_on_a_phone_without_scripts(visit: Visit) -> None:
    page = await visit.opens(f"/tickets/{await visit.site.case_of('bo')}", scripts=False)
    await page.get_by_role("link", name="Propose an improvement").click()
    await page.get_by_label("What is to be improved?").fill("Export never runs empty")
    await page.get_by_label("Impact").select_option("5")
    await page.get_by_label("Effort").select_option("2")
    await page.get_by_role("button", name="Put it on the road map").click()
    await page.get_by_role("button", name="Plan it").click()
    url = page.url.split("?")[0].removeprefix(visit.url)
    for size, name in ((PHONE, "phone"), (DESK, "desk")):
        for path in ("/improvements", url):
            shown = await visit.opens(path, size=size)
            assert await barriers(shown) == []
            assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, name)
    await page.get_by_role("button", name="We have begun").click()
    await page.get_by_label("What we have changed, in English").fill("Exports wait until all rows are there.")
    await page.get_by_role("button", name="Shipped: tell them").click()
    assert await page.get_by_text("Shipped. Well done.").is_visible()
    assert await page.get_by_text("Told what we changed: 1").is_visible()
    assert await page.get_by_text("Nothing can be said yet", exact=True).is_visible()
