"""Pages that keep themselves up to date, in a real browser under their own policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from services.scoring.worker.headlines import announcing
from shared.contracts.forms import QuestionType
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from tests.support.browsing import PHONE, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.score_pages import access_to, application, quarter, signed_in
from tests.support.scoring import Scoring, answer, snapshot
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live_pages")]


@dataclass
class Scores:
    """The served score pages, and what changes them."""

    browser: Browser
    url: str
    scoring: Scoring
    clock: FixedClock
    tokens: dict[str, str]

    async def opens(self, locale: str = "en", path: str = "/scores", **how: Any) -> Page:
        reader = Reader(self.browser, self.url, self.tokens[locale])
        return await reader.opens(path, axe=False, **how)

    async def answered(self, number: int, value: int, programme: str = "renewal-nps") -> None:
        """Somebody answers, before a renewal unless said otherwise, and the headline is announced."""
        told = answer(
            90_000 + number,
            value,
            type_=QuestionType.NPS,
            snapshot=snapshot(programme),
            at=self.clock.now(),
            asked_at=self.clock.now(),
        )
        await self.scoring.take(told)
        await announcing(self.scoring.db)()


@pytest_asyncio.fixture(loop_scope="session")
async def scores(browser: Browser, database: OpenDatabase, clock: FixedClock) -> AsyncIterator[Scores]:
    db = await database("scoring")
    scoring = Scoring(db)
    await quarter(scoring, clock.now())
    await announcing(db)()
    access = access_to(db, clock)
    tokens = {"en": await signed_in(access), "sv": await signed_in(access, Role.REP, locale="sv")}
    async with served(application(db, clock, access)) as url:
        yield Scores(browser, url, scoring, clock, tokens)


def renewal(page: Page) -> str:
    """Where the programme's figures stand."""
    return "#card-transactional-renewal-nps .stat-note"


@pytest.mark.requirement("R57", "R64")
async def test_figures_follow_the_answers_and_are_told_politely(scores: Scores) -> None:
    page = await scores.opens()
    note, status = page.locator(renewal(page)), page.get_by_role("status")
    await expect(note).to_have_text("63 answers · between +1 and +42")
    await expect(page.get_by_role("button", name="Live")).to_be_visible()
    await page.get_by_label("Period").focus()
    await scores.answered(1, 10)
    await expect(note).to_contain_text("64 answers")
    await expect(status).to_have_text("Changed: Before renewal: +23 (64 answers).")
    assert await status.evaluate("e => getComputedStyle(e).position") == "absolute"  # heard, not seen
    assert await page.evaluate("document.activeElement.id") == "f-period"
    await scores.answered(2, 10)
    await expect(note).to_contain_text("65 answers")


@pytest.mark.requirement("R57", "R64")
async def test_the_page_of_a_programme_follows_its_own_answers_and_no_others(scores: Scores) -> None:
    page = await scores.opens(path="/scores?programme=renewal-nps")
    note = page.locator("#score-transactional-nps .stat-note").first
    await expect(note).to_contain_text("63 answers")
    await expect(page.get_by_role("button", name="Live")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "programme=" in request.url else None)
    await scores.answered(1, 3, "ticket-csat")
    assert (
        await page.evaluate(  # what the page hears, too
            """new Promise((done) => new EventSource(document.getElementById("live").dataset.stream)
            .addEventListener("score.changed", (event) => done(JSON.parse(event.data).value)))"""
        )
        == "ticket-csat"
    )
    assert asked == []
    await scores.answered(2, 10)
    await expect(note).to_contain_text("64 answers")
    said = "Changed: Would recommend us (NPS): +23 (64 answers)."
    await expect(page.get_by_role("status")).to_have_text(said)
    assert len(asked) == 1


async def test_what_somebody_chooses_or_has_opened_stays_as_it_is(scores: Scores) -> None:
    page = await scores.opens()
    await page.get_by_label("Period").select_option("30")
    await page.get_by_role("button", name="Live").focus()
    await page.locator("summary", has_text="What do these numbers mean?").click()
    await scores.answered(1, 10)
    await expect(page.locator(renewal(page))).to_contain_text("64 answers")
    assert await page.get_by_label("Period").input_value() == "30"
    await expect(page.get_by_text("Only some customers answer.")).to_be_visible()


async def test_a_reader_may_hold_the_page_still(scores: Scores) -> None:
    page = await scores.opens()
    live = page.get_by_role("button", name="Live")
    await live.click()
    await expect(live).to_have_attribute("aria-pressed", "false")
    await expect(page.get_by_text("Paused")).to_be_visible()
    await scores.answered(1, 10)
    await page.reload()
    await expect(page.get_by_text("Paused")).to_be_visible()
    await scores.answered(2, 10)
    await expect(page.locator(renewal(page))).to_contain_text("64 answers")
    await live.click()
    await expect(page.locator(renewal(page))).to_contain_text("65 answers")


async def test_without_scripts_the_page_is_as_before(scores: Scores) -> None:
    page = await scores.opens(scripts=False)
    await expect(page.locator(renewal(page))).to_have_text("63 answers · between +1 and +42")
    await expect(page.locator("#live")).to_be_hidden()


async def test_the_page_speaks_the_readers_language_and_keeps_to_its_policy(scores: Scores) -> None:
    page = await scores.opens("sv")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await expect(page.get_by_role("button", name="Direkt")).to_be_visible()
    await scores.answered(1, 10)
    await expect(page.get_by_role("status")).to_contain_text("Ändrat: Före förnyelse")
    assert said == []
    policy = (await page.request.get(f"{scores.url}/scores")).headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    other = (await page.request.get(f"{scores.url}/scores/results")).headers
    assert "script-src" not in other["content-security-policy"]


async def test_a_cut_connection_is_shown_and_caught_up_with(scores: Scores) -> None:
    page = await scores.opens()
    await expect(page.get_by_role("button", name="Live")).to_be_visible()
    await page.context.set_offline(True)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_text("No connection: this may be old.")).to_be_visible()
    await scores.answered(1, 10)
    await page.context.set_offline(False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator(renewal(page))).to_contain_text("64 answers")


async def test_a_live_page_has_no_barrier_and_stays_small(scores: Scores) -> None:
    reader = Reader(scores.browser, scores.url, scores.tokens["en"])
    page = await reader.opens("/scores", size=PHONE)
    await expect(page.get_by_role("button", name="Live")).to_be_visible()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    loaded = await page.evaluate(
        "performance.getEntriesByType('resource').filter(e => !e.name.includes('stream'))"
        ".concat(performance.getEntriesByType('navigation')).map(e => e.transferSize)"
    )
    assert sum(loaded) < 60_000
