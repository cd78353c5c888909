"""Answers read by programs: page by page, one with its history, and as files."""

from __future__ import annotations

import csv
import importlib
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.contracts.directory import ContactErased
from shared.contracts.responses import ResponseSubmitted
from shared.security.roles import Scope
from tests.support.collector import CES, NPS, START, Collector, contact_id, send, snapshot, survey_id

parquet = importlib.import_module("pyarrow.parquet")


async def keyed(collector: Collector, *scopes: Scope) -> httpx.AsyncClient:
    """A program with a key."""
    _, key = await collector.access.create_key("test", list(scopes))
    client = collector.client()
    client.headers.update({"authorization": f"Bearer {key}", "accept": "application/json"})
    return client


async def answer(collector: Collector, number: int, given: dict[str, Any], **changes: Any) -> None:
    """One answer by the API, announced."""
    form = NPS if "nps" in given else CES
    await collector.asked(number, form, **changes)
    await collector.handed_over(number)
    async with collector.client() as client:
        body = {"token": collector.tokens.sign("answer", survey_id(number)), "answers": given}
        assert (await client.post("/v1/responses", json=body)).status_code == 201
    collector.wait(60)
    await collector.settle()


async def test_a_list_goes_on_where_it_ended_and_shows_each_answer_once(collector: Collector) -> None:
    for number in range(1, 6):
        await answer(collector, number, {"ces": number})
    collector.wait(10)
    seen: list[str] = []
    async with await keyed(collector, Scope.RESPONSES_READ) as client:
        cursor, more = "", True
        while more:
            page = (await client.get("/v1/responses", params={"limit": 2, "cursor": cursor})).json()
            seen += [one["survey_id"] for one in page["responses"]]
            cursor, more = page["next"], page["more"]
        assert seen == [str(survey_id(number)) for number in range(1, 6)]
        assert (await client.get("/v1/responses", params={"cursor": cursor})).json()["responses"] == []
        body = {"token": collector.tokens.sign("answer", survey_id(2)), "answers": {"ces": 7}}
        await client.post("/v1/responses", json=body)
        collector.wait(60)
        await collector.settle()
        early = (await client.get("/v1/responses", params={"cursor": cursor})).json()
        collector.wait(10)
        later = (await client.get("/v1/responses", params={"cursor": cursor})).json()
        wrong = await client.get("/v1/responses", params={"cursor": "abc"})
    assert early == {"responses": [], "next": cursor, "more": False}
    assert [(one["survey_id"], one["primary"]["value"]) for one in later["responses"]] == [
        (str(survey_id(2)), 7)
    ]
    assert wrong.status_code == 422


async def test_one_answer_is_told_with_its_history(collector: Collector) -> None:
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(path)
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "2", "draft": "1"})
        await send(browser, page, path, {"q.ces": "2", "q.hard": "The import"})
        await send(browser, page, path, {"q.ces": "5", "q.hard": "It works now"})
    collector.wait(60)
    await collector.settle()
    async with await keyed(collector, Scope.RESPONSES_READ) as client:
        found = (await client.get(f"/v1/responses/{survey_id(1)}")).json()
        missing = await client.get(f"/v1/responses/{survey_id(2)}")
    assert (found["primary"], found["texts"]) == (
        {"question": "ces", "type": "ces", "value": 5},
        {"hard": "It works now"},
    )
    assert [(one["version"], one["draft"], one["texts"]) for one in found["history"]] == [
        (1, True, {}),
        (2, False, {"hard": "The import"}),
        (3, False, {"hard": "It works now"}),
    ]
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"mood": "unhappy"}, [1]),
        ({"programme": "renewal-nps"}, [3]),
        ({"account": str(snapshot(2).account_id)}, [2]),
        ({"contact": str(contact_id(1))}, [1]),
        ({"since": (START + timedelta(seconds=120)).isoformat()}, [3]),
        ({"until": (START + timedelta(seconds=60)).isoformat()}, [1]),
        ({"state": "held"}, []),
        ({"state": "all"}, [1, 2, 3]),
    ],
)
async def test_a_list_is_filtered(collector: Collector, filters: dict[str, str], numbers: list[int]) -> None:
    await answer(collector, 1, {"ces": 2})
    await answer(collector, 2, {"ces": 6})
    await answer(collector, 3, {"nps": 9, "matters": "speed"}, snapshot=snapshot(3, programme="renewal-nps"))
    await answer(collector, 4, {"ces": 1}, snapshot=snapshot(4, test=True))
    collector.wait(10)
    async with await keyed(collector, Scope.RESPONSES_READ) as client:
        found = await client.get("/v1/responses", params=filters)
    assert [one["survey_id"] for one in found.json()["responses"]] == [str(survey_id(n)) for n in numbers]


async def test_who_may_not_read_or_asks_wrongly_is_told_so(collector: Collector) -> None:
    async with await keyed(collector, Scope.SCORES_READ) as other:
        refused = [await other.get(path) for path in ("/v1/responses", "/v1/responses/export")]
    async with await keyed(collector, Scope.RESPONSES_READ) as client:
        refused.append(await client.get("/v1/responses/export"))
        naive = await client.get("/v1/responses", params={"since": "2026-03-03T10:00:00"})
    assert [one.status_code for one in refused] == [403, 403, 403]
    assert (naive.status_code, naive.json()["field"]) == (422, "since")


async def test_three_kinds_of_files_say_the_same(collector: Collector) -> None:
    await answer(collector, 1, {"ces": 2, "hard": '=HYPERLINK("http://x.example";"read")'})
    await answer(collector, 2, {"nps": 9, "matters": "speed", "rate": {"value": 4}, "quote": True})
    collector.wait(10)
    async with await keyed(collector, Scope.EXPORTS_READ) as client:
        files = {
            kind: await client.get("/v1/responses/export", params={"format": kind})
            for kind in ("csv", "ndjson", "parquet")
        }
    rows = list(csv.DictReader(io.StringIO(files["csv"].content.decode("utf-8-sig"))))
    assert [row["ces:ces"] for row in rows] == ["2", ""]
    assert rows[0]["hard:text"] == '\'=HYPERLINK("http://x.example";"read")'
    assert (rows[1]["rate:matrix:value"], rows[1]["matters:single"], rows[1]["quote:consent"]) == (
        "4", "speed", "yes",
    )  # fmt: skip
    lines = [json.loads(line) for line in files["ndjson"].text.splitlines()]
    assert [line["primary"]["value"] for line in lines] == [2, 9]
    table = parquet.read_table(io.BytesIO(files["parquet"].content))
    assert table.column("nps:nps").to_pylist() == [None, 9]
    assert table.column("hard:text").to_pylist()[0].startswith("=HYPERLINK")
    assert [at.isoformat() for at in table.column("received_at").to_pylist()] == [
        line["received_at"] for line in lines
    ]
    assert files["csv"].headers["content-disposition"] == 'attachment; filename="responses.csv"'


async def test_a_file_without_answers_still_has_its_columns(collector: Collector) -> None:
    async with await keyed(collector, Scope.EXPORTS_READ) as client:
        found = await client.get("/v1/responses/export", params={"format": "parquet"})
    assert parquet.read_table(io.BytesIO(found.content)).num_rows == 0


async def test_erasure_keeps_the_count_and_loses_the_person(collector: Collector) -> None:
    """Scores, choices and the account's attributes stay; name, words, addresses and what singles out go."""
    about = snapshot(1, subject_kind="ticket", subject_id="T-4711", job_function="treasurer")
    path = await collector.asked(1, snapshot=about, slots={"agent": "Lena Sund"})
    await collector.handed_over(1)
    async with collector.client("203.0.113.77") as browser:
        page = await browser.get(f"{path}?score=2")
        collector.wait(30)
        await send(browser, page, path, {"q.ces": "2", "q.hard": "My secret words"})
    collector.wait(60)
    (event,) = await collector.settle()
    before = await everything(collector)
    async with collector.db.begin() as tx:
        await collector.sealer.destroy(tx.conn, [contact_id(1)])
    erased = ContactErased(contact_id=str(contact_id(1)), version=2, erased_at=collector.clock.now())
    await collector.feed(erased)
    collector.wait(10)
    after = await everything(collector)
    for trace in ("Lena Sund", "T-4711", "treasurer"):
        assert trace in before
        assert trace not in after
    async with collector.db.read() as conn:
        assert await conn.fetchval("select count(*) from answers where address <> '' or words <> ''") == 0
        assert await conn.fetchval("select count(*) from observations where address <> ''") == 0
        assert await conn.fetchval("select count(*) from surveys where person <> ''") == 0
    assert isinstance(event, ResponseSubmitted)
    assert await collector.words(1, event.words) == {}
    async with await keyed(collector, Scope.RESPONSES_READ) as client:
        (kept,) = (await client.get("/v1/responses")).json()["responses"]
    assert (kept["primary"]["value"], kept["mood"], kept["tier"]) == (2, "unhappy", "key")
    assert (kept["contact_id"], kept["texts"], kept["erased"]) == (None, {}, True)
    await collector.asked(2, snapshot=snapshot(2, contact_id=str(contact_id(1))))
    async with collector.client() as browser:
        assert (await browser.get(collector.path(2))).status_code == 410


async def everything(collector: Collector) -> str:
    """All rows of the collector's tables as text; what was sent before stays in the outbox for its days."""
    async with collector.db.read() as conn:
        names = await conn.fetch(
            "select table_name from information_schema.tables where table_schema = current_schema()"
        )
        rows = [
            str(dict(row))
            for (name,) in names
            if not name.startswith("outbox")
            for row in await conn.fetch(f"select * from {name}")
        ]
    return "\n".join(rows)
