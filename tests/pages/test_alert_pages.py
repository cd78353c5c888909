"""Inbox, case and rota in a real browser: what a rep with a phone at three in the morning needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page

from services.alerts.domain.findings import Finding
from services.alerts.handlers.finding import send_findings
from services.alerts.store import findings
from shared.errors import SendError
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from tests.support.alert_site import ANGRY, CUSTOMERS, Site, night, site
from tests.support.alerts import Mailer
from tests.support.browsing import DESK, PHONE, Reader, barriers, faults
from tests.support.databases import OpenDatabase
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("alert_pages")]
NAVIGATION = 70
"""Height that the fixed navigation takes from the bottom of a phone."""


@dataclass
class Visit:
    """A browser before the served pages of one night."""

    browser: Browser
    url: str
    site: Site

    async def opens(
        self,
        path: str,
        who: str = "rita",
        *,
        size: tuple[int, int] = PHONE,
        dark: bool = False,
        scripts: bool = True,
    ) -> Page:
        """A page as somebody sees it."""
        reader = Reader(self.browser, self.url, self.site.tokens[who])
        return await reader.opens(path, size=size, dark=dark, scripts=scripts)

    async def case(self, response: str) -> str:
        """The path of the case of a response."""
        return f"/tickets/{await self.site.case_of(response)}"


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, database: OpenDatabase, sealer: Sealer, clock: FixedClock
) -> AsyncIterator[Visit]:
    """The night's cases, served."""
    on = site(await database("alerts"), sealer, clock)
    await night(on)
    async with served(on.app()) as url:
        yield Visit(browser, url, on)


async def seen_at_once(page: Page, found: Locator) -> None:
    """The whole of it is on the screen without scrolling."""
    box = await found.bounding_box()
    assert box is not None
    size = page.viewport_size
    assert size is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= size["height"] - NAVIGATION
    assert box["x"] + box["width"] <= size["width"]


@pytest.mark.requirement("R72")
async def test_who_what_they_said_call_and_next_step_are_seen_at_once_on_a_phone(visit: Visit) -> None:
    page = await visit.opens(await visit.case("ana"))
    await seen_at_once(page, page.get_by_role("heading", name="Ana Díaz Quintero"))
    await seen_at_once(page, page.locator("blockquote").first)
    await seen_at_once(page, page.get_by_text("3 h late"))
    call = page.get_by_role("link", name="Call +46 70 123 45 67")
    await seen_at_once(page, call)
    assert await call.get_attribute("href") == "tel:+46701234567"
    assert await call.evaluate(
        "e => e.querySelector('small').scrollWidth <= e.querySelector('small').clientWidth"
    )
    for button in ("I take this case", "I spoke with them", "Tried, not reached"):
        await seen_at_once(page, page.get_by_role("button", name=button))


@pytest.mark.requirement("R72")
async def test_a_case_with_hours_and_minutes_left_shows_its_buttons_at_once_too(visit: Visit) -> None:
    on = visit.site
    began = on.clock.now() - timedelta(minutes=95)
    await on.hears(await on.says.answered("again", 0, began, account="orbit", contact="fay", words=ANGRY))
    page = await visit.opens(await visit.case("again"))
    await seen_at_once(page, page.get_by_text("22 h 25 min left"))
    for button in ("I take this case", "I spoke with them", "Tried, not reached"):
        await seen_at_once(page, page.get_by_role("button", name=button))


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("press", "said", "told"),
    [
        pytest.param(
            "I spoke with them", "The 24-hour clock has stopped", "Rita Ek spoke with Ana Díaz Quintero",
            id="spoke",
        ),
        pytest.param(
            "Tried, not reached", "The clock keeps running",
            "Rita Ek tried to reach Ana Díaz Quintero, without success", id="tried",
        ),
    ],
)  # fmt: skip
async def test_from_a_notice_to_the_call_and_its_record_in_three_taps(
    visit: Visit, press: str, said: str, told: str
) -> None:
    path = await visit.case("ana")
    # The first tap is on the link of the mail or the chat message. A scanner of mail that opens it, and all
    # that is linked there, records nothing: only the buttons post.
    page = await visit.opens(path, scripts=False)
    assert await page.locator("main a[href*='contacted'], main a[href*='attempt']").count() == 0
    call = page.get_by_role("link", name="Call +46 70 123 45 67")
    await seen_at_once(page, call)  # the second
    record = page.get_by_role("button", name=press)
    await seen_at_once(page, record)
    await record.click()  # the third
    await page.get_by_text(said).wait_for()
    await page.get_by_text(told, exact=True).wait_for()


@pytest.mark.requirement("R72")
async def test_from_the_inbox_to_the_call_and_its_record_in_three_taps(visit: Visit, tmp_path: Path) -> None:
    page = await visit.opens("/inbox", scripts=False)
    gravest = page.get_by_role("link", name="Ana Díaz Quintero")
    await seen_at_once(page, gravest)
    await page.screenshot(path=tmp_path / "three-taps-1-inbox.png")  # `make pictures` keeps it
    await gravest.click()  # the first
    call = page.get_by_role("link", name="Call +46 70 123 45 67")
    await seen_at_once(page, call)  # the second; the phone comes back to this page
    record = page.get_by_role("button", name="I spoke with them")
    await seen_at_once(page, record)
    await page.screenshot(path=tmp_path / "three-taps-2-case.png")  # `make pictures` keeps it
    await record.click()  # the third
    await seen_at_once(page, page.get_by_text("The 24-hour clock has stopped"))
    for step in ("Agree what to do", "Resolve the case"):
        await seen_at_once(page, page.locator("summary", has_text=step))
    await page.screenshot(path=tmp_path / "three-taps-3-logged.png")  # `make pictures` keeps it


@pytest.mark.requirement("R72", "R76")
async def test_from_the_inbox_to_resolved_with_a_thumb(visit: Visit) -> None:
    page = await visit.opens("/inbox")
    await page.get_by_role("link", name="Ana Díaz Quintero").click()
    await page.get_by_role("button", name="I take this case").click()
    await page.get_by_text("The case is yours").wait_for()
    await page.locator("summary", has_text="Add with whom").click()
    await page.get_by_role("radio", name="Phone").check()
    await page.get_by_label("What did they say?").fill("The invoice export is empty since 4.2.")
    await page.get_by_role("button", name="I spoke with them").click()
    await page.get_by_text("The 24-hour clock has stopped").wait_for()
    await page.locator("summary", has_text="Resolve the case").click()
    await page.get_by_label("What was the cause?").select_option("product_defect")
    await page.get_by_label("What did you do").fill("Export repaired; test added.")
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await page.get_by_text("Resolved. Well done.").wait_for()
    timeline = await page.locator(".timeline").inner_text()
    assert "Rita Ek spoke with Ana Díaz Quintero by phone" in timeline
    assert "The invoice export is empty since 4.2." in timeline
    assert "Rita Ek resolved the case: Something in the product is broken" in timeline


async def test_tried_in_vain_is_written_down_and_stops_nothing(visit: Visit) -> None:
    page = await visit.opens(await visit.case("dee"))
    assert await page.get_by_text("It is 04:00 where they are").is_visible()
    await page.get_by_role("button", name="Tried, not reached").click()
    await page.get_by_text("The clock keeps running").wait_for()
    assert await page.get_by_text("Tried 2 times without reaching them.").is_visible()
    assert await page.get_by_text("10 h left").is_visible()


async def test_whoever_comes_second_is_told_and_keeps_what_they_typed(visit: Visit) -> None:
    # Without scripts: a page that follows what happens would show what the other did.
    path = await visit.case("dee")
    first, second = [await visit.opens(path, who, scripts=False) for who in ("mia", "rita")]
    await first.get_by_role("button", name="I spoke with them").click()
    await second.locator("summary", has_text="what they said").click()
    await second.get_by_label("What did they say?").fill("Spoke with the assistant.")
    await second.get_by_role("button", name="I spoke with them").click()
    assert "Log a follow-up" in await second.locator("main").inner_text()
    await first.goto(visit.url + path)
    await first.locator("summary", has_text="Resolve the case").click()
    await second.goto(visit.url + path)
    await second.locator("summary", has_text="Give it to somebody else").click()
    await second.get_by_label("To whom?").select_option(label="Ola Nordmann")
    await second.get_by_role("button", name="Give it").click()
    await first.get_by_label("What was the cause?").select_option("support_slow")
    await first.get_by_label("What did you do").fill("Hired a second shift.")
    await first.get_by_role("button", name="Resolve", exact=True).click()
    await first.get_by_text("Somebody changed this case while you looked at it").wait_for()
    assert await first.get_by_label("What did you do").input_value() == "Hired a second shift."


async def test_a_better_answer_offers_to_close_the_case(visit: Visit) -> None:
    page = await visit.opens(await visit.case("eli"))
    await page.get_by_role("button", name="Close the case").click()
    await page.get_by_text("Closed.", exact=True).wait_for()
    assert "the customer raised the score" in await page.locator(".timeline").inner_text()


async def test_a_held_answer_is_opened_or_put_away_by_a_person(visit: Visit) -> None:
    page = await visit.opens("/inbox?view=unconfirmed")
    assert "held because: burst, head before get" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="A person: open a case").click()
    await page.get_by_text("Nothing to confirm").wait_for()
    await page.goto(visit.url + "/inbox?view=team")
    assert await page.get_by_role("link", name=CUSTOMERS["fay"].name).is_visible()


@pytest.mark.requirement("R72")
async def test_a_manager_sets_the_rota_and_a_stand_in(visit: Visit) -> None:
    page = await visit.opens("/rota", "mia", size=DESK)
    assert await page.locator(".on-call strong").all_inner_texts() == ["Rita Ek", "Ola Nordmann"]
    await page.get_by_label("Rita Ek").fill("2")
    await page.get_by_label("Ola Nordmann").fill("1")
    await page.get_by_role("button", name="Save the order").click()
    assert await page.locator(".on-call strong").all_inner_texts() == ["Ola Nordmann", "Rita Ek"]
    await page.get_by_label("Who stands in?").select_option(label="Mia Sol")
    await page.get_by_label("From").fill("2026-03-04T12:00")
    await page.get_by_label("Until").fill("2026-03-05T12:00")
    await page.get_by_role("button", name="Add").click()
    assert await page.locator(".on-call strong").all_inner_texts() == ["Mia Sol", "Ola Nordmann"]
    await page.get_by_role("button", name="Take back: Mia Sol").click()
    assert await page.locator(".on-call strong").all_inner_texts() == ["Ola Nordmann", "Rita Ek"]


async def test_a_rep_sees_the_rota_but_cannot_change_it(visit: Visit) -> None:
    page = await visit.opens("/rota")
    assert await page.get_by_role("button", name="Save the order").count() == 0
    assert "Hand-over each Monday at 09:00, Europe/Stockholm" in await page.locator("main").inner_text()


@pytest.mark.parametrize("path", ["/inbox", "/inbox?view=unconfirmed", "/rota", "ana", "cy", "eli"])
async def test_nothing_is_cut_off_and_there_is_no_barrier(visit: Visit, path: str) -> None:
    wanted = path if path.startswith("/") else await visit.case(path)

    async def unfolded(*, size: tuple[int, int], dark: bool) -> Page:
        page = await visit.opens(wanted, "mia", size=size, dark=dark)
        await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        return page

    assert await faults(unfolded) == {}


async def test_all_of_it_works_by_keyboard(visit: Visit) -> None:
    page = await visit.opens(await visit.case("ana"), size=DESK)
    await page.get_by_role("button", name="I take this case").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("The case is yours").wait_for()
    await page.locator("summary", has_text="Add with whom").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowRight")
    assert await page.get_by_role("radio", name="Bo Lindqvist").is_checked()


@pytest.mark.requirement("R72", "R83")
async def test_the_report_can_be_read_on_a_phone_and_keeps_its_filters(visit: Visit) -> None:
    page = await visit.opens("/inbox/report?days=7", scripts=False)
    await page.get_by_role("link", name="By owner").click()
    await page.get_by_label("Owner").select_option(label="Rita Ek")
    await page.get_by_role("button", name="Show").click()
    assert "by=owner" in page.url
    assert "days=7" in page.url
    assert await page.get_by_role("cell", name="Rita Ek").is_visible()
    assert await page.get_by_role("cell", name="Ola Nordmann").count() == 0
    for size in (PHONE, DESK):
        for dark in (False, True):
            shown = await visit.opens("/inbox/report", size=size, dark=dark)
            assert await barriers(shown) == []
            assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.requirement("R68")
async def test_who_could_not_be_told_of_findings_is_seen_on_a_phone_and_told_again(visit: Visit) -> None:
    on, happened = visit.site, ("release: Suite 4.2",)
    told = (
        Finding("support-csat, satisfaction fell", "Fell", "61 % after 82 %", "", "/scores", happened),
        Finding("more speak of invoices", "Named more often", "27 % of comments", "", "/scores/comments", ()),
    )
    wanted = {derive("mail", who): (on.users[who], told) for who in ("mia", "ada")}
    async with on.db.begin() as tx:
        await findings.plan(tx.conn, wanted, tx.now, on.desk.machine.wall())
    refused = Mailer(SendError("SMTP 550 5.1.1 no such user here", permanent=True))
    assert await send_findings(on.desk, on.db, refused, visit.url) == 2

    async def opens(*, size: tuple[int, int], dark: bool) -> Page:
        return await visit.opens("/inbox/findings", "mia", size=size, dark=dark)

    assert await faults(opens) == {}
    inbox = await visit.opens("/inbox", "mia", scripts=False)
    await inbox.get_by_role("link", name="see to whom, and why").click()
    await inbox.get_by_role("button", name="Send again to Ada Admin").click()
    assert await inbox.get_by_text("under way").is_visible()
    assert await inbox.get_by_role("button", name="Send again to Mia Sol").is_visible()
