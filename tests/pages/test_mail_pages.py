"""Mails as people see them, and the page on which they are looked at before anybody gets one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from services.dispatch.channels.preview import Look, Step, Studio, Wanted, in_light
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.model import write_texts
from services.dispatch.domain.wording import LANGUAGES
from shared.contracts.forms import Letter
from shared.contracts.model import Channel, Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.browsing import SIZES, Reader, barriers
from tests.support.databases import OpenDatabase
from tests.support.dispatch import NOW, NPS, ORGANISATION, PUBLIC_URL, mail_room, site_of
from tests.support.score_pages import access_to, signed_in
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("mail_pages")]
WIDTHS = {"phone": 375, "desk": 1000}
OF_PAGES = ("landmark-one-main", "page-has-heading-one", "region")
"""What axe asks of a page of the web; a mail stands inside one that has landmarks and a heading."""

TOUCH = 44
"""Pixels that a finger needs (WCAG 2.5.5)."""

LETTER = Letter(
    subject={
        "en": "How is {product} doing?",
        "es": "¿Qué tal le va con {product}?",
        "sv": "Hur går det med {product}?",
        "de": "Wie läuft es mit {product}?",
        "fr": "Comment se passe {product} ?",
        "pt": "Como vai com {product}?",
    },
    intro={
        "en": "You have worked with {product} for half a year now.",
        "es": "Ya lleva medio año trabajando con {product}.",
        "sv": "Ni har nu arbetat med {product} i ett halvår.",
        "de": "Sie arbeiten nun seit einem halben Jahr mit {product}.",
        "fr": "Vous travaillez avec {product} depuis six mois.",
        "pt": "Já trabalha há meio ano com {product}.",
    },
)
QUESTION = {
    "de": "Wie wahrscheinlich ist es, dass Sie {product} einer Kollegin oder einem Kollegen empfehlen?",
    "fr": "Quelle est la probabilité que vous recommandiez {product} à un collègue ?",
    "pt": "Qual a probabilidade de recomendar {product} a um colega?",
}
FORM = NPS.model_copy(
    update={
        "questions": tuple(
            question.model_copy(update={"text": question.text | QUESTION}) for question in NPS.questions
        )
    }
)
_MEASURE = """() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    lang: document.documentElement.lang,
    direction: getComputedStyle(document.querySelector('.ink div')).direction,
    scores: [...document.querySelectorAll('.cell a')].map(a => {
        const box = a.getBoundingClientRect()
        return {text: a.textContent, height: box.height, left: box.left, right: box.right,
            top: box.top, seen: a.checkVisibility()}
    }),
})"""


async def _faults(page: Page, locale: str, width: int) -> list[str]:
    """What is wrong with a mail on a screen."""
    seen = await page.evaluate(_MEASURE)
    # Contrast and names hang on the light and the width; one language stands for all.
    found = await barriers(page) if locale == "de" else []
    faults = [one for one in found if not one.startswith(OF_PAGES)]
    if seen["wide"] > 0:
        faults.append(f"{seen['wide']} px beyond the right edge")
    if (seen["lang"], seen["direction"]) != (locale, "ltr"):
        faults.append(f"reads as {seen['lang']}, {seen['direction']}")
    if [one["text"] for one in seen["scores"]] != [str(value) for value in range(11)]:
        faults.append("not each score once, in order")
    faults += [
        f"score {one['text']}: {one}"
        for one in seen["scores"]
        if not one["seen"] or one["height"] < TOUCH or one["left"] < 0 or one["right"] > width
    ]
    return faults


@pytest.mark.requirement("R43")
async def test_a_mail_reads_well_in_each_language_width_and_light(browser: Browser, tmp_path: Path) -> None:
    studio = Studio(Renderer(), PUBLIC_URL)
    content = write_texts(FORM, LETTER)
    faults: dict[str, list[str]] = {}
    for size, look in product(WIDTHS, (Look.LIGHT, Look.DARK)):
        page = await browser.new_page(
            viewport={"width": WIDTHS[size], "height": 800},
            color_scheme="dark" if look is Look.DARK else "light",
        )
        for locale in LANGUAGES:
            step = Step.REMINDER if locale == "fr" else Step.INVITATION
            found = studio.show(content, ORGANISATION, Wanted("p", locale, step=step), NOW)
            # The mail as it is sent: the screen's preference alone makes it dark.
            await page.set_content(in_light(found.html, Look.OWN))
            name = f"mail-{locale}-{size}-{look.value}"
            await page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
            if wrong := await _faults(page, locale, WIDTHS[size]):
                faults[name] = wrong
        await page.close()
    assert faults == {}


@pytest_asyncio.fixture(loop_scope="session")
async def address(database: OpenDatabase, sealer: Sealer, tokens: Tokens) -> AsyncIterator[tuple[str, str]]:
    """The served pages, and a viewer's session."""
    async with mail_room(await database("dispatch"), sealer, tokens) as room:
        await room.tell(
            ProgrammePublished(
                programme="relationship-nps",
                version="v",
                revision=1,
                state=ProgrammeState.ACTIVE,
                family=Family.RELATIONSHIP,
                definition={},
                form=FORM,
                letter=LETTER,
                channels=(Channel.EMAIL, Channel.SMS),
            )
        )
        access = access_to(room.db, room.db.clock)
        site = await site_of(room, access)
        async with served(site.app) as url:
            yield url, await signed_in(access)


@pytest.mark.requirement("R43")
async def test_the_preview_page_fits_any_screen_and_has_no_barrier(
    browser: Browser, address: tuple[str, str], tmp_path: Path
) -> None:
    url, token = address
    faults: dict[str, object] = {}
    for size, dark, query in (
        ("desk", False, "locale=de"),
        ("phone", True, "locale=fr&width=phone&look=dark"),
        ("phone", False, "channel=sms&step=reminder"),
        ("desk", True, "channel=webhook"),
    ):
        reader = Reader(browser, url, token)
        page = await reader.opens(f"/messages/preview?{query}", size=SIZES[size], dark=dark)
        if "channel" not in query:
            frame = page.frame(url="**/messages/preview/mail**")
            assert frame is not None
            assert await frame.locator(".cell a").count() == 11
        name = f"page-{size}-{'dark' if dark else 'light'}"
        await page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wrong := [*await barriers(page), *([f"{wide} px too wide"] if wide > 0 else [])]:
            faults[name] = wrong
        await page.context.close()
    assert faults == {}
