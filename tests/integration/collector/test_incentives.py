"""What is promised to whoever answers is told on the pages, and is recorded with the answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.collector.domain.review import Why
from services.collector.handlers.review import Review
from shared.contracts.directory import ContactErased
from shared.contracts.forms import Letter
from shared.contracts.responses import IncentiveChanged, ResponseSubmitted
from shared.security.roles import Scope
from tests.support.collector import Collector, contact_id, send, snapshot, survey_id

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


@pytest.fixture
async def giver(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    """The backend that hands out rewards."""
    scopes = [Scope.RESPONSES_READ, Scope.EXPORTS_READ, Scope.INCENTIVES_WRITE]
    _, key = await collector.access.create_key("rewards", scopes)
    async with collector.client() as client:
        client.headers.update({"authorization": f"Bearer {key}", "accept": "application/json"})
        yield client


async def give(giver: httpx.AsyncClient, number: int, **told: object) -> httpx.Response:
    return await giver.put(f"/v1/incentives/{survey_id(number)}/redemption", json=told)


async def listed(collector: Collector, giver: httpx.AsyncClient, **wanted: str) -> dict[str, str]:
    """States by survey."""
    collector.wait(10)
    found = (await giver.get("/v1/incentives", params=wanted)).json()["incentives"]
    return {one["survey_id"]: one["state"] for one in found}


async def changes(collector: Collector) -> list[IncentiveChanged]:
    return [one for one in await collector.events() if isinstance(one, IncentiveChanged)]


async def test_what_was_earned_waits_to_be_given_and_is_recorded_once(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    await answered(collector, 1, letter=PROMISE)
    (submitted,) = [one for one in await collector.events() if isinstance(one, ResponseSubmitted)]
    assert submitted.incentive
    collector.wait(10)
    (one,) = (await giver.get("/v1/incentives", params={"state": "earned"})).json()["incentives"]
    assert (one["survey_id"], one["response_id"]) == (str(survey_id(1)), submitted.response_id)
    assert (one["contact_id"], one["redeemed_at"]) == (str(contact_id(1)), None)
    assert one["promise"] == "For your answer, {first_name}, we plant a tree."
    at = (collector.clock.now() - timedelta(minutes=1)).isoformat()
    first = await give(giver, 1, redeemed_at=at, reference="V-1")
    again = await give(giver, 1, redeemed_at=collector.clock.now().isoformat(), reference="V-1")
    assert [(done.status_code, done.json()["repeated"]) for done in (first, again)] == [
        (200, False),
        (200, True),
    ]
    assert again.json()["redeemed_at"] == first.json()["redeemed_at"]
    assert await listed(collector, giver, state="earned") == {}
    assert await listed(collector, giver, state="redeemed") == {str(survey_id(1)): "redeemed"}
    (event,) = await changes(collector)
    assert (event.survey_id, event.version, event.reference) == (str(survey_id(1)), 1, "V-1")
    assert event.redeemed_at is not None
    assert event.redeemed_at.isoformat() == at
    async with collector.db.read() as conn:
        (line,) = await conn.fetch(
            "select actor, subject from access.audit where action = 'incentive.redeemed'"
        )
    assert (line["actor"].partition(":")[0], line["subject"]) == ("key", str(survey_id(1)))


async def test_a_record_that_was_wrong_is_taken_back_and_made_anew(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    await answered(collector, 1, letter=PROMISE)
    await give(giver, 1, reference="V-1")
    path = f"/v1/incentives/{survey_id(1)}/redemption"
    assert [(await giver.delete(path)).status_code for _ in range(2)] == [204, 204]
    assert await listed(collector, giver, state="earned") == {str(survey_id(1)): "earned"}
    assert (await give(giver, 1, reference="V-2")).json()["reference"] == "V-2"
    told = [(one.version, one.reference, one.redeemed_at is None) for one in await changes(collector)]
    assert told == [(1, "V-1", False), (2, "", True), (3, "V-2", False)]


async def test_what_cannot_be_recorded_is_refused_in_words_and_can_be_found(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    await answered(collector, 1, letter=PROMISE)
    await give(giver, 1, reference="V-1")
    await answered(collector, 2)
    await collector.asked(3, letter=PROMISE)
    await collector.held(4, letter=PROMISE)
    await answered(collector, 5, letter=PROMISE)
    ahead = (collector.clock.now() + timedelta(days=1)).isoformat()
    told = [
        await give(giver, 1, reference="V-2"),
        await give(giver, 2),
        await give(giver, 3),
        await give(giver, 4),
        await give(giver, 5, redeemed_at=ahead),
        await give(giver, 6),
        await give(giver, 6),
    ]
    assert [(one.status_code, one.json().get("field", "")) for one in told] == [
        (409, "reference"), (409, ""), (409, ""), (409, ""), (422, "redeemed_at"), (404, ""), (404, ""),
    ]  # fmt: skip
    assert "under another reference" in told[0].json()["detail"]
    assert all(one.json()["what_to_do"] for one in told)
    found = (await giver.get("/v1/incentives/refusals")).json()["refusals"]
    by_survey = {one["survey_id"]: (one["reason"], one["times"]) for one in found}
    reasons = ("otherwise", "not_promised", "not_answered", "held", "ahead")
    assert by_survey == {
        **{str(survey_id(number)): (reason, 1) for number, reason in enumerate(reasons, start=1)},
        str(survey_id(6)): ("unknown", 2),
    }
    assert len(await changes(collector)) == 1
    counted = REGISTRY.get_sample_value("afterword_collector_redemptions_total", {"result": "not_promised"})
    assert counted is not None
    assert counted >= 1


async def test_bodies_that_are_wrong_are_refused(giver: httpx.AsyncClient) -> None:
    wrong: list[dict[str, Any]] = [
        {"redeemed_at": 5}, {"redeemed_at": "2026-03-03T09:00:00"}, {"reference": "x" * 201},
        {"reference": "a\nb"}, {"voucher": "V-1"},
    ]  # fmt: skip
    assert [(await give(giver, 1, **one)).status_code for one in wrong] == [422] * 5
    unheard = await giver.get("/v1/incentives/export", params={"programme": "\0"})
    assert (unheard.status_code, unheard.json()["field"]) == (422, "programme")


async def test_only_who_may_hand_out_rewards_records_them(collector: Collector) -> None:
    await answered(collector, 1, letter=PROMISE)
    _, key = await collector.access.create_key("reader", [Scope.RESPONSES_READ])
    async with collector.client() as reader:
        reader.headers.update({"authorization": f"Bearer {key}", "accept": "application/json"})
        assert (await give(reader, 1)).status_code == 403
        assert (await reader.delete(f"/v1/incentives/{survey_id(1)}/redemption")).status_code == 403
        assert (await reader.get("/v1/incentives/export")).status_code == 403
        assert (await reader.get("/v1/incentives")).status_code == 200


async def test_each_promise_stands_somewhere_and_counts_say_how_many(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    soon = collector.clock.now() + timedelta(days=1)
    await collector.asked(1, letter=PROMISE)
    await collector.asked(2, letter=PROMISE, closes_at=soon)
    await answered(collector, 3, letter=PROMISE)
    await answered(collector, 4, letter=PROMISE)
    await give(giver, 4)
    await collector.held(5, letter=PROMISE)
    await answered(collector, 6, letter=PROMISE)
    await collector.feed(
        ContactErased(contact_id=str(contact_id(6)), version=2, erased_at=collector.clock.now())
    )
    await answered(collector, 7)
    await collector.held(8, letter=PROMISE, snapshot=snapshot(8, test=True))
    collector.wait(timedelta(days=2).total_seconds())
    assert await listed(collector, giver) == {
        str(survey_id(number)): state
        for number, state in {
            1: "promised", 2: "lapsed", 3: "earned", 4: "redeemed", 5: "held", 6: "lapsed",
        }.items()
    }  # fmt: skip
    for state, number in {"promised": 1, "earned": 3, "redeemed": 4, "held": 5}.items():
        assert await listed(collector, giver, state=state) == {str(survey_id(number)): state}
    assert set(await listed(collector, giver, state="lapsed")) == {str(survey_id(2)), str(survey_id(6))}
    assert await listed(collector, giver, contact=str(contact_id(3))) == {str(survey_id(3)): "earned"}
    assert await listed(collector, giver, programme="other") == {}
    (sums,) = (await giver.get("/v1/incentives/counts")).json()["programmes"]
    assert sums == {
        "programme": "onboarding-ces", "promised": 1, "held": 1, "earned": 1, "redeemed": 1, "lapsed": 2,
    }  # fmt: skip
    erased = (await giver.get(f"/v1/incentives/{survey_id(6)}")).json()
    assert (erased["contact_id"], erased["state"]) == (None, "lapsed")
    assert (await giver.get(f"/v1/incentives/{survey_id(7)}")).status_code == 404


async def test_a_list_is_read_page_after_page_and_later_gives_what_has_changed(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    for number in range(1, 6):
        await answered(collector, number, letter=PROMISE)
    collector.wait(10)
    seen, cursor, more = list[str](), "", list[bool]()
    for _ in range(3):
        page = (await giver.get("/v1/incentives", params={"limit": 2, "cursor": cursor})).json()
        seen += [one["survey_id"] for one in page["incentives"]]
        cursor, more = page["next"], [*more, page["more"]]
    assert seen == [str(survey_id(number)) for number in range(1, 6)]
    assert more == [True, True, False]
    await give(giver, 2)
    collector.wait(10)
    later = (await giver.get("/v1/incentives", params={"cursor": cursor})).json()["incentives"]
    assert [(one["survey_id"], one["state"]) for one in later] == [(str(survey_id(2)), "redeemed")]
    assert (await giver.get("/v1/incentives", params={"cursor": "x"})).status_code == 422


async def test_a_file_holds_them_all(collector: Collector, giver: httpx.AsyncClient) -> None:
    formula = Letter(subject={"en": "A question"}, incentive={"en": "=1+1"})
    await answered(collector, 1, letter=formula)
    await give(giver, 1, reference="-V")
    collector.wait(10)
    exported = await giver.get("/v1/incentives/export")
    (row,) = csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig")))
    assert (row["promise"], row["reference"], row["state"]) == ("'=1+1", "'-V", "redeemed")
    lines = (await giver.get("/v1/incentives/export", params={"format": "ndjson"})).text.splitlines()
    assert [json.loads(line)["reference"] for line in lines] == ["-V"]
    parquet = await giver.get("/v1/incentives/export", params={"format": "parquet"})
    assert parquet.content[:4] == b"PAR1"


async def test_what_counts_no_longer_is_not_to_be_given_but_what_was_given_stays(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    """Two machines' answers are let count by mistake; one of them was rewarded meanwhile."""
    review = Review(collector.db)
    for number in (1, 2):
        await collector.held(number, letter=PROMISE)
        await review.release(survey_id(number), "eva")
    await collector.settle()
    await give(giver, 2)
    assert await listed(collector, giver, state="earned") == {str(survey_id(1)): "earned"}
    for number in (1, 2):
        await review.take_back(survey_id(number), "eva", Why.MISTAKE)
    await collector.settle()
    assert await listed(collector, giver) == {str(survey_id(1)): "held", str(survey_id(2)): "redeemed"}
    assert (await give(giver, 1)).status_code == 409


async def test_erasure_takes_the_number_of_what_was_given_and_keeps_that_it_was(
    collector: Collector, giver: httpx.AsyncClient
) -> None:
    await answered(collector, 1, letter=PROMISE)
    await give(giver, 1, reference="V-1")
    await give(giver, 1, reference="V-2")
    await collector.feed(
        ContactErased(contact_id=str(contact_id(1)), version=2, erased_at=collector.clock.now())
    )
    kept = (await giver.get(f"/v1/incentives/{survey_id(1)}")).json()
    assert (kept["state"], kept["reference"], kept["contact_id"]) == ("redeemed", "", None)
    assert (await giver.get("/v1/incentives/refusals")).json()["refusals"] == []
    assert (await give(giver, 1, reference="V-1")).json()["repeated"] is True
