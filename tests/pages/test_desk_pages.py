"""Pages of the collector for people of ours: held answers and shared links, by thumb and by desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.contracts.model import Channel
from shared.contracts.surveys import SurveyShared
from shared.runtime.ids import derive
from shared.security.roles import Role
from tests.support.browsing import DESK, PHONE, WIDER, Reader, barriers
from tests.support.collecting import StartCollector
from tests.support.collector import CES, Collector, snapshot
from tests.support.forms import FORMS, OLD, chosen, post, published, response
from tests.support.score_pages import access_to, signed_in
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("survey_pages")]


WORDS = "Nobody called us back, and the second delivery was late as well."


async def test_a_held_answer_is_decided_about_with_a_thumb(
    browser: Browser, address: str, collector: Collector, tmp_path: Path
) -> None:
    for number in (1, 2):
        await collector.held(number, WORDS)
    reader = Reader(browser, address, await signed_in(access_to(collector.db, collector.clock), Role.MANAGER))
    desk = await reader.opens("/answers/held", size=DESK, dark=True)
    await desk.screenshot(path=tmp_path / "desk.png", full_page=True)
    assert await barriers(desk) == []
    page = await reader.opens("/answers/held", size=PHONE, scripts=False)
    await page.screenshot(path=tmp_path / "phone.png", full_page=True)
    first = page.get_by_role("article").first
    box = await first.bounding_box()
    assert box is not None
    assert box["height"] < PHONE[1] / 2, "two of them fit on a phone"
    evidence = first.get_by_text("A field that no person sees was filled.")
    assert not await evidence.is_visible()
    await first.locator("summary").click()
    assert await evidence.is_visible()
    await first.get_by_role("button", name="Leave it held").click()
    await page.get_by_text("It stays held.").wait_for()
    await page.get_by_role("button", name="Count it").click()
    await page.get_by_text("1 answer counts in a moment").wait_for()
    await page.get_by_role("heading", name="Nothing is held").wait_for()
    await page.screenshot(path=tmp_path / "released.png", full_page=True)
    await collector.settle()
    await page.reload()
    await page.get_by_text("It counts.").wait_for()


async def test_what_was_counted_by_mistake_is_taken_back_with_a_thumb(
    browser: Browser, address: str, collector: Collector, tmp_path: Path
) -> None:
    await collector.held(1, WORDS)
    reader = Reader(browser, address, await signed_in(access_to(collector.db, collector.clock), Role.MANAGER))
    page = await reader.opens("/answers/held", size=PHONE, scripts=False)
    await page.get_by_role("button", name="Count it").click()
    await collector.settle()
    await page.get_by_role("link", name="Was it a mistake? Take it back.").click()
    await page.get_by_text("Counts by the word of Vera Viewer").wait_for()
    await page.screenshot(path=tmp_path / "counted-phone.png", full_page=True)
    await page.locator("summary", has_text="Take back").click()
    await page.screenshot(path=tmp_path / "why-phone.png", full_page=True)
    desk = await reader.opens("/answers/held?counted=true", size=DESK, dark=True)
    await desk.locator("summary", has_text="Take back").click()
    await desk.screenshot(path=tmp_path / "why-desk.png", full_page=True)
    assert await barriers(desk) == []
    for one in (page, desk):
        assert await one.evaluate(WIDER) <= 0
    await page.get_by_label("it was the wrong button").check()
    await page.get_by_role("button", name="Take it back").click()
    await page.get_by_text("Taken back: it is held again in a moment").wait_for()
    await page.get_by_role("heading", name="Nothing counts by our word").wait_for()
    await collector.settle()
    collector.wait(10)
    await page.get_by_role("link", name="To look at").click()
    await page.get_by_text("Vera Viewer took that back").wait_for()
    await page.screenshot(path=tmp_path / "again-phone.png", full_page=True)
    assert await page.get_by_role("button", name="Count it").count() == 1


@pytest.mark.requirement("R52")
async def test_shared_links_are_looked_after_on_a_phone(
    browser: Browser, address: str, collector: Collector, tmp_path: Path
) -> None:
    now = collector.clock.now()
    for number, gone in enumerate((None, now)):
        ident = str(derive("link", number))
        known = snapshot(
            0, contact_id=ident, channel=Channel.SHARED_LINK, context={"link": "Newsletter March"}
        )
        link = SurveyShared(
            link_id=ident, version=1, label="Newsletter March", snapshot=known, form=CES, shared_at=now,
            closes_at=now.replace(year=now.year + 1), shared_by="CLI", withdrawn_at=gone,
            reason="misused" if gone else "",
        )  # fmt: skip
        await collector.feed(link)
    reader = Reader(browser, address, await signed_in(access_to(collector.db, collector.clock), Role.MANAGER))
    for size in (PHONE, DESK):
        page = await reader.opens("/answers/links", size=size, dark=size is DESK)
        await page.locator("summary").click()
        await page.screenshot(path=tmp_path / f"links-{size[0]}.png", full_page=True)
        assert await barriers(page) == []
        assert await page.evaluate(WIDER) <= 0
        assert await page.get_by_role("link", name="Take back Newsletter March").count() == 1


@pytest.mark.requirement("R71")
async def test_forms_of_other_tools_are_looked_after_on_a_phone(
    browser: Browser, start_collector: StartCollector, tmp_path: Path
) -> None:
    file = tmp_path / "forms.yaml"
    file.write_text(FORMS, encoding="utf-8")
    collector = await start_collector({"forms_file": file, "typeform_secrets": OLD})
    await collector.feed(published("onboarding-ces", CES))
    ident = "a3a12ec67a1365927098a606107fac15"
    for body in (
        response(chosen("effort", 2), ident=ident, hidden={"contact": "u-7"}),
        response(chosen("effort", 3), ident=ident),
        response(chosen("effort", 9), ident=ident[::-1]),
        response(chosen("effort", 9), form_id="aBcDeF12", ident=ident),
    ):
        await post(collector, body)
    file.write_text(FORMS.replace("1-7", "seven"), encoding="utf-8")
    await next(loop for loop in collector.service.loops if loop.name == "forms").run()
    token = await signed_in(access_to(collector.db, collector.clock), Role.REP)
    async with served(collector.app) as address:
        reader = Reader(browser, address, token)
        for size in (PHONE, DESK):
            page = await reader.opens("/answers/forms", size=size, dark=size is DESK)
            await page.screenshot(path=tmp_path / f"forms-{size[0]}.png", full_page=True)
            assert await barriers(page) == []
            assert await page.evaluate(WIDER) <= 0
            await page.get_by_text("what it said before goes on").wait_for()
            assert await page.get_by_text("9 is outside of 1-7").count() == 1
        page = await reader.opens("/answers/forms", size=PHONE, scripts=False)
        await page.get_by_role("link", name="3 of easy to look at").click()
        await page.get_by_role("heading", name="What could not be used of easy").wait_for()
        assert await page.get_by_text("aBcDeF12").count() == 1, "in the list of forms alone"
