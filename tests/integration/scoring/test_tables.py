"""Tables given away: all facts and those of the pages, in three formats, by whom they may be seen."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.domain.tables import SHAPES, Table
from shared.contracts.directory import ContactErased
from shared.contracts.responses import ResponseHeld
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from tests.support.customers import account_id, driven, town
from tests.support.score_pages import access_to, application, comments_of, quarter, spoken
from tests.support.scoring import Scoring, answer, requested, snapshot

parquet = importlib.import_module("pyarrow.parquet")
Keyed = Callable[..., Coroutine[Any, Any, httpx.AsyncClient]]


@pytest.fixture
async def keyed(db: Database, clock: FixedClock) -> Keyed:
    """Makes programs that hold a key with some scopes."""
    access = access_to(db, clock)
    transport = httpx.ASGITransport(application(db, clock, access))

    async def client(*scopes: Scope) -> httpx.AsyncClient:
        _, key = await access.create_key("bi", frozenset(scopes), None)
        return httpx.AsyncClient(
            transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {key}"}
        )

    return client


ALL = (Scope.SCORES_READ, Scope.ACCOUNTS_READ, Scope.EXPORTS_READ)


def rows(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))


async def test_facts_are_read_page_by_page_each_once(
    keyed: Keyed, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await scoring.take(*(answer(n, 9, at=now, first_at=now - timedelta(days=n % 2)) for n in range(5)))
    client = await keyed(*ALL)
    seen: list[tuple[str, str]] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = (await client.get("/v1/scores/facts", params={"limit": 2, "cursor": cursor})).json()
        seen += [(one["day"], one["response_id"]) for one in page["facts"]]
        cursor, pages = page["next"], pages + 1
    assert (pages, len(set(seen)), seen == sorted(seen)) == (3, 5, True)
    assert (await client.get("/v1/scores/facts", params={"cursor": "x"})).status_code == 422


FILTERED: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 3), ({"state": "held"}, 1), ({"state": "all"}, 4), ({"programme": "renewal"}, 2),
    ({"family": "relationship"}, 0), ({"account": account_id(7)}, 1), ({"from": "2026-03-03"}, 2),
    ({"to": "2026-03-02"}, 1), ({"period": "7"}, 3),
)  # fmt: skip


async def test_facts_are_filtered(keyed: Keyed, scoring: Scoring, clock: FixedClock) -> None:
    now = clock.now()
    await scoring.take(
        answer(1, 9, at=now, first_at=now),
        answer(2, 9, at=now, first_at=now - timedelta(days=1), snapshot=snapshot("delivery")),
        answer(3, 9, at=now, first_at=now, snapshot=snapshot(account_id=account_id(7))),
        answer(4, 9, at=now, first_at=now, kind=ResponseHeld),
    )
    client = await keyed(*ALL)
    for filters, n in FILTERED:
        assert len(rows(await client.get("/v1/scores/tables/facts", params=filters))) == n, filters


async def test_the_three_formats_say_the_same_and_no_cell_is_a_formula(
    keyed: Keyed, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(
        answer(1, 3, snapshot=snapshot(owner="=cmd|' /c calc'!A0", context={"lane": "@north"}))
    )
    client = await keyed(*ALL)
    (one,) = rows(await client.get("/v1/scores/tables/facts"))
    assert (one["owner"], one["nps"], one["csat"]) == ("'=cmd|' /c calc'!A0", "3", "")
    line = await client.get("/v1/scores/tables/facts", params={"format": "ndjson"})
    told = json.loads(line.text)
    assert (told["owner"], told["nps"], told["csat"]) == ("=cmd|' /c calc'!A0", 3, None)
    file = await client.get("/v1/scores/tables/facts", params={"format": "parquet"})
    (typed,) = parquet.read_table(io.BytesIO(file.content)).to_pylist()
    assert typed["day"].isoformat() == one["day"] == told["day"]
    assert json.loads(typed["context"]) == {"lane": "@north"}
    assert file.headers["content-disposition"] == 'attachment; filename="scores-facts.parquet"'


async def test_facts_of_an_erased_person_lead_to_nobody(
    keyed: Keyed, scoring: Scoring, clock: FixedClock
) -> None:
    said = answer(1, 3)
    gone = ContactErased(contact_id=said.snapshot.contact_id, version=2, erased_at=clock.now())
    await scoring.take(said)
    await scoring.take(gone)
    (one,) = rows(await (await keyed(*ALL)).get("/v1/scores/tables/facts"))
    assert (one["contact_id"], one["context"], one["nps"]) == ("", "", "3")


EMPTY = {Table.GOALS, Table.FIXES, Table.OUTCOMES, Table.OUTCOMES_BY_PROGRAMME}
"""Nothing of these is in the answers below; `test_results.py` and `test_outcomes.py` fill them."""


async def test_every_table_has_the_columns_it_promises(
    keyed: Keyed, scoring: Scoring, db: Database, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    await scoring.take(*town(clock.now()), *driven(clock.now()), requested(77_000))
    await spoken(db, clock, comments_of(clock.now()))
    client = await keyed(*ALL)
    for table in Table:
        params = {"format": "parquet", "period": "365", "programme": "driven"}
        if not (SHAPES[table].of_programme or table is Table.ANSWERS):
            del params["programme"]
        file = await client.get(f"/v1/scores/tables/{table}", params=params)
        assert file.status_code == 200, file.text
        found = parquet.read_table(io.BytesIO(file.content))
        assert found.column_names == [column.name for column in SHAPES[table].columns]
        assert (found.num_rows > 0) is (table not in EMPTY), table


async def test_tables_say_what_the_api_says(keyed: Keyed, scoring: Scoring, clock: FixedClock) -> None:
    await quarter(scoring, clock.now())
    client = await keyed(*ALL)
    told = (await client.get("/v1/scores/changes", params={"window": "90"})).json()["changes"]
    found = rows(await client.get("/v1/scores/tables/programmes", params={"period": "90"}))
    assert {(one["programme"], one["metric"], int(one["n"]), float(one["score"])) for one in found} == {
        (one["programme"], one["metric"], one["now"]["n"], one["now"]["score"]) for one in told
    }
    facts = rows(await client.get("/v1/scores/tables/facts", params={"period": "90"}))
    assert len([one for one in facts if one["nps"]]) == sum(
        one["now"]["n"] for one in told if one["metric"] == "nps"
    )


async def test_names_and_answers_are_for_those_who_may_see_them(keyed: Keyed) -> None:
    scores = await keyed(Scope.SCORES_READ)
    for table, scope in (
        ("facts", Scope.EXPORTS_READ), ("comments", Scope.EXPORTS_READ), ("accounts", Scope.ACCOUNTS_READ),
        ("managers", Scope.ACCOUNTS_READ), ("churn", Scope.ACCOUNTS_READ), ("pools", Scope.ACCOUNTS_READ),
        ("account_scores", Scope.ACCOUNTS_READ), ("answers?family=transactional", Scope.EXPORTS_READ),
    ):  # fmt: skip
        refused = await scores.get(f"/v1/scores/tables/{table}")
        assert (refused.status_code, scope.value in refused.text) == (403, True)
        allowed = await keyed(Scope.SCORES_READ, scope)
        assert (await allowed.get(f"/v1/scores/tables/{table}")).status_code == 200


async def test_what_cannot_be_is_named(keyed: Keyed) -> None:
    client = await keyed(*ALL)
    for path, field in (
        ("breakdown", "programme"), ("breakdown?programme=x&split=moon", "split"),
        ("rates?period=8", "period"), ("nothing", "table"),
    ):  # fmt: skip
        refused = await client.get(f"/v1/scores/tables/{path}")
        assert (refused.status_code, field in refused.text) == (422, True)
