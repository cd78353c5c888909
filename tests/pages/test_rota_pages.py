"""The rota's page in a real browser: a swap by two taps, gaps that are seen, nothing cut off on a phone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from services.alerts.domain.teams import read_roster
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import Site, site
from tests.support.browsing import DESK, PHONE, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("alert_pages")]
FILE = """
teams:
  nordic:
    name: Nordic care
    zone: Europe/Stockholm
    manager: mia@afterword.test
    working_hours: {holidays: SE}
    rota:
      - name: weeks
        people: [ola@afterword.test, rita@afterword.test, mia@afterword.test]
        first: 2026-03-02
        hours: {days: [mon, tue, wed, thu, fri, sat]}
  product:
    name: Product
    rota:
      - {people: [ola@afterword.test], first: 2026-03-02}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    roster = read_roster(FILE).value
    assert roster is not None
    made.desk = replace(made.desk, roster=roster)
    await made.sign_in_everybody()
    return made


async def opens(
    browser: Browser, url: str, on: Site, who: str, size: tuple[int, int], *, dark: bool = False
) -> Page:
    return await Reader(browser, url, on.tokens[who]).opens("/rota", size=size, dark=dark)


@pytest.mark.requirement("R72")
async def test_a_swap_takes_two_taps_and_one_to_agree(on: Site, browser: Browser) -> None:
    async with served(on.app()) as url:
        mine = await opens(browser, url, on, "rita", PHONE)
        await mine.locator("summary", has_text="Swap").first.click()
        await mine.get_by_role("button", name="Mia Sol").first.click()
        assert "Rita Ek gives" in await mine.get_by_role("region", name="Swaps").inner_text()
        theirs = await opens(browser, url, on, "mia", PHONE)
        await theirs.get_by_role("button", name="Agree").click()
        assert "AGREED" in (await theirs.get_by_role("region", name="Swaps").inner_text()).upper()


async def test_the_page_of_a_team_has_no_barrier_and_nothing_is_cut_off(on: Site, browser: Browser) -> None:
    async with served(on.app()) as url:
        for size in (PHONE, DESK):
            page = await opens(browser, url, on, "rita", size, dark=size is DESK)
            await page.locator("summary", has_text="Swap").first.click()
            await page.get_by_role("button", name="Mia Sol").first.click()
            await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await barriers(page) == []
