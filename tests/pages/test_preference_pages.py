"""The page of whoever wants fewer mails: by keyboard alone, without scripts, in six languages, no barrier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from services.dispatch.domain.wording import WORDINGS
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.browsing import DESK, PHONE, barriers
from tests.support.databases import OpenDatabase
from tests.support.dispatch import MailRoom, contact_id, delivery_id, mail_room, site_of, snapshot
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("mail_pages")]


@pytest_asyncio.fixture(loop_scope="session")
async def room(database: OpenDatabase, sealer: Sealer, tokens: Tokens) -> AsyncIterator[tuple[MailRoom, str]]:
    """Somebody of each language got a mail."""
    async with mail_room(await database("dispatch"), sealer, tokens) as room:
        for language in WORDINGS:
            await room.ask(language, snapshot=snapshot(language, locale=language))
        await room.work()
        site = await site_of(room)
        async with served(site.app) as url:
            yield room, url


@pytest.mark.requirement("R57")
@pytest.mark.timeout(180)
async def test_mails_are_stopped_by_keyboard_alone_in_each_language(
    browser: Browser, room: tuple[MailRoom, str], tokens: Tokens, tmp_path: Path
) -> None:
    mails, url = room
    assert len(WORDINGS) == 6
    for number, (language, wording) in enumerate(WORDINGS.items()):
        size = (PHONE, DESK)[number % 2]
        # axe is a script: it looks at each page from a copy of the window that lets it in.
        plain = await browser.new_page(java_script_enabled=False)
        axe = await browser.new_page(
            bypass_csp=True, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce",
            color_scheme="dark" if number % 3 else "light",
        )  # fmt: skip
        path = f"/u/{tokens.sign('unsubscribe', contact_id(language), delivery_id(language).bytes)}"
        await axe.goto(url + path)
        await axe.screenshot(path=tmp_path / f"{language}.png", full_page=True)
        assert await barriers(axe) == []
        assert await axe.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await plain.goto(url + path)
        assert await plain.locator("html").get_attribute("lang") == language
        radio = plain.get_by_label(wording.page_this)
        for _ in range(3):
            if await radio.evaluate("e => e === document.activeElement"):
                break
            await plain.keyboard.press("Tab")
        await plain.keyboard.press("Space")
        await plain.keyboard.press("Tab")
        await plain.keyboard.press("Enter")
        await plain.get_by_role("heading", name=wording.page_done_title).wait_for()
        await axe.get_by_role("radio").last.check()
        await axe.get_by_role("button", name=wording.page_button).click()
        await axe.get_by_role("heading", name=wording.page_done_title).wait_for()
        assert await barriers(axe) == []
        await plain.close()
        await axe.close()
    stopped = await mails.fetch("select programme from suppressions where kind = 'contact'")
    assert sorted(row["programme"] for row in stopped) == [""] * 6 + ["relationship-nps"] * 6


async def test_a_link_that_is_cut_off_says_so_without_a_barrier(
    browser: Browser, room: tuple[MailRoom, str]
) -> None:
    page = await browser.new_page(bypass_csp=True, viewport={"width": PHONE[0], "height": PHONE[1]})
    shown = await page.goto(f"{room[1]}/u/cut-off")
    assert shown is not None
    assert shown.status == 404
    assert await barriers(page) == []
