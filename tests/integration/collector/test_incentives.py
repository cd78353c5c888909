"""What is promised to whoever answers is told on the pages, and is recorded with the answer."""

from __future__ import annotations

import csv
import io

import pytest

from shared.contracts.directory import ContactErased
from shared.contracts.forms import Letter
from shared.security.roles import Scope
from tests.support.collector import Collector, contact_id, send, survey_id

PROMISE = Letter(
    subject={"en": "A question"},
    incentive={
        "en": "For your answer, {first_name}, we plant a tree.",
        "sv": "Vi planterar ett träd & en buske.",
    },
)
PLAIN = Letter(subject={"en": "A question"})
pytestmark = pytest.mark.requirement("R55")


async def answered(collector: Collector, number: int, letter: Letter = PLAIN) -> list[str]:
    """The survey, its Swedish twin and the thanks, as somebody sees them who answers."""
    path = await collector.asked(number, letter=letter)
    await collector.handed_over(number)
    async with collector.client() as browser:
        page = await browser.get(path)
        swedish = await browser.get(path, params={"lang": "sv"})
        collector.wait(30)
        thanks = await send(browser, page, path, {"q.ces": "6"})
        shown = await browser.get(thanks.headers["location"])
    collector.wait(60)
    await collector.settle()
    return [page.text, swedish.text, shown.text]


async def test_a_promise_is_told_before_and_after_the_answer(collector: Collector) -> None:
    page, swedish, thanks = await answered(collector, 1, letter=PROMISE)
    assert page.count("For your answer, Mia, we plant a tree.") == 1
    assert thanks.count("For your answer, Mia, we plant a tree.") == 1
    assert "Vi planterar ett träd &amp; en buske." in swedish


async def test_where_nothing_was_promised_nothing_is_told(collector: Collector) -> None:
    assert not any("plant" in page for page in await answered(collector, 1))


async def test_lists_and_files_say_for_which_answers_something_was_promised(collector: Collector) -> None:
    await answered(collector, 1, letter=PROMISE)
    await answered(collector, 2)
    collector.wait(10)
    _, key = await collector.access.create_key("test", [Scope.RESPONSES_READ, Scope.EXPORTS_READ])
    async with collector.client() as client:
        client.headers.update({"authorization": f"Bearer {key}", "accept": "application/json"})
        listed = (await client.get("/v1/responses")).json()["responses"]
        exported = await client.get("/v1/responses/export")
    told = {one["survey_id"]: one["incentive"] for one in listed}
    assert told == {str(survey_id(1)): True, str(survey_id(2)): False}
    rows = csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig")))
    assert [row["incentive"] for row in rows] == ["yes", "no"]


async def test_erasure_keeps_that_something_was_promised_and_no_person(collector: Collector) -> None:
    await answered(collector, 1, letter=PROMISE)
    erased = ContactErased(contact_id=str(contact_id(1)), version=2, erased_at=collector.clock.now())
    await collector.feed(erased)
    async with collector.db.read() as conn:
        kept = await conn.fetchval("select incentive from surveys")
    assert "{first_name}" in kept, "the words of the programme, not those to a person"
