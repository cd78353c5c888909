"""Answers from a company's own front end, and what people may look at."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from services.collector.handlers import answering
from shared.contracts.responses import ResponseReleased, ResponseSubmitted
from shared.security.roles import Scope
from tests.support.collector import NPS, Collector, contact_id, send, survey_id


def token(collector: Collector, number: int) -> str:
    return collector.tokens.sign("answer", survey_id(number))


async def post(client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    return await client.post("/v1/responses", json=body)


async def test_an_answer_is_stored_once_under_its_key(collector: Collector) -> None:
    await collector.asked(1)
    await collector.handed_over(1)
    body = {"token": token(collector, 1), "answers": {"ces": 6, "best": "The guide"}, "idempotency_key": "k1"}
    async with collector.client() as client:
        first, second = await post(client, body), await post(client, body)
        changed = await post(client, {**body, "answers": {"ces": 1}})
        other = await post(client, {**body, "answers": {"ces": 1}, "idempotency_key": "k2"})
    assert [answer.status_code for answer in (first, second, changed, other)] == [201, 200, 200, 201]
    assert first.json() == {
        "version": 1,
        "mood": "happy",
        "complete": True,
        "errors": [],
    }
    assert changed.json()["version"] == 1
    assert other.json()["version"] == 2
    collector.wait(60)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseSubmitted)
    assert event.primary_score.value == 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        pytest.param({"token": "abc"}, 404, "token", id="unknown link"),
        pytest.param({"answers": {"nps": 11}}, 422, "answers.nps", id="off the scale"),
        pytest.param({"answers": {}}, 422, "answers.nps", id="nothing answered"),
        pytest.param({"answers": [1]}, 422, "$.answers", id="not an object"),
        pytest.param({"idempotency_key": ""}, 422, "$.idempotency_key", id="empty key"),
        pytest.param({"answers": {"nps": 3}}, 202, "answers.matters", id="stored as far as it could be read"),
    ],
)
async def test_a_wrong_answer_is_told_which_field(
    collector: Collector, change: dict[str, Any], status: int, words: str
) -> None:
    await collector.asked(1, NPS)
    async with collector.client() as client:
        refused = await post(client, {"token": token(collector, 1), "answers": {"nps": 9}, **change})
    assert refused.status_code == status
    assert words in refused.text


async def test_what_is_no_answer_is_refused(collector: Collector) -> None:
    await collector.asked(1)
    collector.wait(31 * 86_400)
    async with collector.client() as client:
        closed = await post(client, {"token": token(collector, 1), "answers": {"ces": 6}})
        early = await post(client, {"token": token(collector, 2), "answers": {"ces": 6}})
        broken = await client.post("/v1/responses", content=b"{")
        large = await client.post("/v1/responses", content=b" " * 300_000)
    assert [answer.status_code for answer in (closed, early, broken, large)] == [410, 503, 422, 413]
    assert early.headers["retry-after"] == "5"
    assert closed.headers["content-type"] == "application/problem+json"
    for answer in (closed, early, broken, large):
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


async def test_many_at_once_share_commits_and_all_are_stored(collector: Collector) -> None:
    for number in range(1, 61):
        await collector.asked(number)
    async with collector.client() as client, asyncio.TaskGroup() as tasks:
        posts = [
            tasks.create_task(post(client, {"token": token(collector, number), "answers": {"ces": 5}}))
            for number in [*range(1, 61), *range(1, 11)]
        ]
    statuses = sorted(done.result().status_code for done in posts)
    assert statuses == [200] * 10 + [201] * 60
    async with collector.db.read() as conn:
        assert await conn.fetchval("select count(*) from answers") == 60


async def test_one_link_with_two_answers_at_once_keeps_both_versions(collector: Collector) -> None:
    await collector.asked(1)
    async with collector.client() as client, asyncio.TaskGroup() as tasks:
        for value in (2, 7):
            tasks.create_task(post(client, {"token": token(collector, 1), "answers": {"ces": value}}))
    async with collector.db.read() as conn:
        moods = await conn.fetch("select version, mood from answers order by version")
    assert [row["version"] for row in moods] == [1, 2]
    assert {row["mood"] for row in moods} == {"happy", "unhappy"}


async def test_postgres_away_keeps_the_typed_answer_in_the_page(collector: Collector) -> None:
    path = await collector.asked(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        await collector.db.pool.close()
        lost = await send(browser, page, path, {"q.ces": "2", "q.hard": 'The "import" & <more>'})
        away = await browser.get(path)
        refused = await post(browser, {"token": token(collector, 1), "answers": {"ces": 2}})
    assert (lost.status_code, lost.headers["retry-after"]) == (503, "5")
    assert "The &#34;import&#34; &amp; &lt;more&gt;</textarea>" in lost.text
    assert '<input type="hidden" name="q.ces" value="2">' in lost.text
    assert '<input type="hidden" name="nonce"' in lost.text
    assert away.status_code == 503
    assert "refresh" in away.text
    assert refused.status_code == 503
    assert collector.machine.monotonic() == pytest.approx(2 * answering.PATIENCE_SECONDS, abs=0.5)


async def test_people_see_what_was_held_and_may_vouch_for_it(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1, ago=1)
    async with collector.client("198.51.100.7") as bot:
        await bot.get(f"{path}?score=1")
        page = await bot.get(f"{path}?score=7")
        collector.wait(2)
        await send(bot, page, path, {"q.ces": "1"})
    collector.wait(60)
    await collector.settle()
    async with collector.client() as client, collector.client() as manager:
        _, key = await collector.access.create_key("test", [Scope.RESPONSES_READ])
        headers = {"authorization": f"Bearer {key}"}
        held = (await client.get("/v1/responses/held", headers=headers)).json()["held"]
        seen = await client.get("/v1/observations", params={"survey": str(survey_id(1))}, headers=headers)
        refused = [await client.get("/v1/responses/held", headers={"accept": "*/*"})]
        refused.append(await client.post(f"/v1/responses/{survey_id(1)}/release", headers=headers))
        await collector.sign_in(manager)
        released = await manager.post(f"/v1/responses/{survey_id(1)}/release")
        nothing = await manager.post(f"/v1/responses/{survey_id(2)}/release")
    assert [row["survey_id"] for row in held] == [str(survey_id(1))]
    assert "several_scores_opened" in held[0]["evidence"]
    assert held[0]["contact_id"] == str(contact_id(1))
    assert [row["score"] for row in seen.json()["observations"]] == [1, 7]
    assert "198.51" not in seen.text
    assert [answer.status_code for answer in refused] == [401, 401]
    assert (released.status_code, nothing.status_code) == (202, 404)
    (event,) = await collector.settle()
    assert isinstance(event, ResponseReleased)


async def held_answer(collector: Collector, number: int) -> None:
    """An answer by somebody who opened two scores in haste, held and announced."""
    path = await collector.asked(number)
    await collector.handed_over(number, ago=1)
    async with collector.client("198.51.100.7") as bot:
        await bot.get(f"{path}?score=1")
        page = await bot.get(f"{path}?score=7")
        collector.wait(2)
        await send(bot, page, path, {"q.ces": "1", "q.hard": "<b>Bad</b>"})
    collector.wait(60)
    await collector.settle()
    collector.wait(10)


async def test_a_manager_lets_a_held_answer_count_or_leaves_it_held(collector: Collector) -> None:
    await held_answer(collector, 1)
    await held_answer(collector, 2)
    async with collector.client() as manager:
        assert (await manager.get("/answers/held")).status_code == 303
        await collector.sign_in(manager)
        page = await manager.get("/answers/held")
        assert page.text.count("Count it</button>") == 2
        assert "&lt;b&gt;Bad&lt;/b&gt;" in page.text
        assert '<section class="card"' not in page.text, "two of one company would be landmarks of one name"
        assert "Several scores were opened within ten seconds." in page.text
        assert "Getting started" in page.text
        assert "onboarding-ces" not in page.text, "a programme is named as people call it"
        done = await manager.post(f"/answers/held/{survey_id(1)}/release")
        assert done.headers["location"] == "/answers/held?done=released"
        page = await manager.get(done.headers["location"])
        assert page.text.count("Count it</button>") == 1, "whatever was decided is off the list at once"
        assert "1 answer counts in a moment" in page.text
        told = (await manager.get("/v1/responses/held")).json()["held"]
        assert {one["survey_id"]: one["released"] for one in told} == {
            str(survey_id(1)): True,
            str(survey_id(2)): False,
        }
        assert (await manager.post(f"/answers/held/{survey_id(2)}/keep")).status_code == 303
        (event,) = await collector.settle()
        assert isinstance(event, ResponseReleased)
        assert event.survey_id == str(survey_id(1))
        empty = (await manager.get("/answers/held?done=released")).text
        assert "Nothing is held" in empty
        assert "in a moment" not in empty
        assert "It counts." in empty
        left = await manager.get("/answers/held?looked_at=true")
        assert left.text.count("Count it</button>") == 1
        gone = await manager.post(f"/answers/held/{survey_id(1)}/keep")
        assert gone.status_code == 409
    async with collector.db.read() as conn:
        actions = await conn.fetch("select action, subject from access.audit order by id")
    assert [(row["action"], row["subject"]) for row in actions if row["action"].startswith("answer.")] == [
        ("answer.released", str(survey_id(1))),
        ("answer.left_held", str(survey_id(2))),
    ]
