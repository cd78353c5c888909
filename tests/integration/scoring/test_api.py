from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role, Scope
from shared.security.accounts import Access
from tests.support.score_pages import access_to, application, quarter, signed_in
from tests.support.scoring import Scoring, answer, requested, snapshot


@pytest.fixture
async def access(db: Database, clock: FixedClock) -> Access:
    return access_to(db, clock)


@pytest.fixture
async def api(db: Database, clock: FixedClock, access: Access) -> AsyncIterator[httpx.AsyncClient]:
    """The API, called with a key that may read scores and nothing else."""
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ}), None)
    transport = httpx.ASGITransport(application(db, clock, access))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@pytest.mark.requirement("R1", "R6", "R63")
async def test_each_programmes_score_comes_with_answers_and_interval(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    body = (await api.get("/v1/scores", params={"metric": "nps"})).json()
    assert body["dimension"] == "programme"
    assert [(s["values"]["programme"], s["family"], s["n"]) for s in body["scores"]] == [
        ("pulse-nps", "relationship", 34),
        ("renewal-nps", "transactional", 63),
    ]
    renewal = body["scores"][1]
    assert renewal["score"] == pytest.approx(100 * 14 / 63)
    assert renewal["low"] == pytest.approx(0.52, abs=0.01)
    assert renewal["high"] == pytest.approx(41.9, abs=0.01)
    assert sum(renewal["histogram"].values()) == 63


@pytest.mark.requirement("R61", "R62", "R67")
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"dimension": "tier"}, [({"tier": "key"}, 12), ({"tier": "premium"}, 11), ({"tier": "small"}, 11)]),
        ({"dimension": "tier", "value": "key"}, [({"tier": "key"}, 12)]),
        (
            {"programme": "pulse-nps", "dimension": "persona", "value": "user"},
            [({"programme": "pulse-nps", "persona": "user"}, 17)],
        ),
        ({"dimension": "tier+persona", "value": "key+user"}, [({"tier": "key", "persona": "user"}, 6)]),
        ({"dimension": "total"}, [({}, 34)]),
    ],
)
async def test_scores_are_broken_down_by_dimensions_and_crossings(
    api: httpx.AsyncClient,
    scoring: Scoring,
    clock: FixedClock,
    params: dict[str, str],
    expected: list[tuple[dict[str, str], int]],
) -> None:
    await quarter(scoring, clock.now())
    body = (await api.get("/v1/scores", params={"metric": "nps", "family": "relationship"} | params)).json()
    found = [(s["values"], s["n"]) for s in body["scores"]]
    assert len(found) == len(expected)
    assert all(values in [one for one, _ in expected] for values, _ in found)
    if expected:
        assert sum(n for _, n in found) == sum(n for _, n in expected)


@pytest.mark.requirement("R61", "R66", "R67")
async def test_what_no_sum_is_kept_for_is_read_from_the_answers(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    known = await api.get("/v1/scores", params={"dimension": "industry", "metric": "nps"})
    cut = (await api.get("/v1/scores", params={"dimension": "region+industry", "metric": "nps"})).json()
    assert cut["complete"] is True
    assert {tuple(one["values"]) for one in cut["scores"]} == {("region", "industry")}
    for family in ("transactional", "relationship"):
        for industry in ("logistics", "saas", "manufacturing"):
            (whole,) = [
                s["n"] for s in known.json()["scores"]
                if (s["family"], s["values"]["industry"]) == (family, industry)
            ]  # fmt: skip
            parts = [
                s["n"] for s in cut["scores"]
                if (s["family"], s["values"]["industry"]) == (family, industry)
            ]  # fmt: skip
            assert sum(parts) == whole
            assert len(parts) == 2
    one = await api.get(
        "/v1/scores", params={"dimension": "region+industry", "value": "emea", "programme": "pulse-nps"}
    )
    assert {s["values"]["region"] for s in one.json()["scores"]} == {"emea"}
    accounts = await api.get("/v1/scores", params={"dimension": "account"})
    assert accounts.status_code == 403


@pytest.mark.requirement("R61", "R66")
async def test_scores_by_an_attribute_of_the_event(api: httpx.AsyncClient, scoring: Scoring) -> None:
    for number, carrier in enumerate(("DHL", "DHL", "UPS")):
        snap = snapshot("delivery", context={"carrier": carrier}, breakdown=("carrier",))
        await scoring.take(answer(number, 9, snapshot=snap))
    asked = {"programme": "delivery", "dimension": "context.carrier"}
    body = (await api.get("/v1/scores", params=asked)).json()
    assert [(s["values"]["context.carrier"], s["n"]) for s in body["scores"]] == [("DHL", 2), ("UPS", 1)]


async def test_days_cut_off_what_lies_outside(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(answer(1, 9))
    inside = await api.get("/v1/scores", params={"from": "2026-03-03", "to": "2026-03-03"})
    assert len(inside.json()["scores"]) == 1
    outside = await api.get("/v1/scores", params={"from": "2026-03-04"})
    assert outside.json()["scores"] == []


@pytest.mark.requirement("R64")
async def test_a_trend_tells_each_period(api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock) -> None:
    await quarter(scoring, clock.now())
    body = (await api.get("/v1/scores/trend", params={"programme": "renewal-nps", "step": "month"})).json()
    (trend,) = body["trends"]
    assert [period["start"] for period in trend["periods"]] == [
        "2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01",
    ]  # fmt: skip
    assert sum(period["n"] for period in trend["periods"]) == 63


@pytest.mark.requirement("R57")
async def test_the_summary_tells_what_became_of_every_survey(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    await scoring.take(requested(77_000))
    programmes = {p["programme"]: p for p in (await api.get("/v1/scores/summary")).json()["programmes"]}
    renewal = programmes["renewal-nps"]
    assert (renewal["requested"], renewal["handed_over"], renewal["answered"]) == (126, 126, 63)
    assert renewal["response_rate"] == 0.5
    assert renewal["scores"][0]["n"] == 63
    unanswered = programmes["renewal"]
    assert (unanswered["requested"], unanswered["response_rate"], unanswered["scores"]) == (1, None, [])


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"dimension": "shoe_size"}, "dimension"),
        ({"dimension": "industry+shoe_size"}, "dimension"),
        ({"metric": "csi"}, "metric"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "from"),
        ({"from": "2026-03-02", "to": "2026-03-01", "dimension": "tier+region+industry"}, "from"),
    ],
)
async def test_a_question_without_an_answer_names_its_field(
    api: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    response = await api.get("/v1/scores", params=params)
    assert response.status_code == 422
    assert field in response.text


@pytest.mark.parametrize(
    "path",
    [
        "?programme=nobody",
        "?programme=nobody&dimension=tier",
        "?programme=nobody&dimension=tier%2Bregion%2Bindustry",
        "/trend?programme=nobody",
        "/changes?programme=nobody",
        "/definitions?programme=nobody",
        "/cohorts?programme=nobody",
        "/drivers?programme=nobody",
        "/plan?programme=nobody&metric=nps",
        "/themes?programme=nobody",
        "/tables/programmes?programme=nobody",
    ],
)
async def test_a_programme_that_is_none_is_named_and_one_without_answers_is_empty(
    api: httpx.AsyncClient, scoring: Scoring, path: str
) -> None:
    await scoring.take(requested(1))
    told = await api.get(f"/v1/scores{path}")
    assert (told.status_code, told.json()["field"]) == (404, "programme")
    assert "summary" in told.json()["what_to_do"]
    known = await api.get(f"/v1/scores{path.replace('nobody', 'renewal')}")
    if "/plan" in path:
        assert (known.status_code, known.json()["field"]) == (404, "metric")
    else:
        assert known.status_code == 200


async def test_a_stranger_learns_nothing(api: httpx.AsyncClient) -> None:
    for path in ("/v1/scores", "/v1/scores/trend", "/v1/scores/summary"):
        assert (await api.get(path, headers={"Authorization": "Bearer aw_wrong"})).status_code == 401


@pytest.mark.requirement("R58")
async def test_figures_of_account_managers_need_a_right_of_their_own(
    api: httpx.AsyncClient, access: Access, scoring: Scoring
) -> None:
    await scoring.take(answer(1, 9))
    refused = await api.get("/v1/scores", params={"dimension": "owner"})
    assert refused.status_code == 403
    assert "accounts:read" in refused.text
    api.headers.pop("Authorization")
    api.cookies.set("afterword", await signed_in(access, Role.REP))
    allowed = await api.get("/v1/scores", params={"dimension": "owner"})
    assert [s["values"] for s in allowed.json()["scores"]] == [{"owner": "anna@example.com"}]
