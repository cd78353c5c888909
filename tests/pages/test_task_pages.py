"""Tasks in a real browser: on a phone without JavaScript, and without barriers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import Site, content, site
from tests.support.browsing import DESK, PHONE, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("alert_pages")]


@dataclass
class Visit:
    """Rita before the served pages of a site."""

    reader: Reader
    site: Site

    async def opens(self, path: str, *, size: tuple[int, int] = PHONE, scripts: bool = True) -> Page:
        """A page as she sees it."""
        return await self.reader.opens(path, size=size, scripts=scripts)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, database: OpenDatabase, sealer: Sealer, clock: FixedClock
) -> AsyncIterator[Visit]:
    """The pages of a site with a promoter and a passive."""
    on = site(await database("alerts"), sealer, clock)
    await content(on)
    async with served(on.app()) as url:
        yield Visit(Reader(browser, url, on.tokens["rita"]), on)


@pytest.mark.requirement("R74", "R75")
async def test_from_the_inbox_to_a_referral_on_a_phone_without_scripts(visit: Visit) -> None:
    page = await visit.opens("/inbox", scripts=False)
    await page.get_by_role("link", name="Tasks", exact=True).click()
    await page.get_by_text("Ask whom they would recommend us to").click()
    await page.get_by_label("Who is it?").fill("Nordlys AS")
    await page.get_by_role("button", name="Write it down").click()
    await page.get_by_role("button", name="They bought").click()
    await page.get_by_label("What came of it?").fill("Two names.")
    await page.get_by_role("button", name="Done").click()
    assert await page.get_by_text("Done. Well done.").is_visible()
    await page.locator(".crumb a").click()
    await page.get_by_role("link", name="Referrals").click()
    assert await page.get_by_text("100% of 1").first.is_visible()


@pytest.mark.parametrize("size", [PHONE, DESK])
async def test_no_page_of_tasks_has_barriers_or_runs_out_of_the_window(
    visit: Visit, size: tuple[int, int]
) -> None:
    async with visit.site.db.read() as conn:
        ids = {row["kind"]: row["id"] for row in await conn.fetch("select kind, id from tasks")}
    paths = (
        "/tasks?view=team",
        "/tasks?view=left-out",
        f"/tasks/{ids['referral']}",
        f"/tasks/{ids['testimonial']}",
    )
    for path in paths:
        page = await visit.opens(path, size=size)
        assert await barriers(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
