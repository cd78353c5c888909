"""How alike colleagues answer is learned once in a while for programmes of many answers, else each time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from services.scoring.store import bindings, clusterings, voices
from services.scoring.worker.clustering import learning
from services.scoring.worker.headlines import refreshing
from shared.contracts.model import Payload, Persona, Tier
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.web.dates import signed
from tests.support.score_pages import access_to, application, signed_in
from tests.support.scoring import Scoring, answer, snapshot

pytestmark = pytest.mark.requirement("R63")


@pytest.fixture
async def trusted(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """The API for whoever may see accounts, too."""
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:  # fmt: skip
        yield client


@pytest.fixture
async def viewer(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who looks at pages."""
    access = access_to(db, clock)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        cookies={"afterword": await signed_in(access)},
    ) as client:  # fmt: skip
        yield client


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusterings, "KEPT_FROM", 30)


def _said(
    programme: str, count: int, clock: FixedClock, *, first: int = 0, alike: bool = True
) -> list[Payload]:
    """Answers of ten customers each of whom is of one mind, or of whom nobody is, in the last 60 days.

    Half of them are small; users and decision makers answer in turn in each.
    """
    told: list[Payload] = []
    for number in range(first, first + count):
        company = number % 10
        value = (10, 2)[company % 2] if alike else (10, 2)[number // 10 % 2]
        said = snapshot(
            programme,
            account_id=str(derive("account", company)),
            tier=(Tier.KEY, Tier.SMALL)[company // 5],
            persona=(Persona.USER, Persona.DECISION_MAKER)[number // 10 % 2],
            context={"agent": f"agent {number // 10 % 3}"},
            breakdown=("agent",),
        )
        at = clock.now() - timedelta(days=number % 60)
        told.append(answer(number, value, snapshot=said, at=at, first_at=at))
    return told


async def _changes(api: httpx.AsyncClient, programme: str) -> dict[str, Any]:
    found = await api.get("/v1/scores/changes", params={"programme": programme, "window": "30"})
    (one,) = found.json()["changes"]
    everywhere = (await api.get("/v1/scores/changes", params={"window": "30"})).json()["changes"]
    (same,) = [other for other in everywhere if other["programme"] == programme]
    assert same["learned_at"] == one["learned_at"]
    if one["learned_at"]:
        assert same == one, "whoever asks about all or about one is told the same"
    told: dict[str, Any] = one
    return told


async def test_of_many_answers_it_is_kept_and_says_since_when(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock), *_said("few", 20, clock, first=1200))
    live = await _changes(api, "many")
    assert live["learned_at"] is None
    assert live["design_effect"] > 2
    await learning(db)()
    kept = await _changes(api, "many")
    assert kept["learned_at"] == clock.now().isoformat().replace("+00:00", "Z")
    for name in ("points", "low", "high", "design_effect", "detectable"):
        assert kept[name] == pytest.approx(live[name]), name
    assert (await _changes(api, "few"))["learned_at"] is None
    plan = (await api.get("/v1/scores/plan", params={"programme": "many", "metric": "nps"})).json()
    assert plan["learned_at"] == kept["learned_at"]


async def test_it_is_learned_anew_and_until_then_holds(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    await learning(db)()
    first = await _changes(api, "many")
    await scoring.take(*_said("many", 60, clock, first=2000, alike=False))
    again = await _changes(api, "many")
    assert again["now"]["n"] == 2 * first["now"]["n"]
    assert again["learned_at"] == first["learned_at"]
    assert again["design_effect"] > first["design_effect"], "as alike as it was known, and more of each"
    clock.advance(timedelta(hours=1))
    await learning(db)()
    anew = await _changes(api, "many")
    assert anew["learned_at"] > first["learned_at"]
    assert anew["design_effect"] < again["design_effect"]


async def test_what_was_learned_later_is_not_replaced_by_what_was_learned_before(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await scoring.take(*_said("many", 60, clock))
    async with db.begin() as tx:
        await clusterings.learn(tx.conn, "many", clock.now())
        await clusterings.learn(tx.conn, "many", clock.now() - timedelta(hours=1))
        await clusterings.learn(tx.conn, "nobody answered", clock.now())
    assert await scoring.rows("select programme, learned_at from clusterings") == [("many", clock.now())]


ALL_TIME = {"period": "all"}
INTERVAL = ("n", "score", "low", "high")


async def _score(api: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    (found,) = (await api.get("/v1/scores", params={"metric": "nps"} | asked)).json()["scores"]
    told: dict[str, Any] = found
    return told


async def _file(api: httpx.AsyncClient, table: str, **asked: str) -> list[dict[str, Any]]:
    found = await api.get(f"/v1/scores/tables/{table}", params={"format": "ndjson"} | asked)
    assert found.status_code == 200, found.text
    return [json.loads(line) for line in found.text.splitlines()]


def _interval(told: Mapping[str, Any]) -> list[float]:
    return [round(told[name], 3) for name in INTERVAL]


async def test_api_file_page_and_gauge_say_one_interval_of_all_time(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient, viewer: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    live = await _score(api, programme="many")
    assert live["learned_at"] is None
    await learning(db)()
    told = await _score(api, programme="many")
    assert told["learned_at"] == clock.now().isoformat().replace("+00:00", "Z")
    assert _interval(told) == _interval(live)
    # Six answers of each of ten customers, and all six the same.
    assert told["design_effect"] == pytest.approx(6)
    alone = score(Histogram.of(Metric.NPS, [10, 2] * 30))
    assert told["high"] - told["low"] > 1.8 * ((alone.high or 0) - (alone.low or 0))
    (line,) = await _file(api, "programmes", programme="many", **ALL_TIME)
    assert _interval(line) == _interval(told)
    (one,) = (await api.get("/v1/scores/summary")).json()["programmes"]
    assert one["scores"] == [told]
    words = f"between {signed(told['low'], 'en')} and {signed(told['high'], 'en')}"
    for programme in ("", "many"):
        page = await viewer.get("/scores", params=ALL_TIME | ({"programme": programme} if programme else {}))
        assert words in page.text, programme
    await refreshing(db)()
    labels = {"programme": "many", "family": "transactional"}
    for end in ("low", "high"):
        gauge = REGISTRY.get_sample_value(f"afterword_scoring_nps_{end}", labels)
        assert gauge == pytest.approx(told[end])


@pytest.mark.parametrize(
    "case",
    [("tier", None, False), ("tier", 30, True), ("persona", 30, False), ("persona", None, True)],
    ids=["tiers", "kept tiers of 30 days", "personas of 30 days", "kept personas"],
)
async def test_parts_of_a_programme_have_one_interval_in_api_file_and_page(
    clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient, viewer: httpx.AsyncClient,
    case: tuple[str, int | None, bool],
) -> None:  # fmt: skip
    dimension, days, kept = case
    await scoring.take(*_said("many", 60, clock))
    if kept:
        await learning(scoring.db)()
    today = clock.now().date()
    asked = {"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()} if days else {}
    found = await api.get(
        "/v1/scores", params={"programme": "many", "dimension": dimension, "metric": "nps"} | asked
    )
    told = {one["values"][dimension]: one for one in found.json()["scores"]}
    assert len(told) == 2
    period = {"period": str(days or "all")}
    lines = await _file(api, "breakdown", programme="many", split=dimension, **period)
    assert {line["value"]: _interval(line) for line in lines} == {
        value: _interval(one) for value, one in told.items()
    }
    page = (await viewer.get("/scores", params={"programme": "many", "split": dimension} | period)).text
    for one in told.values():
        assert f"{signed(one['low'], 'en')} \N{HORIZONTAL ELLIPSIS} {signed(one['high'], 'en')}" in page
        assert (one["learned_at"] is not None) == kept


async def test_colleagues_of_one_part_count_as_colleagues_and_those_of_another_do_not(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock), *_said("more", 60, clock, first=3000))
    for kept in (False, True):
        if kept:
            await learning(db)()
        total = await _score(api, dimension="total")
        tier = await _score(api, dimension="tier", value="key")
        persona = await _score(api, dimension="persona", value="user")
        cut = await _score(api, dimension="region+tier", value="emea+key")
        assert (total["n"], tier["n"], persona["n"]) == (120, 60, 60)
        # Twelve answers of each customer, whichever programme asked; a tier has all twelve, a persona six.
        assert total["design_effect"] == pytest.approx(12)
        assert tier["design_effect"] == pytest.approx(12)
        assert 6 <= persona["design_effect"] < 7
        assert _interval(cut) == _interval(tier)
        assert (total["learned_at"] is not None) == (tier["learned_at"] is not None) == kept
    bounds = dict(await scoring.rows("select dimensions, bound from bindings where family = 'transactional'"))
    assert bounds["persona"] == 0
    assert {"product", "tier+persona", "context.agent"} <= bounds.keys()
    assert "tier" not in bounds, "whoever is of an account is of its tier"


async def test_one_asking_for_many_programmes_says_of_each_what_asking_for_it_alone_says(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock), *_said("few", 20, clock, first=1200))
    await learning(db)()
    for path in ("/v1/scores", "/v1/scores/trend"):
        kind = "trends" if path.endswith("trend") else "scores"
        together = (await api.get(path)).json()[kind]
        assert together == [
            one
            for programme in ("few", "many")
            for one in (await api.get(path, params={"programme": programme})).json()[kind]
        ]


async def test_of_many_programmes_it_is_learned_in_one_reading(
    clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        await scoring.take(*_said(f"programme {number}", 20, clock, first=1000 * number))
    readings = 0
    sums = voices.sums

    async def counted(*asked: Any) -> Any:
        nonlocal readings
        readings += 1
        return await sums(*asked)

    monkeypatch.setattr(voices, "sums", counted)
    for dimension in ("programme", "programme+tier"):
        readings = 0
        found = (await api.get("/v1/scores", params={"dimension": dimension})).json()["scores"]
        assert len({one["values"]["programme"] for one in found}) == 6
        assert all(one["design_effect"] > 1 for one in found)
        assert readings == 1


async def test_each_period_of_a_trend_counts_colleagues(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    await learning(db)()
    (trend,) = (await api.get("/v1/scores/trend", params={"programme": "many", "step": "month"})).json()[
        "trends"
    ]
    assert trend["learned_at"]
    periods = trend["periods"]
    assert sum(one["n"] for one in periods) == 60
    whole = await _score(api, programme="many")
    for one in periods:
        assert 1 <= one["design_effect"] <= whole["design_effect"]
    assert max(one["design_effect"] for one in periods) > 2
    lines = await _file(api, "trend", programme="many", step="month", **ALL_TIME)
    assert [_interval(line) for line in lines if line["n"]] == [_interval(one) for one in periods if one["n"]]


async def test_small_customers_together_are_as_sure_as_the_api_says(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient, trusted: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    await learning(db)()
    lines = await _file(trusted, "pools", **ALL_TIME)
    assert len(lines) == 2
    for line in lines:
        told = await _score(api, dimension="tier+persona", value=f"small+{line['persona']}")
        assert _interval(line) == _interval(told)
        assert told["design_effect"] > 2


async def test_the_people_of_one_account_are_no_sample_of_accounts(
    clock: FixedClock, scoring: Scoring, trusted: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    answered = await trusted.get("/v1/scores", params={"dimension": "account", "metric": "nps"})
    found = answered.json()["scores"]
    assert len(found) == 10
    assert {one["design_effect"] for one in found} == {1}


async def test_what_was_measured_later_of_parts_is_not_replaced_by_what_was_before(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await scoring.take(*_said("many", 60, clock))
    async with db.begin() as tx:
        await bindings.learn(tx.conn, "transactional", clock.now())
        await bindings.learn(tx.conn, "transactional", clock.now() - timedelta(hours=1))
        await bindings.learn(tx.conn, "relationship", clock.now())
    rows = await scoring.rows("select distinct learned_at from bindings where family = 'transactional'")
    assert rows == [(clock.now(),)]
    # Of nobody nothing is known: colleagues are taken to be together, which says rather too little.
    assert await scoring.rows("select distinct bound from bindings where family = 'relationship'") == [(1.0,)]
