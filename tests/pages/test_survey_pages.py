"""The survey page in a real browser: by thumb, by keyboard, with and without scripts, in six languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from shared.contracts.forms import Bounds, Permission, Question, QuestionType
from shared.contracts.responses import Answered, ResponseSubmitted
from shared.contracts.surveys import CloseTheLoop
from tests.support.browsing import SIZES, WIDER, barriers
from tests.support.collector import CES, NPS, PHONE, Collector, snapshot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("survey_pages")]
CALL = CES.model_copy(
    update={
        "questions": (
            *CES.questions,
            Question(
                id="call_me",
                type=QuestionType.CONSENT,
                text={"en": "May we call you?"},
                permission=Permission.CONTACT,
            ),
        )
    }
)
ARABIC = NPS.model_copy(
    update={
        "questions": tuple(
            one.model_copy(update={"text": {"ar": "ما مدى احتمال أن توصي بنا لزميل؟"}})
            for one in NPS.questions
        )
    }
)


async def opened(browser: Browser, *, size: str = "phone", dark: bool = False, scripts: bool = False) -> Page:
    """An empty page; complaints of the browser's console fail the test."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        bypass_csp=False,
        user_agent=PHONE,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.on("console", lambda said: pytest.fail(said.text) if "Content Security" in said.text else None)
    return page


def score(page: Page, value: int) -> Locator:
    """What a thumb touches to choose a value of the first question."""
    return page.locator(".first label", has=page.locator(f"[value='{value}']"))


async def findings(browser: Browser, page: Page) -> list[str]:
    """What axe finds on a copy of the page that lets its script in."""
    context = await browser.new_context(bypass_csp=True, viewport=page.viewport_size)
    copy = await context.new_page()
    await copy.goto(page.url)
    found = await barriers(copy)
    await context.close()
    return found


async def sideways(browser: Browser, url: str, size: str) -> int:
    """By how many pixels the page is wider than its window."""
    page = await opened(browser, size=size, scripts=True)
    await page.goto(url)
    wider: int = await page.evaluate(WIDER)
    return wider


@pytest.mark.requirement("R37", "R38")
@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
async def test_a_person_on_a_phone_answers(
    browser: Browser, address: str, collector: Collector, *, scripts: bool
) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    page = await opened(browser, scripts=scripts)
    await page.goto(f"{address}{path}?score=2")
    await expect(page.get_by_role("radio", name="2")).to_be_checked()
    await expect(page.get_by_label("What made it hard?")).to_be_visible()
    await expect(page.get_by_label("What helped most?")).to_be_hidden()
    await score(page, 6).click()
    await expect(page.get_by_label("What made it hard?")).to_be_hidden()
    await page.get_by_label("What helped most?").fill("The people & <their> patience")
    collector.wait(30)
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.get_by_role("heading", name="Thank you, Mia")).to_be_visible()
    await expect(page.get_by_text("The people & <their> patience")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("6 out of 7")).to_be_visible()
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert event.primary_score.value == 6


async def test_the_keyboard_alone_suffices(browser: Browser, address: str, collector: Collector) -> None:
    path = await collector.asked(1, NPS)
    page = await opened(browser, size="desk")
    await page.goto(address + path)
    await page.get_by_role("link", name="Svenska").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("radio", name="0 (Not at all likely)")).to_be_checked()
    for _ in range(9):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="9", exact=True)).to_be_checked()
    await page.keyboard.press("Tab")
    await page.keyboard.type("Your drivers")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("radio", name="Speed")).to_be_checked()
    for _ in range(4):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("checkbox", name="You may quote me")).to_be_checked()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Send answer")).to_be_focused()
    collector.wait(30)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("9 out of 10")).to_be_visible()
    await expect(page.get_by_text("Your drivers")).to_be_visible()


async def test_nobody_is_told_that_an_answer_is_kept_that_could_not_be_read(
    browser: Browser, address: str, collector: Collector
) -> None:
    path = await collector.asked(1, NPS)
    page = await opened(browser)
    await page.goto(f"{address}{path}?lang=en")
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.get_by_role("alert")).to_contain_text("Please check your answer")
    await expect(page.get_by_text("We kept what you sent")).to_have_count(0)


async def test_what_is_missing_is_said_where_it_is_missing(
    browser: Browser, address: str, collector: Collector
) -> None:
    path = await collector.asked(1, NPS)
    page = await opened(browser)
    await page.goto(f"{address}{path}?score=9&lang=sv")
    await page.get_by_label("Varför detta betyg?").fill("Bra folk")
    collector.wait(30)
    await page.get_by_role("button", name="Skicka svar").click()
    await expect(page.get_by_role("alert")).to_contain_text("Kontrollera ditt svar")
    await expect(page.get_by_role("alert")).to_contain_text(
        "Vi har sparat det du skickade. Något saknas fortfarande."
    )
    await expect(page.get_by_label("Varför detta betyg?")).to_have_value("Bra folk")
    assert await page.title() == "Kontrollera ditt svar: Att arbeta med oss · Northwind"
    await page.get_by_role("alert").get_by_role("link", name="Vad är viktigast?").click()
    await page.get_by_text("Människorna").first.click()
    collector.wait(30)
    await page.get_by_role("button", name="Skicka svar").click()
    await expect(page.get_by_role("heading", name="Tack, Mia")).to_be_visible()


async def test_an_answer_is_changed_and_a_closed_survey_offers_contact(
    browser: Browser, address: str, collector: Collector
) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    page = await opened(browser)
    await page.goto(f"{address}{path}?score=2")
    collector.wait(30)
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.get_by_text("within 24 hours")).to_be_visible()
    await page.get_by_role("link", name="Add or change something").click()
    await expect(page.get_by_role("radio", name="2")).to_be_checked()
    await score(page, 7).click()
    collector.wait(30)
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.get_by_text("We are glad to hear that")).to_be_visible()
    (event,) = await collector.settle()
    assert isinstance(event, Answered)
    assert event.primary_score.value == 7
    collector.wait(40 * 86_400)
    await page.goto(address + path)
    await expect(page.get_by_role("heading", name="This survey is closed")).to_be_visible()
    await page.get_by_role("button", name="Please contact me").click()
    await expect(page.get_by_text("We have noted")).to_be_visible()


@pytest.mark.parametrize(
    "look", [("de", "phone", False), ("sv", "phone", True), ("es", "desk", True), ("ar", "desk", False)]
)
async def test_no_page_has_a_barrier_or_is_cut_off(
    browser: Browser, address: str, collector: Collector, tmp_path: Path, look: tuple[str, str, bool]
) -> None:
    language, size, dark = look
    form = ARABIC if language == "ar" else NPS
    whole = await collector.asked(1, form, snapshot=snapshot(1, locale=language))
    loop = CloseTheLoop(booking_url="https://calendar.example/northwind")
    short = await collector.asked(2, CALL, snapshot=snapshot(2, locale=language), close_the_loop=loop)
    page = await opened(browser, size=size, dark=dark)
    await page.goto(f"{address}{short}?score=2")
    collector.wait(30)
    await page.locator("button").click()
    links = [f"{whole}?score=9", short, f"{short}?edit=1", "/s/unknown"]
    for number, link in enumerate(links):
        await page.goto(address + link)
        await page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
        assert await findings(browser, page) == [], link
        assert await sideways(browser, address + link, size) <= 0, link


async def test_every_target_is_large_enough_for_a_thumb(
    browser: Browser, address: str, collector: Collector
) -> None:
    path = await collector.asked(1, NPS)
    page = await opened(browser, scripts=True)
    await page.goto(f"{address}{path}?score=9")
    targets = page.locator(".score-row label, .option, .button, .langs a")
    boxes = [await target.bounding_box() for target in await targets.all()]
    assert len(boxes) > 30
    assert [box for box in boxes if box is None or box["height"] < 44 or box["width"] < 44] == []


@pytest.mark.requirement("R49")
async def test_a_browser_keeps_each_step_and_another_one_goes_on(
    browser: Browser, address: str, collector: Collector
) -> None:
    path = await collector.asked(1)
    phone = await opened(browser, scripts=True)
    await phone.goto(address + path)
    await score(phone, 2).click()
    await expect(phone.get_by_text("Kept. You can go on later")).to_be_visible()
    await phone.get_by_label("What made it hard?").fill("The import")
    async with phone.expect_response(lambda answer: answer.status == 204):
        await phone.get_by_label("What made it hard?").blur()
    desk = await opened(browser, size="desk")
    await desk.goto(address + path)
    await expect(desk.get_by_label("What made it hard?")).to_have_value("The import")
    await expect(desk.get_by_text("We kept what you chose so far")).to_be_visible()


LANGUAGES = {
    "en": ("Send answer", "Thank you, Mia"),
    "sv": ("Skicka svar", "Tack, Mia"),
    "es": ("Enviar respuesta", "Gracias, Mia"),
    "de": ("Antwort senden", "Danke, Mia"),
    "fr": ("Envoyer la réponse", "Merci, Mia"),
    "pt": ("Enviar resposta", "Obrigado, Mia"),
}
"""The button that sends and the words of thanks, in each language."""


@pytest.mark.requirement("R38")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
async def test_each_language_is_answered_by_keyboard_alone(
    browser: Browser, address: str, collector: Collector, *, scripts: bool
) -> None:
    questions = tuple(
        one.model_copy(update={"text": {tag: f"{one.text['en']} ({tag})" for tag in LANGUAGES}})
        for one in CES.questions
    )
    form = CES.model_copy(update={"questions": questions})
    page = await opened(browser, scripts=scripts)
    for number, (language, (button, thanks)) in enumerate(LANGUAGES.items(), start=1):
        path = await collector.asked(number, form, snapshot=snapshot(number, locale=language))
        await collector.handed_over(number, ago=600)
        await page.goto(address + path)
        await expect(page.locator("html")).to_have_attribute("lang", language)
        for _ in range(len(LANGUAGES) + 1):  # past each language, as somebody does who has no mouse
            await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="2", exact=True)).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.type("Import")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name=button)).to_be_focused()
        collector.wait(30)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name=thanks)).to_be_visible()
        await expect(page.locator(".given")).to_contain_text("Import")
    collector.wait(60)
    settled = await collector.settle()
    assert [type(event) for event in settled] == [ResponseSubmitted] * len(LANGUAGES)


@pytest.mark.requirement("R72")
async def test_yes_and_no_are_two_words_to_press(
    browser: Browser, address: str, collector: Collector
) -> None:
    fixed = Question(
        id="fixed",
        type=QuestionType.YES_NO,
        text={"en": "Did we fix it?"},
        low_label={"en": "No"},
        high_label={"en": "Yes"},
    )
    missing = Question(
        id="missing",
        type=QuestionType.TEXT,
        text={"en": "What is missing?"},
        optional=True,
        when={"fixed": Bounds(eq=0)},
    )
    form = CES.model_copy(update={"primary": "fixed", "low": 0, "questions": (fixed, missing)})
    path = await collector.asked(1, form)
    await collector.handed_over(1)
    page = await opened(browser)
    await page.goto(f"{address}{path}?score=0")
    assert await findings(browser, page) == []
    await expect(page.get_by_role("radio", name="No")).to_be_checked()
    await expect(page.get_by_label("What is missing?")).to_be_visible()
    await score(page, 1).click()
    await expect(page.get_by_label("What is missing?")).to_be_hidden()
    collector.wait(30)
    await page.get_by_role("button", name="Send answer").click()
    await expect(page.locator(".given dd").first).to_have_text("Yes")
