"""Pages of dispatch for people of ours, in a real browser: nothing cut off, no barrier, usable by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from shared.security.roles import Role
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.breaking import break_off
from tests.support.browsing import SIZES, barriers, faults
from tests.support.databases import OpenDatabase
from tests.support.dispatch import LETTER, NOW, mail_room, site_of
from tests.support.score_pages import access_to, signed_in
from tests.support.serving import served
from tests.support.subjects import LETTER as SUBJECTS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("mail_pages")]
PATH = "/messages/suppressions"


@pytest_asyncio.fixture(loop_scope="session")
async def address(database: OpenDatabase, sealer: Sealer, tokens: Tokens) -> AsyncIterator[tuple[str, str]]:
    """The served pages over a list with an entry of each kind, and a manager's session."""
    async with mail_room(await database("dispatch"), sealer, tokens) as room:
        await room.ask("anna", letter=LETTER.model_copy(update={"incentive": {"en": "We plant a tree."}}))
        await room.work()
        await room.run(
            "insert into suppressions (kind, subject, programme, reason, via, contact_id, noted_at, channel) "
            "select 'address', address_hash, '', 'bounced', 'smtp', contact_id, $1::timestamptz, 'email' "
            "from messages union all select 'contact', contact_id::text, programme, 'opted_out', "
            "'one_click', contact_id, $1::timestamptz, null from messages union all "
            "select 'address', repeat('x', 43), '', 'erased', 'erasure', null, $1::timestamptz, null",
            NOW - timedelta(days=1),
        )
        access = access_to(room.db, room.db.clock)
        site = await site_of(room, access)
        async with served(site.app) as url:
            yield url, await signed_in(access, Role.MANAGER)


@pytest.mark.requirement("R57")
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_somebody_is_put_on_the_list_looked_up_and_taken_off_by_hand(
    browser: Browser, address: tuple[str, str], size: tuple[int, int], tmp_path: Path
) -> None:
    url, token = address
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", bypass_csp=True
    )
    await context.add_cookies([{"name": "afterword", "value": token, "url": url}])
    page = await context.new_page()
    await page.goto(url + PATH)
    await page.screenshot(path=tmp_path / f"list-{size[0]}.png", full_page=True)
    assert await barriers(page) == []
    await page.get_by_label("Address", exact=True).fill("beata@customer.example")
    await page.get_by_role("button", name="Put on the list").click()
    await page.get_by_text("nothing is written to this address any more").wait_for()
    await page.get_by_label("Is this address written to?").fill("Beata@customer.example")
    await page.get_by_role("button", name="Look up").click()
    found = page.get_by_role("region", name="Beata@customer.example: is not written to")
    await found.locator("summary").click()
    await found.get_by_label("Why", exact=False).select_option("mistake")
    await page.screenshot(path=tmp_path / f"found-{size[0]}.png", full_page=True)
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await found.get_by_role("button", name="Take off the list").click()
    await page.get_by_text("Taken off. What it was stays").wait_for()
    await context.close()


@pytest.mark.requirement("R55", "R58")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_how_many_answer_is_read_on_a_phone_and_on_a_desk(
    browser: Browser, address: tuple[str, str], scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    url, token = address
    for size in SIZES.values():
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, bypass_csp=True
        )
        await context.add_cookies([{"name": "afterword", "value": token, "url": url}])
        page = await context.new_page()
        await page.goto(f"{url}/messages/rates?from=2026-03-01&to=2026-03-03")
        await page.get_by_text("too few sent to judge").wait_for()
        await page.get_by_role("region", name="Incentives").get_by_text("1", exact=True).wait_for()
        await page.locator("summary").click()
        await page.screenshot(path=tmp_path / f"rates-{scheme}-{size[0]}.png", full_page=True)
        assert await barriers(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await page.get_by_label("or from this day").fill("2020-01-01")
        await page.get_by_role("button", name="Show").click()
        await page.get_by_text("400 days at most.").wait_for()
        await page.screenshot(path=tmp_path / f"wrong-{scheme}-{size[0]}.png", full_page=True)
        assert await barriers(page) == []
        await context.close()


async def opened(
    browser: Browser, address: tuple[str, str], path: str, size: tuple[int, int], *, dark: bool
) -> Page:
    """A page of ours, seen by somebody signed in, whose context lets the script of axe in."""
    url, token = address
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    await context.add_cookies([{"name": "afterword", "value": token, "url": url}])
    page = await context.new_page()
    await page.goto(url + path)
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def broken_off(
    database: OpenDatabase, sealer: Sealer, tokens: Tokens
) -> AsyncIterator[tuple[str, str]]:
    """The served pages over three mails that nobody knows the fate of, and a manager's session."""
    async with mail_room(await database("dispatch"), sealer, tokens) as room:
        await break_off(room, "anna", "bert", "carl")
        access = access_to(room.db, room.db.clock)
        site = await site_of(room, access)
        async with served(site.app) as url:
            yield url, await signed_in(access, Role.MANAGER)


@pytest.mark.requirement("R50", "R57")
async def test_messages_that_may_not_have_left_are_decided_about_on_a_phone_and_on_a_desk(
    browser: Browser, broken_off: tuple[str, str], tmp_path: Path
) -> None:
    async def opens(*, size: tuple[int, int], dark: bool = False, standing: str = "open") -> Page:
        page = await opened(browser, broken_off, f"/messages/uncertain?standing={standing}", size, dark=dark)
        for summary in await page.locator("summary").all():
            await summary.click()
        await page.screenshot(path=tmp_path / f"uncertain-{standing}-{size[0]}-{dark}.png", full_page=True)
        return page

    assert await faults(opens) == {}
    page = await opens(size=SIZES["phone"])
    for button, said in (
        ("Send again", "It is sent again, if nothing speaks against it by then."),
        ("It arrived", "It counts as delivered."),
        ("Leave it", "It stays as it is, and is off this list."),
    ):
        await page.get_by_role("button", name=button).first.click()
        await page.get_by_text(said).wait_for()
        for summary in await page.locator("summary").all():
            await summary.click()
    await page.get_by_text("Nothing to decide").wait_for()
    await page.context.close()
    for standing in ("left", "decided"):
        assert await faults(lambda *, standing=standing, **how: opens(**how, standing=standing)) == {}


@pytest_asyncio.fixture(loop_scope="session")
async def tried(database: OpenDatabase, sealer: Sealer, tokens: Tokens) -> AsyncIterator[tuple[str, str]]:
    """The served pages over sixty mails with two subjects, one of which everybody answered."""
    async with mail_room(await database("dispatch"), sealer, tokens) as room:
        for number in range(60):
            await room.ask(f"person{number}", letter=SUBJECTS)
        await room.work()
        await room.run(
            "insert into answers (survey_id, version, answered, started) "
            "select survey_id, 1, true, true from messages where subject_line = 'minute'"
        )
        access = access_to(room.db, room.db.clock)
        site = await site_of(room, access)
        async with served(site.app) as url:
            yield url, await signed_in(access, Role.VIEWER)


@pytest.mark.requirement("R58")
async def test_which_subject_is_answered_is_read_on_a_phone_and_on_a_desk(
    browser: Browser, tried: tuple[str, str], tmp_path: Path
) -> None:
    async def opens(*, size: tuple[int, int], dark: bool = False) -> Page:
        path = "/messages/rates/subjects?from=2026-03-01&to=2026-03-03"
        page = await opened(browser, tried, path, size, dark=dark)
        await page.get_by_text("minute gets more answers than every other.").wait_for()
        await page.locator("summary").click()
        await page.screenshot(path=tmp_path / f"subjects-{size[0]}-{dark}.png", full_page=True)
        return page

    assert await faults(opens) == {}
