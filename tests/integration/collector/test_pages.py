"""The way of a person, over HTTP, on a real database."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from services.collector.pages.frame import FOLDER
from shared.contracts.directory import ContactErased
from shared.contracts.forms import Bounds, Permission, Question, QuestionType
from shared.contracts.reasons import Reason
from shared.contracts.responses import (
    Mood,
    ResponseAmended,
    ResponseStarted,
    ResponseSubmitted,
    Verdict,
)
from shared.contracts.surveys import CloseTheLoop, Link, SurveyCancelled, SurveyExtended
from tests.support.collector import CES, NPS, START, Collector, contact_id, send, snapshot, survey_id


async def answers(collector: Collector) -> list[dict[str, object]]:
    async with collector.db.read() as conn:
        rows = await conn.fetch("select * from answers order by survey_id, version")
    return [dict(row) for row in rows]


async def observed(collector: Collector) -> list[tuple[str, int | None]]:
    async with collector.db.read() as conn:
        rows = await conn.fetch("select kind, score from observations order by id")
    return [(row["kind"], row["score"]) for row in rows]


@pytest.mark.requirement("R4", "R37", "R50")
async def test_a_person_answers_and_is_counted(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(f"{path}?score=2")
        assert page.status_code == 200
        assert "How easy was it to get started with Routes?" in page.text
        assert 'value="2" checked' in page.text
        collector.wait(30)
        sent = await send(browser, page, path, {"q.ces": "2", "q.hard": "The <b>import</b>\nfailed & failed"})
        assert sent.status_code == 303
        thanks = await browser.get(sent.headers["location"])
    assert "Thank you, Mia" in thanks.text
    assert "within 24 hours" in thanks.text
    assert "The &lt;b&gt;import&lt;/b&gt;\nfailed &amp; failed" in thanks.text
    collector.wait(20)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert (event.mood, event.verdict, event.low) == (Mood.UNHAPPY, Verdict.HUMAN, 3)
    assert (event.asked_at, event.received_at) == (
        START - timedelta(seconds=60),
        START + timedelta(seconds=30),
    )
    assert event.primary_score.value == 2
    assert "import" not in event.model_dump_json()
    assert await collector.words(1, event.words) == {"hard": "The <b>import</b>\nfailed & failed"}
    assert await observed(collector) == [("opened", 2), ("opened", None)]


async def test_looking_answers_nothing(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        for score in range(8):
            await browser.head(f"{path}?score={score}")
            await browser.get(f"{path}?score={score}")
            await browser.get(f"{path}/trap")
    collector.wait(3600)
    assert await collector.settle() == []
    assert await answers(collector) == []
    kinds = [kind for kind, _ in await observed(collector)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"head": 8, "opened": 8, "trap": 8}


async def test_head_is_get_without_a_body(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        head = await browser.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_a_double_click_is_one_answer_and_a_change_is_another(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        for _ in range(2):
            assert (await send(browser, page, path, {"q.ces": "2", "q.hard": "Slow"})).status_code == 303
        collector.wait(60)
        (first,) = await collector.settle()
        edit = await browser.get(f"{path}?edit=1")
        assert 'value="2" checked' in edit.text
        assert ">Slow</textarea>" in edit.text
        collector.wait(30)
        await send(browser, edit, path, {"q.ces": "7", "q.best": "They mended it"})
    (second,) = await collector.settle()
    assert isinstance(first, ResponseSubmitted)
    assert isinstance(second, ResponseAmended)
    assert (first.response_id, first.version) == (second.response_id, second.version - 1)
    assert (second.mood, second.first_at) == (Mood.HAPPY, first.received_at)
    assert [row["version"] for row in await answers(collector)] == [1, 2]


async def test_a_click_on_another_score_asks_before_it_changes_anything(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "2"})
        same = await browser.get(f"{path}?score=2")
        other = await browser.get(f"{path}?score=7")
    assert "Thank you" in same.text
    assert "You have answered already." in other.text
    assert 'value="7" checked' in other.text
    assert len(await answers(collector)) == 1


@pytest.mark.requirement("R49")
async def test_what_is_missing_is_named_and_nothing_typed_is_lost(collector: Collector) -> None:
    path = await collector.asked(1, NPS)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        fields = {"q.nps": "9", "q.why": "Nice people", "q.rate:speed": "4", "q.quote": "yes"}
        again = await send(browser, page, path, fields)
        assert again.status_code == 422
        assert again.text.count("Please answer this question.") == 1
        assert 'href="#q.matters"' in again.text
        for kept in (
            'name="q.nps" value="9" checked',
            "Nice people",
            'name="q.rate:speed" value="4" checked',
        ):
            assert kept in again.text
        (started,) = await collector.events()
        assert isinstance(started, ResponseStarted)
        collector.wait(30)
        whole = await send(browser, again, path, {**fields, "q.matters": "people"})
        assert whole.status_code == 303
    await collector.handed_over(1)
    (submitted,) = await collector.settle()
    assert isinstance(submitted, ResponseSubmitted)
    assert submitted.version == 2
    assert submitted.choices == {"matters": ("people",), "quote": ("yes",)}


async def test_an_incomplete_happy_answer_counts_when_the_survey_closes(collector: Collector) -> None:
    path = await collector.asked(1, NPS)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.nps": "9"})
    collector.wait(86_400)
    assert await collector.settle() == []
    collector.wait(30 * 86_400)
    assert [type(event) for event in await collector.settle()] == [ResponseSubmitted]


async def test_a_score_that_cannot_be_read_is_no_answer(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        again = await send(browser, page, path, {"q.ces": "8", "q.hard": "Everything"})
    assert again.status_code == 422
    assert "Please choose one of the numbers." in again.text
    assert "Everything" in again.text
    assert await answers(collector) == []


async def test_a_page_that_was_open_too_long_comes_back_with_what_was_typed(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(13 * 3600)
        again = await send(browser, page, path, {"q.ces": "5", "q.hard": "Wait, <what>?"})
        assert again.status_code == 409
        assert "Nothing you typed is lost" in again.text
        assert "Wait, &lt;what&gt;?" in again.text
        collector.wait(5)
        assert (await send(browser, again, path, {"q.ces": "5"})).status_code == 303
    assert [kind for kind, _ in await observed(collector)] == ["opened", "stale"]


@pytest.mark.parametrize("nonce", ["", "AAAA", "of another survey"])
async def test_without_our_nonce_nothing_is_answered(collector: Collector, nonce: str) -> None:
    path, other = await collector.asked(1), await collector.asked(2)
    async with collector.client() as browser:
        page = await browser.get(other)
        value = page.text.split('name="nonce" value="')[1].split('"')[0] if nonce.startswith("of") else nonce
        refused = await browser.post(path, data={"q.ces": "1", "nonce": value})
        forged = await browser.post(path, data={"q.ces": "1"})
    assert (refused.status_code, forged.status_code) == (409, 409)
    assert await answers(collector) == []
    assert [kind for kind, _ in await observed(collector)] == ["opened", "stale", "unsigned"]


async def test_unknown_and_altered_links_get_a_plain_page(collector: Collector) -> None:
    path = await collector.asked(1)
    altered = path[:-1] + ("A" if path[-1] != "A" else "B")
    async with collector.client() as browser:
        for link in (altered, "/s/abc", f"/s/{collector.tokens.sign('unsubscribe', survey_id(1))}"):
            for page in (await browser.get(link), await browser.post(link, data={"q.ces": "1"})):
                assert page.status_code == 404
                assert "We do not know this link" in page.text
    assert await observed(collector) == []


async def test_an_erased_person_is_not_even_named(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "2", "q.hard": "Mia was here"})
        async with collector.db.begin() as tx:
            await collector.sealer.destroy(tx.conn, [contact_id(1)])
        erased = ContactErased(contact_id=str(contact_id(1)), version=9, erased_at=collector.clock.now())
        await collector.feed(erased)
        gone = await browser.get(path)
        refused = await send(browser, page, path, {"q.ces": "7"})
    assert (gone.status_code, refused.status_code) == (410, 410)
    assert "Mia" not in gone.text
    assert "Acme" not in gone.text
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert (event.primary_score.value, event.words, event.person) == (2, "", "")
    (row,) = await answers(collector)
    assert (row["words"], row["content"], row["address"]) == ("", "", "")
    later = await collector.asked(1)
    async with collector.client() as browser:
        assert (await browser.get(later)).status_code == 410


async def test_a_survey_of_somebody_already_erased_is_gone_at_once(collector: Collector) -> None:
    erased = ContactErased(contact_id=str(contact_id(5)), version=2, erased_at=START)
    async with collector.db.begin() as tx:
        await collector.sealer.destroy(tx.conn, [contact_id(5)])
    await collector.feed(erased)
    path = await collector.asked(5)
    async with collector.client() as browser:
        assert (await browser.get(path)).status_code == 410
    async with collector.db.read() as conn:
        (survey,) = await conn.fetch("select person, slots, state from surveys")
        (seen,) = await conn.fetch("select address from observations")
    assert tuple(survey) == ("", "{}", "erased")
    assert seen["address"] == ""


async def test_a_link_that_was_faster_than_its_survey_leaves_no_address_of_somebody_erased(
    collector: Collector,
) -> None:
    async with collector.client() as browser:
        await browser.get(collector.path(5))
    async with collector.db.begin() as tx:
        (before,) = await tx.conn.fetch("select address from observations")
        await collector.sealer.destroy(tx.conn, [contact_id(5)])
    await collector.feed(ContactErased(contact_id=str(contact_id(5)), version=2, erased_at=START))
    await collector.asked(5)
    async with collector.db.read() as conn:
        (after,) = await conn.fetch("select address from observations")
    assert before["address"] != ""
    assert after["address"] == ""


@pytest.mark.requirement("R45", "R48")
async def test_who_comes_too_late_may_ask_to_be_contacted(collector: Collector) -> None:
    path = await collector.asked(1)
    collector.wait(30 * 86_400)
    async with collector.client() as browser:
        page = await browser.get(path)
        assert page.status_code == 410
        assert "2 April 2026" in page.text
        noted = await send(browser, page, f"{path}/contact", {})
        assert noted.status_code == 200
        assert "We have noted" in noted.text
        late = await send(browser, page, path, {"q.ces": "7"})
        assert late.status_code == 410
        unsigned = await browser.post(f"{path}/contact", data={})
        assert unsigned.status_code == 410
    assert await answers(collector) == []
    assert [kind for kind, _ in await observed(collector)] == ["opened", "contact_wanted", "opened", "stale"]


@pytest.mark.requirement("R48")
async def test_an_extended_survey_opens_again_and_a_cancelled_one_closes(collector: Collector) -> None:
    path = await collector.asked(1)
    collector.wait(31 * 86_400)
    async with collector.client() as browser:
        assert (await browser.get(path)).status_code == 410
        until = collector.clock.now() + timedelta(days=5)
        head = {"survey_id": str(survey_id(1)), "snapshot": snapshot(1)}
        await collector.feed(SurveyExtended.model_validate({**head, "version": 2, "closes_at": until}))
        assert (await browser.get(path)).status_code == 200
        cancelled = SurveyCancelled.model_validate(
            {**head, "version": 3, "reason": Reason.CANCELLED, "cancelled_at": until}
        )
        await collector.feed(cancelled)
        await collector.feed(SurveyExtended.model_validate({**head, "version": 2, "closes_at": until}))
        assert (await browser.get(path)).status_code == 410


async def test_a_link_before_its_survey_waits_by_itself(collector: Collector) -> None:
    path = collector.path(7)
    async with collector.client() as browser:
        early = await browser.get(f"{path}?score=3")
        assert (early.status_code, early.headers["retry-after"]) == (503, "5")
        assert '<meta http-equiv="refresh" content="5">' in early.text
        await collector.asked(7)
        assert (await browser.get(f"{path}?score=3")).status_code == 200
    assert await observed(collector) == [("opened", 3), ("opened", 3)]


@pytest.mark.parametrize(
    ("query", "accepted", "locale", "expected"),
    [
        pytest.param("", "", "sv", "Hur lätt var det", id="the survey's language"),
        pytest.param("?lang=es", "", "sv", "¿Qué tan fácil", id="the one clicked"),
        pytest.param("", "es", "sv", "Hur lätt var det", id="the survey's before the browser's"),
        pytest.param("?lang=xx", "", "de-CH", "How easy", id="English when nothing fits"),
        pytest.param("?lang=../../etc", "", "es-MX", "How easy", id="nonsense"),
    ],
)
async def test_the_page_speaks_the_reader_s_language(
    collector: Collector, query: str, accepted: str, locale: str, expected: str
) -> None:
    path = await collector.asked(1, snapshot=snapshot(1, locale=locale))
    async with collector.client() as browser:
        page = await browser.get(path + query, headers={"accept-language": accepted})
    assert expected in page.text


async def test_every_page_carries_the_headers_and_stays_small(collector: Collector) -> None:
    path = await collector.asked(1, NPS)
    async with collector.client() as browser:
        pages = [await browser.get(link) for link in (path, "/s/x", f"{path}/trap", collector.path(9))]
        pages.append(await browser.post(path, data={"q.nps": "9"}))
        styles = [
            await browser.get(link)
            for link in ("/static/afterword.css", "/s/-/survey.css", "/s/-/brand-0b6e4f.css")
        ]
    for page in pages:
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert page.text.count("<script") == page.text.count('<script src="/s/-/survey.js?')
        assert "style=" not in page.text
    assert all(style.status_code == 200 for style in styles)
    assert len(pages[0].content) + sum(len(style.content) for style in styles) < 60_000


async def test_a_brand_can_put_nothing_but_a_colour_into_the_style_sheet(collector: Collector) -> None:
    async with collector.client() as browser:
        for name in ("brand-0b6e4f}.css", "brand-xyz.css", "brand-0B6E4F.css", "../app.py", "brand-0b6e4f"):
            assert (await browser.get(f"/s/-/{name}")).status_code == 404


async def test_too_much_is_refused(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        large = await send(browser, page, path, {"q.ces": "1", "q.hard": "x" * 300_000})
        many = await browser.post(path, data={f"q.{n}": "1" for n in range(500)})
        long = await send(browser, page, path, {"q.ces": "1", "q.hard": "x" * 4001})
    assert (large.status_code, many.status_code, long.status_code) == (413, 413, 422)
    assert "4,000 characters" in long.text
    assert "x" * 4001 in long.text


async def test_a_flood_on_one_link_is_slowed_down_and_an_office_is_not(collector: Collector) -> None:
    paths = [await collector.asked(number) for number in range(1, 41)]
    async with collector.client() as office:
        assert {(await office.get(path)).status_code for path in paths for _ in range(3)} == {200}
        statuses = [(await office.get(paths[0])).status_code for _ in range(120)]
        assert statuses == [200] * 117 + [429] * 3
        limited = await office.get(paths[0])
        assert limited.headers["retry-after"] == "1"
        collector.machine.advance(2)
        assert (await office.get(paths[0])).status_code == 200


ONWARD = CloseTheLoop(
    happy_links=(
        Link(
            text={"en": "Write a review", "sv": "Skriv en recension"}, url="https://reviews.example/northwind"
        ),
        Link(text={"en": "Nowhere"}, url="javascript:alert(1)"),
    ),
    neutral_links=(Link(text={"en": "What is new"}, url="https://northwind.example/new"),),
    booking_url="https://calendar.example/northwind",
)
CALL = CES.model_copy(
    update={
        "questions": (
            *CES.questions,
            Question(
                id="call_me", type=QuestionType.CONSENT, text={"en": "May we call you?"},
                when={"ces": Bounds(lte=3)}, permission=Permission.CONTACT,
            ),
        )
    }
)  # fmt: skip


async def answered(collector: Collector, number: int, fields: dict[str, str | list[str]]) -> str:
    """The thank-you page after an answer."""
    path = await collector.asked(number, CALL, close_the_loop=ONWARD)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, fields)
        return (await browser.get(path)).text


@pytest.mark.requirement("R45", "R74")
@pytest.mark.parametrize(
    ("fields", "there", "not_there"),
    [
        pytest.param(
            {"q.ces": "7"}, ["https://reviews.example/northwind"],
            ["javascript:", "calendar.example", "northwind.example/new", "call me"], id="a promoter",
        ),
        pytest.param(
            {"q.ces": "5"}, ["https://northwind.example/new"],
            ["reviews.example", "calendar.example", "call me"], id="in between",
        ),
        pytest.param(
            {"q.ces": "2"}, ["May we call you about it?", "https://calendar.example/northwind"],
            ["reviews.example"], id="a detractor",
        ),
        pytest.param(
            {"q.ces": "2", "q.call_me": "yes"},
            ["You asked us to get in touch", "https://calendar.example/northwind"],
            ["May we call you about it?"], id="a detractor who wants a call",
        ),
    ],
)  # fmt: skip
async def test_thanks_lead_on_by_the_group_of_the_score(
    collector: Collector, fields: dict[str, str | list[str]], there: list[str], not_there: list[str]
) -> None:
    page = await answered(collector, 1, fields)
    assert [text for text in there if text not in page] == []
    assert [text for text in not_there if text in page] == []


@pytest.mark.requirement("R45")
async def test_one_click_on_the_thank_you_page_asks_for_a_call_and_changes_nothing_else(
    collector: Collector,
) -> None:
    path = await collector.asked(1, CALL, close_the_loop=ONWARD)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "2", "q.hard": "Line one\nline <two>"})
        collector.wait(30)
        thanks = await browser.get(path)
        collector.wait(5)
        await send(browser, thanks, path, {})
        again = await browser.get(path)
    assert "You asked us to get in touch" in again.text
    collector.wait(60)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert (event.primary_score.value, event.choices) == (2, {"call_me": ("yes",)})
    assert await collector.words(1, event.words) == {"hard": "Line one\nline <two>"}


@pytest.mark.requirement("R49")
async def test_each_step_is_kept_and_gone_on_with_on_another_device(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as phone, collector.client("10.0.0.2") as desk:
        page = await phone.get(path)
        collector.wait(10)
        assert (await send(phone, page, path, {"draft": "1", "q.hard": "Too soon"})).status_code == 422
        assert (await send(phone, page, path, {"draft": "1", "q.ces": "2"})).status_code == 204
        collector.wait(10)
        kept = {"draft": "1", "q.ces": "2", "q.hard": "The import"}
        assert (await send(phone, page, path, kept)).status_code == 204
        collector.wait(600)
        (started,) = await collector.settle() or await collector.events()
        assert isinstance(started, ResponseStarted)
        resumed = await desk.get(path)
        assert "We kept what you chose so far" in resumed.text
        assert 'value="2" checked' in resumed.text
        assert ">The import</textarea>" in resumed.text
        collector.wait(30)
        fields = {"q.ces": "2", "q.hard": "The import of routes"}
        assert (await send(desk, resumed, path, fields)).status_code == 303
        assert (await send(phone, page, path, kept)).status_code == 204
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert await collector.words(1, event.words) == {"hard": "The import of routes"}
    assert [(row["version"], row["draft"], row["complete"]) for row in await answers(collector)] == [
        (1, True, False), (2, True, False), (3, False, True),
    ]  # fmt: skip


@pytest.mark.requirement("R49", "R72")
async def test_an_unhappy_person_who_never_pressed_the_button_is_heard_half_an_hour_later(
    collector: Collector,
) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(10)
        await send(browser, page, path, {"draft": "1", "q.ces": "2"})
        collector.wait(1799)
        assert await collector.settle() == []
        collector.wait(1)
        (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert event.mood is Mood.UNHAPPY


async def test_a_page_with_all_its_files_stays_under_60_kb(collector: Collector) -> None:
    """The longest form that a relationship survey may have, filled to the limit of one text."""
    path = await collector.asked(1, NPS)
    async with collector.client() as browser:
        page = await browser.get(f"{path}?score=9&lang=de")
        collector.wait(30)
        again = await send(browser, page, path, {"q.nps": "9", "q.why": "é" * 4000})
        files = re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js)[^"]*)"', page.text)
        sizes = [len((await browser.get(unescape(file))).content) for file in files]
    assert len(files) == 4
    assert len(page.content) + sum(sizes) < 60_000
    assert len(again.content) + sum(sizes) < 60_000


async def test_pages_are_ready_for_writing_from_right_to_left(collector: Collector) -> None:
    arabic = CES.model_copy(update={"title": {"ar": "البداية"}})
    path = await collector.asked(1, arabic)
    async with collector.client() as browser:
        page = await browser.get(path)
    assert '<html lang="en" dir="ltr">' in page.text
    assert '<h1 class="topic" dir="auto">البداية</h1>' in page.text
    assert '<textarea dir="auto"' in page.text
    sheet = (FOLDER / "static" / "survey.css").read_text()
    assert (
        re.findall(r"(?:margin|padding|border|inset)-(?:left|right)|[^-]left:|[^-]right:|float", sheet) == []
    )
