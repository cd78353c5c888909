"""Inbox and case while others work on them, and the inbox by keyboard, in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from services.alerts.handlers.actions import Action
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import CUSTOMERS, Site, night, site
from tests.support.alerts import HOUR, T0
from tests.support.browsing import DESK, PHONE, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live_inbox")]
ANA, BO = "Ana Díaz Quintero", "Bo Lindqvist"


@dataclass
class Shift:
    """The pages of one night, and who works in it."""

    browser: Browser
    url: str
    site: Site

    async def opens(self, path: str = "/inbox?view=team", who: str = "rita", **differently: Any) -> Page:
        how: dict[str, Any] = {"size": DESK, "axe": False, **differently}
        page = await Reader(self.browser, self.url, self.site.tokens[who]).opens(path, **how)
        if how.get("scripts", True):
            await expect(page.get_by_role("button", name="Live")).to_be_visible()
        return page

    async def case(self, response: str) -> str:
        return f"/tickets/{await self.site.case_of(response)}"

    async def unhappy(self, response: str = "gus") -> None:
        """One more customer is unhappy."""
        words = "Nobody calls back."
        await self.site.hears(
            await self.site.says.answered(
                response, 1, T0 + 27 * HOUR, account="gusto", contact="dee", words=words
            )
        )


@pytest_asyncio.fixture(loop_scope="session")
async def shift(
    browser: Browser, database: OpenDatabase, sealer: Sealer, clock: FixedClock
) -> AsyncIterator[Shift]:
    on = site(await database("alerts"), sealer, clock)
    await night(on)
    async with served(on.app()) as url:
        yield Shift(browser, url, on)


def rows(page: Page) -> Locator:
    return page.locator(".lines .who")


def said(page: Page) -> Locator:
    return page.locator("#live [role=status]")


async def test_a_new_case_appears_and_is_told_and_the_focus_stays(shift: Shift) -> None:
    page = await shift.opens()
    before = await rows(page).all_inner_texts()
    mine = page.get_by_role("link", name=re.compile(ANA))
    await mine.focus()
    await shift.unhappy()
    await expect(rows(page)).to_have_count(len(before) + 1)
    await expect(said(page)).to_contain_text("New: Dee Park")
    await expect(mine).to_be_focused()
    await expect(page.get_by_role("link", name=re.compile("Team")).first).to_have_text(
        f"Team {len(before) + 1}"
    )


async def test_what_a_colleague_does_is_seen_in_the_list(shift: Shift) -> None:
    page = await shift.opens()
    row = page.get_by_role("link", name=re.compile(ANA))
    await expect(row).to_contain_text("New")
    await shift.site.does("ola", "ana", Action.ACKNOWLEDGE)
    await expect(row).to_contain_text("Taken")
    await expect(said(page)).to_contain_text(f"Changed: {ANA}")
    await shift.site.does("ola", "ana", Action.CONTACT, via="phone")
    await shift.site.does("ola", "ana", Action.RESOLVE, cause="product_defect", note="Repaired.")
    await row.focus()
    await expect(row).to_have_count(0)
    # The next case has the focus now, not the top of the page.
    assert await page.evaluate("document.activeElement.matches('a.line')")


async def test_clocks_move_on_by_themselves_once_a_minute(shift: Shift) -> None:
    page = await shift.opens("/inbox?view=team")
    await page.clock.install()
    await page.reload()
    row = page.get_by_role("link", name=re.compile("Dee Park"))
    await expect(row).to_contain_text("10 h left")
    shift.site.clock.advance(2 * HOUR)  # nothing is due, so nobody rings
    await page.clock.fast_forward(61_000)
    await expect(row).to_contain_text("8 h left")
    await expect(said(page)).to_be_empty()


async def test_a_breach_is_seen_and_told(shift: Shift) -> None:
    page = await shift.opens()
    row = page.get_by_role("link", name=re.compile("Dee Park"))
    await expect(row).to_contain_text("left")
    await shift.site.moves(38)
    await expect(row).to_contain_text("late")
    await expect(said(page)).to_contain_text("Dee Park")


async def test_who_is_typing_keeps_text_and_focus_and_learns_what_happened(shift: Shift) -> None:
    page = await shift.opens(await shift.case("ana"))
    await page.locator("summary", has_text="what they said").click()
    text = page.get_by_label("What did they say?")
    await text.fill("The export is empty")
    await shift.site.does("ola", "ana", Action.ACKNOWLEDGE)
    await expect(page.locator(".case-top")).to_contain_text("Taken")
    await expect(said(page)).to_contain_text(f"Changed: {ANA}, Taken")
    await expect(page.locator(".timeline")).to_contain_text("Ola Nordmann")
    await expect(page.get_by_role("button", name="I take this case")).to_have_count(0)
    await expect(text).to_be_focused()
    await page.keyboard.type(" again.")
    assert await text.input_value() == "The export is empty again."
    # The form is still that of the case as it was: it is refused with the reason, and keeps its words.
    await page.get_by_role("button", name="I spoke with them").click()
    await expect(page.locator("main")).to_contain_text("while you looked at it")
    assert await page.get_by_label("What did they say?").input_value() == "The export is empty again."
    await expect(page.locator("#live")).to_have_count(0)


async def test_a_form_that_nobody_touched_is_of_the_case_as_it_is_now(shift: Shift) -> None:
    page = await shift.opens(await shift.case("ana"))
    await shift.site.does("ola", "ana", Action.ACKNOWLEDGE)
    await expect(page.locator(".case-top")).to_contain_text("Taken")
    await page.get_by_role("button", name="I spoke with them").click()
    await expect(page.get_by_text("The 24-hour clock has stopped")).to_be_visible()


async def test_without_scripts_there_is_nothing_of_it(shift: Shift) -> None:
    page = await shift.opens(scripts=False)
    await expect(page.locator("#live")).to_be_hidden()
    await expect(page.locator("#keys")).to_be_hidden()
    await expect(page.get_by_role("link", name=re.compile(ANA))).to_be_visible()


async def focused(page: Page) -> str:
    text: str = await page.evaluate(
        "document.activeElement.matches('a.line')"
        " ? document.activeElement.querySelector('.who').textContent : document.activeElement.tagName"
    )
    return text


async def test_cases_are_walked_and_opened_by_keys(shift: Shift) -> None:
    page = await shift.opens()
    names = await rows(page).all_inner_texts()
    assert len(names) > 2
    await page.locator("a.line").first.focus()
    walked = []
    for key in ("j", "ArrowDown", "k", "End", "j", "Home", "k"):
        await page.keyboard.press(key)
        walked.append(await focused(page))
    last = names[-1]
    assert walked == [names[1], names[2], names[1], last, last, names[0], names[0]]
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(names[0])


async def test_a_case_is_taken_by_a_key_and_the_call_is_next(shift: Shift) -> None:
    page = await shift.opens()
    await page.get_by_role("link", name=re.compile(ANA)).focus()
    await page.keyboard.press("a")
    await expect(page.get_by_text("The case is yours. Call now")).to_be_visible()
    await expect(page.get_by_role("link", name="Call +46 70 123 45 67")).to_be_visible()
    page = await shift.opens()
    await page.get_by_role("link", name=re.compile(ANA)).focus()
    await page.keyboard.press("a")
    await expect(page.locator("#keys [role=status]")).to_have_text("This case is taken already.")


async def test_letters_act_in_the_list_alone_unless_the_reader_wants_them_everywhere(shift: Shift) -> None:
    page = await shift.opens()
    await page.get_by_role("heading", level=1).click()
    await page.keyboard.press("j")
    assert await focused(page) == "MAIN"
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("button", name="Keys").click()
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.get_by_label("Also when no case has the focus").check()
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.get_by_role("button", name="Keys")).to_be_visible()
    await page.keyboard.press("j")
    assert await focused(page) == (await rows(page).all_inner_texts())[0]
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("j")  # the dialog has the focus
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_keys_have_no_barrier(shift: Shift, size: tuple[int, int], *, dark: bool) -> None:
    page = await shift.opens(size=size, dark=dark, axe=True)
    if size == DESK:
        await page.get_by_role("button", name="Keys").click()
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_phone_has_no_use_for_keys(browser: Browser, shift: Shift) -> None:
    context = await browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}
    )
    await context.add_cookies([{"name": "afterword", "value": shift.site.tokens["rita"], "url": shift.url}])
    page = await context.new_page()
    await page.goto(f"{shift.url}/inbox?view=team")
    await expect(page.get_by_role("button", name="Live")).to_be_visible()
    await expect(page.get_by_role("button", name="Keys")).to_be_hidden()
    await shift.unhappy()
    await expect(page.get_by_role("link", name=re.compile(CUSTOMERS["dee"].name)).first).to_be_visible()
