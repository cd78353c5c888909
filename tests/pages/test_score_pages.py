"""The score pages in a real browser: readable on a phone, honest about few answers, no barrier."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page

from services.scoring.domain.crm import Kind
from services.scoring.store import crm
from services.scoring.worker.clustering import learning
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.model import Payload
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Role
from tests.support.browsing import PHONE, SIZES, WIDER, Reader, barriers, looked_at
from tests.support.customers import (
    account,
    account_id,
    aiming,
    asked,
    contracts,
    driven,
    happened,
    published,
    town,
)
from tests.support.databases import OpenDatabase
from tests.support.score_pages import (
    access_to,
    application,
    comments_of,
    left_more,
    quarter,
    quarter_before,
    risen,
    signed_in,
    spoken,
)
from tests.support.scoring import Scoring, answer, snapshot
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("score_pages")]


@asynccontextmanager
async def in_town(db: Database) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The served pages with a quarter of answers, and a session token by role and language."""
    clock = FixedClock(db.clock.now())
    await quarter(Scoring(db), clock.now())
    await quarter_before(Scoring(db), clock.now())
    await Scoring(db).take(*town(clock.now()), *driven(clock.now()), *_releases(clock.now()))
    access = access_to(db, clock)
    tokens = {
        "viewer": await signed_in(access),
        "rep": await signed_in(access, Role.REP),
        "es": await signed_in(access, locale="es"),
        "manager": await signed_in(access, Role.MANAGER),
        "rep in Spanish": await signed_in(access, Role.REP, locale="es"),
    }
    async with served(application(db, clock, access)) as url:
        yield url, tokens


def _releases(now: datetime) -> list[ContextRecorded]:
    """A release every week, and in the newest weeks an incident beside it: on a phone they share marks."""
    release, incident = (ContextKind.RELEASE, "feature.released"), (ContextKind.INCIDENT, "incident.opened")
    return [
        *(happened(*release, now - timedelta(days=7 * week)) for week in range(10)),
        *(happened(*incident, now - timedelta(days=7 * week)) for week in range(3)),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(shared_database: OpenDatabase) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Of a town that is only looked at."""
    async with in_town(await shared_database("scoring")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def own_address(database: OpenDatabase) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Of a town in which something happens."""
    async with in_town(await database("scoring")) as found:
        yield found


@pytest.mark.parametrize(
    "path",
    [
        "/scores",
        "/scores?programme=renewal-nps&split=persona",
        "/scores/accounts",
        f"/scores/accounts/{account_id(2)}",
        "/scores?programme=driven&period=365",
        "/scores/answers?programme=driven&period=365&attribute=time&rated=low",
        "/scores/compare",
        "/scores/compare?a.programme=renewal-nps&a.where=persona:user&b.others=true",
    ],
)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_nothing_is_cut_off_and_there_is_no_barrier(
    browser: Browser,
    address: tuple[str, dict[str, str]],
    tmp_path: Path,
    *,
    path: str,
    dark: bool,
    size: tuple[int, int],
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens(path, size=size, dark=dark)
    await page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert await page.evaluate(WIDER) <= 0
    assert await barriers(page) == []


@pytest.mark.requirement("R1", "R3", "R5", "R6", "R64")
async def test_the_overview_tells_each_family_apart_with_doubt_in_words(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores")
    families = page.locator("main > section > h2")
    assert await families.all_inner_texts() == ["After an event", "Relationship"]
    renewal = page.get_by_role("article", name="Before renewal")
    # 32 promoters, 13 passives and 18 detractors of 63: 100 * 14 / 63 = 22.2. Interval by hand: shares of
    # 66 are 0.4962 and 0.2841, difference 0.2121, error sqrt((0.7803 - 0.0450) / 66) = 0.1056.
    text = await renewal.inner_text()
    assert "+22" in text
    assert "63 answers · between +1 and +42" in text
    assert "Promoters 51% (32)" in " ".join(text.split())
    onboarding = await page.get_by_role("article", name="Onboarding").inner_text()
    assert "easy for" in onboarding
    assert "40 answers" in onboarding


@pytest.mark.requirement("R63", "R64", "R68")
async def test_the_overview_says_what_got_better_what_worse_and_why_nothing_can_be_said(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores")
    short = page.locator("main > .card", has_text="Did it get better or worse?")
    said = [" ".join(text.split()) for text in await short.locator("li").all_inner_texts()]
    assert [line.split(" (")[0] for line in said] == [
        "worse Support ticket resolved",
        "better Onboarding",
        "no detectable change Before renewal",
        "nothing can be said yet Order delivered",
    ]
    support = await page.get_by_role("article", name="Support ticket resolved").inner_text()
    assert "Worse than before by" in support
    assert "more than chance explains" in support
    renewal = await page.get_by_role("article", name="Before renewal").inner_text()
    assert "may be chance: with so many answers only a change of about" in renewal
    delivery = await page.get_by_role("article", name="Order delivered").inner_text()
    assert "3 answers now, 0 answers before; five are needed in each" in delivery


_LINES = """all => all.map(one => { const text = document.createRange(); text.selectNodeContents(one);
  return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size })"""
"""In how many lines the text of each stands; a script."""
_BEYOND = """all => Math.max(...all.map(one => one.getBoundingClientRect().right
  - one.parentElement.closest('main, .card').getBoundingClientRect().right))"""
"""By how many pixels the farthest of them stands out of its card or page; a script."""


async def test_on_the_narrowest_phones_all_ways_are_seen_and_each_in_one_line(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    reader, narrow = Reader(browser, url, tokens["rep in Spanish"]), (360, 780)
    page = await reader.opens("/scores/results", size=narrow)
    assert "Por qué" in await page.locator(".nav").inner_text()
    for ways in (page.locator(".nav a"), page.locator(".tabs a")):
        assert set(await ways.evaluate_all(_LINES)) == {1}
    assert await page.locator(".tabs a").evaluate_all(_BEYOND) <= 0
    page = await reader.opens("/scores?programme=driven&period=365", size=narrow)
    assert await page.locator("td .chart.share").evaluate_all(_BEYOND) < 0


@pytest.mark.requirement("R57", "R62")
async def test_a_programme_is_read_in_four_ways_and_by_cohort(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens("/scores?programme=renewal")
    text = await page.locator("main").inner_text()
    for reading in ("Every person once", "Every account once", "By annual value", "Decision makers alone"):
        assert reading in text
    assert "67% of accounts" in text
    assert "by the week they were asked" in text


@pytest.mark.requirement("R42", "R65", "R66")
async def test_a_programme_names_its_focus_areas_in_words(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores?programme=driven&period=365")
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "Delivery time: it goes with the score more than most, and 45% are satisfied with it" in text
    assert "Importance and satisfaction" in text
    # 44 of 80 rated it 2, 36 gave 5.
    bar = page.get_by_role("img", name="Delivery time. Satisfied: 36, Neutral: 0, Unhappy: 44")
    assert await bar.is_visible()
    row = page.get_by_role("row", name="DHL carrier")
    assert "worse" in await row.inner_text()
    lane = page.get_by_role("row", name="north lane")
    assert "may be chance" in await lane.inner_text()
    wish = page.get_by_role("row", name="Price")
    assert "75%" in await wish.inner_text()


@pytest.mark.requirement("R70", "R84")
async def test_comments_tell_themes_to_all_and_words_to_whom_they_were_given(
    browser: Browser,
    database: OpenDatabase,
    clock: FixedClock,
    own_address: tuple[str, dict[str, str]],
    tmp_path: Path,
) -> None:
    url, tokens = own_address
    await spoken(await database("scoring"), clock, comments_of(clock.now()))
    page = await Reader(browser, url, tokens["rep"]).opens("/scores/comments")
    await looked_at(page, tmp_path)
    row = page.get_by_role("row", name="Delivery time")
    assert "logistics" in await row.inner_text()
    bar = row.get_by_role("img", name="positive: 1, neither: 0, negative: 2")
    assert await bar.is_visible()
    proposed = row.get_by_role("link", name="Propose an improvement")
    assert await proposed.get_attribute("href") == "/improvements/new?theme=delivery_time&programme="
    await row.get_by_role("link", name="Delivery time", exact=True).click()
    assert "theme=delivery_time" in page.url
    assert await page.get_by_role("article").count() == 3
    link = page.get_by_role("article").first.get_by_role("link", name="Propose an improvement")
    assert re.fullmatch(
        r"/improvements/new\?response=[0-9a-f-]{36}&theme=delivery_time",
        await link.get_attribute("href") or "",
    )
    assert await page.get_by_role("article").first.get_by_role("link", name="Northwind").is_visible()
    seen = await Reader(browser, url, tokens["viewer"]).opens("/scores/comments")
    assert await seen.get_by_role("article").count() == 1
    assert await seen.get_by_role("link", name="Propose an improvement").count() == 0
    assert "may be shown" in await seen.get_by_role("article").inner_text()
    assert "Northwind" not in await seen.locator("main").inner_text()
    assert "Delivery time" in await seen.locator("main").inner_text()


async def _card(page: Page, folder: Path, name: str) -> tuple[Locator, str]:
    """A part of a page that is looked at, and what it says."""
    await looked_at(page, folder)
    card = page.get_by_role("region", name=name)
    return card, " ".join((await card.inner_text()).split())


@pytest.mark.requirement("R68", "R70", "R80")
async def test_a_theme_that_rises_stands_on_the_overview_and_leads_to_its_comments(
    browser: Browser,
    database: OpenDatabase,
    clock: FixedClock,
    own_address: tuple[str, dict[str, str]],
    tmp_path: Path,
) -> None:
    url, tokens = own_address
    await risen(await database("scoring"), clock)
    page = await Reader(browser, url, tokens["rep"]).opens("/scores")
    card, told = await _card(page, tmp_path, "What more customers speak of than before")
    assert "50% of the comments of the last 30 days name it, where 0% were to be expected" in told
    assert "(20 of 40 and 0 of 80 comments)" in told
    assert "20 customers named it; 20 of these comments complain." in told
    await card.get_by_role("link", name="Invoices", exact=True).click()
    assert "theme=billing" in page.url
    assert await page.get_by_role("article").count() == 20
    assert await page.get_by_role("region", name="What more customers speak of than before").is_visible()
    seen = await Reader(browser, url, tokens["es"]).opens("/scores", axe=False)
    assert await seen.get_by_role("heading", name="De qué hablan más clientes que antes").is_visible()
    assert await seen.get_by_role("link", name="Propose an improvement").count() == 0


@pytest.mark.requirement("R68")
async def test_churn_that_rises_stands_on_the_overview_with_what_happened(
    browser: Browser,
    database: OpenDatabase,
    clock: FixedClock,
    own_address: tuple[str, dict[str, str]],
    tmp_path: Path,
) -> None:
    url, tokens = own_address
    await left_more(await database("scoring"), clock)
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores")
    card, told = await _card(page, tmp_path, "More customers leave than before")
    assert "6 of about 58 customers left in the last 30 days, where 0.2 were to be expected" in told
    assert "They leave between" in told
    assert "Account tier: Small accounts." in told
    assert "Release" in told
    await card.get_by_role("link", name="Did those who were unhappy leave?").click()
    assert page.url.endswith("/scores/results#outcomes")


@pytest.mark.requirement("R64")
async def test_on_paper_the_colours_of_a_chart_keep_their_key(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    """Browsers print no backgrounds unless a style asks for them, and the key is a background."""
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores?programme=renewal-nps", axe=False)
    await page.emulate_media(media="print")
    keys = page.locator(".legend .swatch").filter(visible=True)
    assert await keys.count() >= 3
    kept = await keys.evaluate_all("all => all.map(one => getComputedStyle(one).printColorAdjust)")
    assert set(kept) == {"exact"}
    assert not await page.get_by_role("navigation").first.is_visible()


@pytest.mark.requirement("R9", "R69", "R86")
async def test_the_page_of_results_says_what_can_be_said(
    browser: Browser, address: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores/results")
    await looked_at(page, tmp_path)
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "No group of programmes has a goal" in text
    assert "No change was reported within a year" in text
    assert "No account that had answered was renewed or ended within a year" in text
    row = page.get_by_role("row", name="Excellent").first
    assert "+50" in await row.inner_text()
    await page.set_viewport_size({"width": 360, "height": 800})
    tall = "all => all.map(b => b.offsetHeight / parseFloat(getComputedStyle(b).fontSize))"
    names = (
        await page.locator("#beside").locator("xpath=ancestor::section").locator("td b").evaluate_all(tall)
    )
    assert len(names) >= 2
    assert max(names) < 2, "no name breaks inside a word"


@pytest.mark.requirement("R63", "R86")
async def test_goals_stand_with_their_doubt_on_a_phone_too(
    browser: Browser, database: OpenDatabase, tmp_path: Path
) -> None:
    db = await database("scoring")
    clock = FixedClock(db.clock.now())
    earlier = clock.now() - timedelta(days=10)
    by = {"baseline": "3mo", "by": f"{(clock.now() + timedelta(days=90)).date()}"}
    told: list[Payload] = [
        aiming(programme, group, {"metric": metric, "change": change, **by})
        for programme, group, metric, change in (
            ("renewal", "keep", "nps", "+20"), ("support", "stay", "cancellations", "-30%"),
        )
    ]  # fmt: skip
    for number in range(40):
        said = snapshot(account_id=account_id(100 + number))
        told.append(answer(number, (9, 9, 3)[number % 3], at=earlier, first_at=earlier, snapshot=said))
    told += [happened(ContextKind.CHURN, "contract.ended", earlier, number) for number in range(1, 10)]
    await Scoring(db).take(*told)
    access = access_to(db, clock)
    async with served(application(db, clock, access)) as url:
        page = await Reader(browser, url, await signed_in(access)).opens("/scores/results")
        await looked_at(page, tmp_path)
        goals = page.get_by_role("region", name="Goals").get_by_role("row")
        score, events = [" ".join((await goals.nth(row).inner_text()).split()) for row in (1, 2)]
    assert re.search(r"\+35 [+−]?\d+ … \+\d+ \(40\) – \(0\)", score), score
    assert "3.0 in 30 days 1.4 … 5.7 (9)" in events


@pytest.mark.requirement("R8")
async def test_programmes_that_tell_who_leaves_and_one_that_might_be_retired_are_seen_at_a_glance(
    browser: Browser, database: OpenDatabase, tmp_path: Path
) -> None:
    db = await database("scoring")
    clock = FixedClock(db.clock.now())
    told = [
        published("pulse", ticket=False), published("support", ticket=True),
        *(account(number) for number in range(1, 41)),
    ]  # fmt: skip
    told += [*contracts(clock.now()), *asked("pulse", clock.now() - timedelta(days=3))]
    told.append(answer(99_999, 9, first_at=clock.now() - timedelta(days=30), snapshot=snapshot("welcome")))
    await Scoring(db).take(*told)
    await learning(db)()
    access = access_to(db, clock)
    async with served(application(db, clock, access)) as url:
        page = await Reader(browser, url, await signed_in(access, Role.REP)).opens("/scores/results")
        await looked_at(page, tmp_path)
        part = page.get_by_role("region", name="Which survey tells who leaves?")
        rows = [" ".join(text.split()) for text in await part.get_by_role("row").all_inner_texts()]
        assert rows[1].startswith("Support NPS · support.due 80 Accounts: Would recommend us (NPS)")
        assert rows[1].endswith("tells who leaves")
        assert "does not tell who leaves a difference of 10.0 points is ruled out" in rows[2]
        assert rows[3].endswith("not enough data")
        vain = page.get_by_role("region", name="Consider retiring")
        assert "Pulse: surveys sent in 30 days: 7." in await vain.inner_text()
        await part.get_by_role("link", name="320 Accounts").click()
        said = "Would recommend us (NPS), Promoters, Support"
        assert said in " ".join((await page.locator("main").inner_text()).split())


@pytest.mark.requirement("R7", "R8", "R59", "R62")
async def test_an_account_shows_its_health_and_who_was_heard(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens("/scores")
    await page.get_by_role("link", name="Accounts", exact=True).click()
    row = page.get_by_role("row", name="Contoso")
    assert "0 of 1" in await row.inner_text()
    await page.get_by_role("link", name="Contoso", exact=True).click()
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "20% of what it was in the 90 days before" in text
    assert "of 100" in text
    assert "open" in text
    trend = page.get_by_role("region", name="Would recommend us (NPS) · After an event")
    assert await trend.locator("figure table").count() == 1
    told = await trend.text_content()
    assert told
    assert "Q1 2026" in told
    assert "Markup" not in told
    await Reader(browser, url, tokens["viewer"]).opens("/scores/accounts", status=403)


@pytest.mark.requirement("R63")
async def test_few_answers_are_no_number(browser: Browser, address: tuple[str, dict[str, str]]) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores")
    delivery = await page.get_by_role("article", name="Order delivered").inner_text()
    assert "3 answers · nothing can be said yet" in delivery
    assert "% satisfied" not in delivery
    assert "Satisfied 3" in " ".join(delivery.split())
    assert "100%" not in delivery.partition("answered")[0]


@pytest.mark.requirement("R57", "R58")
async def test_the_response_rate_stands_against_its_target(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores?programme=ticket-csat")
    text = await page.locator("main").inner_text()
    assert "90 of 180 asked" in text
    assert "on target" in text
    assert "target 50%, decent from 20%" in text


async def test_filters_are_in_the_address_and_lead_back(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores", size=PHONE)
    await page.get_by_label("Period").select_option("30")
    await page.get_by_role("button", name="Show").click()
    assert "period=30&from=&to=&family=&" in page.url, "a form says, too, what was not chosen"
    assert await page.get_by_role("heading", level=1).inner_text() == "Scores"
    assert await page.locator("main > section > h2").count() == 2
    await page.get_by_label("Kind").select_option("relationship")
    await page.get_by_role("button", name="Show").click()
    assert "period=30" in page.url
    assert await page.locator("main > section > h2").all_inner_texts() == ["Relationship"]
    relationship = page.get_by_role("region", name="Relationship")
    await relationship.get_by_role("link", name="Half-yearly pulse").click()
    assert "programme=pulse-nps" in page.url
    assert "period=30" in page.url
    await page.get_by_role("link", name="All scores").click()
    assert "period=30" in page.url
    assert "family=relationship" in page.url


@pytest.mark.requirement("R64", "R67")
async def test_a_number_leads_to_its_answers_for_whoever_may_read_them(
    browser: Browser,
    database: OpenDatabase,
    clock: FixedClock,
    own_address: tuple[str, dict[str, str]],
    tmp_path: Path,
) -> None:
    url, tokens = own_address
    await spoken(await database("scoring"), clock, comments_of(clock.now()))
    page = await Reader(browser, url, tokens["rep"]).opens("/scores")
    await page.get_by_role("link", name=re.compile("See the answers.*Before renewal")).click()
    assert await page.get_by_role("row").count() == 26
    await page.get_by_role("link", name="Detractors").click()
    assert "group=low" in page.url
    values = await page.locator("td.n").all_inner_texts()
    assert values
    assert {int(text.split()[0]) <= 6 for text in values} == {True}
    assert await page.get_by_text("The delivery was late again and nobody informed us").is_visible()
    await looked_at(page, tmp_path)
    await page.goto(f"{url}/scores?programme=renewal-nps&split=persona")
    row = page.get_by_role("row", name="Decision makers").filter(has=page.get_by_role("link"))
    link = row.get_by_role("link").first
    count = int((await link.inner_text()).split()[0])
    await link.click()
    assert await page.get_by_role("row").count() - 1 == min(count, 25)
    whos = await page.locator("td[data-label=Who]").all_inner_texts()
    assert all("Decision makers" in who for who in whos)
    refused = await page.request.get(f"{url}/scores/answers?programme=renewal-nps&split=colour&of=red")
    assert refused.status == 422
    seen = await Reader(browser, url, tokens["viewer"]).opens("/scores", axe=False)
    assert await seen.get_by_role("link", name="See the answers").count() == 0
    assert (await seen.request.get(f"{url}/scores/answers?programme=renewal-nps")).status == 403


@pytest.mark.requirement("R61", "R67")
async def test_who_says_what_is_broken_down_by_whatever_a_reader_chooses(
    browser: Browser, address: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores?programme=renewal-nps&period=365")
    choice = page.get_by_label("Break down by").first
    assert "Account manager" not in await choice.inner_text()
    await choice.select_option(label="Region")
    await page.locator("form").filter(has=choice).get_by_role("button", name="Show").click()
    assert page.url.endswith("split=region#who-1")
    assert "period=365" in page.url
    assert await page.get_by_label("Break down by").first.input_value() == "region"
    rows = page.get_by_role("table").filter(has_text="Against all others").get_by_role("row")
    text = [" ".join((await rows.nth(row).inner_text()).split()) for row in range(await rows.count())]
    assert [line.split()[0] for line in text] == ["Region", "emea", "amer"], "the most answered first"
    assert await page.get_by_text("Against all others").first.is_visible()
    await looked_at(page, tmp_path)
    spanish = await Reader(browser, url, tokens["es"]).opens("/scores?programme=renewal-nps&split=stage")
    assert await spanish.get_by_label("Desglosar por").first.locator("option:checked").inner_text() == "Etapa"


def _answers_in(text: str) -> list[int]:
    """How many answers each side has, as the page says it."""
    return [int(number) for number in re.findall(r"[AB] [+−]?[0-9–%]+ · ([0-9]+) answers?", text)]


@pytest.mark.requirement("R63", "R67", "R68")
async def test_a_quarter_is_held_against_another_and_leads_to_the_answers_of_each(
    browser: Browser, address: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens("/scores?programme=ticket-csat")
    await page.get_by_role("link", name="Compare side by side").first.click()
    await looked_at(page, tmp_path)
    card = page.get_by_role("article", name="Satisfied (CSAT)")
    text = " ".join((await card.inner_text()).split())
    assert "A is worse than B by 33 points; most likely by" in text
    assert "more than chance explains" in text
    assert _answers_in(text) == [90, 90]
    assert "Every account once" in text
    assert await card.get_by_role("img", name="Side by side").first.is_visible()
    await card.get_by_role("link", name=re.compile("See the answers.*B,")).click()
    assert "metric=csat" in page.url
    assert await page.get_by_role("row").count() == 26
    assert "5 Sept 2025 to 3 Dec 2025" in await page.locator("h1 + p").inner_text()


@pytest.mark.requirement("R61", "R67")
async def test_any_cut_is_held_against_another_by_choosing_in_a_form(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["viewer"]).opens("/scores/compare", size=PHONE)
    a, b = page.get_by_role("group", name="A"), page.get_by_role("group", name="B")
    await a.get_by_label("Only", exact=True).select_option("region:emea")
    await a.get_by_label("and only").select_option("persona:user")
    await b.get_by_label("Only", exact=True).select_option("region:amer")
    await page.get_by_role("button", name="Compare").click()
    assert "a.where=region%3Aemea&a.where=persona%3Auser" in page.url
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "No sums are kept for this cut: its answers were read one by one." in text
    assert "Persona: Users · Region: emea" in text
    assert "Region: amer" in text
    assert await page.locator("#a-where-2").input_value() == "persona:user"
    assert await page.get_by_role("link", name="See the answers").count() == 0
    assert await page.get_by_label("Only", exact=True).first.locator("option[value^=owner]").count() == 0
    refused = await page.request.get(f"{url}/scores/compare?a.where=owner:anna@example.com")
    assert refused.status == 403


@pytest.mark.requirement("R63")
async def test_a_part_is_held_against_all_others_and_a_wrong_pair_says_why_not(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens("/scores?programme=renewal-nps&split=persona")
    await page.get_by_role("link", name=re.compile("Compare.*Users")).click()
    assert "b.others=true" in page.url
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "Before renewal, without Persona: Users" in text
    assert sum(_answers_in(text)[:2]) == 63
    await page.get_by_role("link", name=re.compile("See the answers.*B,")).click()
    whos = await page.locator("td[data-label=Who]").all_inner_texts()
    assert whos
    assert all("Decision makers" in who for who in whos)
    await page.goto(f"{url}/scores/compare?a.programme=renewal-nps&b.from=2020-01-01&b.to=2020-02-01")
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "Nobody on side B answered this question." in text
    assert "asked different questions" not in text
    await page.goto(f"{url}/scores/compare?a.programme=ticket-csat&b.programme=pulse-nps")
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "The two sides were asked different questions." in text
    assert "Nobody on side B answered this question." in text
    await page.goto(f"{url}/scores/compare?a.programme=delivery-csat&b.programme=delivery-csat")
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "Nobody on side B answered this question." in text
    assert "–" in text
    await page.goto(f"{url}/scores/compare?b.period=same")
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "Both sides are the same answers: there is nothing to compare." in text


@pytest.mark.requirement("R60", "R61")
async def test_accounts_are_found_by_a_part_of_their_name(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["rep"]).opens("/scores/accounts", axe=False)
    await page.get_by_label("Name").fill("conto")
    await page.get_by_role("button", name="Show").click()
    assert "tier=&" in page.url
    assert await page.get_by_role("link", name="Contoso", exact=True).is_visible()
    assert await page.get_by_role("link", name="Northwind").count() == 0


@pytest.mark.requirement("R58")
async def test_account_managers_are_shown_to_reps_and_not_to_viewers(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    seen = await Reader(browser, url, tokens["viewer"]).opens("/scores")
    assert await seen.get_by_text("anna@example.com").count() == 0
    rep = await Reader(browser, url, tokens["rep"]).opens("/scores")
    row = rep.get_by_role("row", name="anna@example.com")
    # 40 + 90 + 3 + 63 + 34 answers, each with a neighbour who kept silent; of 16 nothing is known but that.
    assert "246 of 460 asked" in await row.inner_text()
    assert "on target" in await row.inner_text()


async def test_the_page_speaks_the_readers_language(
    browser: Browser, address: tuple[str, dict[str, str]]
) -> None:
    url, tokens = address
    page = await Reader(browser, url, tokens["es"]).opens("/scores")
    assert await page.get_by_role("heading", level=1).inner_text() == "Puntuaciones"
    assert "Antes de renovar" in await page.locator("main").inner_text()


async def test_a_stranger_is_sent_to_sign_in(browser: Browser, address: tuple[str, dict[str, str]]) -> None:
    url, _ = address
    page = await browser.new_page()
    await page.goto(f"{url}/scores?period=30")
    assert page.url == f"{url}/signin?next=/scores%3Fperiod%3D30"


@pytest.mark.requirement("R71")
async def test_what_a_crm_refused_is_read_and_tried_again(
    browser: Browser,
    database: OpenDatabase,
    clock: FixedClock,
    own_address: tuple[str, dict[str, str]],
    tmp_path: Path,
) -> None:
    url, tokens = own_address
    db = await database("scoring")
    async with db.begin() as tx:
        await tx.conn.execute(
            "insert into crm_records (target, kind, id, state, reason, next_at, changed_at) values "
            "('hubspot', 'account', $1, 'refused', 'several records fit, and none is guessed', $3, null), "
            "('hubspot', 'contact', $2, 'refused', 'FIELD_CUSTOM_VALIDATION_EXCEPTION', $3, null), "
            "('salesforce', 'contact', $2, 'written', '', null, $3)",
            account_id(2), derive("contact", 1), clock.now() + timedelta(hours=1),
        )  # fmt: skip
        until = clock.now() + timedelta(hours=1)
        await crm.hold(tx.conn, "hubspot", [Kind.CONTACT], 2, until, "HTTP 403 MISSING_SCOPES")
    page = await Reader(browser, url, tokens["rep"]).opens("/scores/accounts")
    await page.get_by_role("link", name="Scores in your CRM").click()
    await looked_at(page, tmp_path)
    text = " ".join((await page.locator("main").inner_text()).split())
    assert "HTTP 403 MISSING_SCOPES" in text
    assert "1 written, 0 refused, 0 waiting" in text
    assert "Several records fit, and none is guessed." in text
    assert await page.get_by_role("link", name="Contoso", exact=True).is_visible()
    assert await page.get_by_role("button", name="Try again now").count() == 0
    boss = await Reader(browser, url, tokens["manager"]).opens("/scores/crm")
    await boss.get_by_role("region", name="HubSpot").get_by_role("button", name="Try again now").click()
    assert "/scores/crm" in boss.url
    async with db.read() as conn:
        assert not await crm.held(conn, "hubspot", Kind.CONTACT, db.machine.wall())
    await Reader(browser, url, tokens["viewer"]).opens("/scores/crm", status=403)
