"""Who says what: a programme's answers by any dimension that they have, on page, in API and files."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.store import splits
from shared.contracts.model import Payload
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Role, Scope
from tests.support.score_pages import access_to, application, quarter, signed_in
from tests.support.scoring import Scoring, answer, snapshot

REGIONS = ("emea", "amer", "apac", "nordics")
ROWS = re.compile(r"<tr>\s*<td><b>([^<]*)</b></td>(.*?)</tr>", re.DOTALL)
CHOICES = re.compile(r'<select id="split-1" name="split">(.*?)</select>', re.DOTALL)
CUT = "No sums are kept of this"

Opens = Callable[[Role], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def opens(db: Database, clock: FixedClock) -> AsyncIterator[Opens]:
    """Browsers of people with some role."""
    access = access_to(db, clock)
    opened: list[httpx.AsyncClient] = []

    async def open_for(role: Role) -> httpx.AsyncClient:
        token = await signed_in(access, role)
        opened.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://127.0.0.1",
                headers={"Accept": "text/html"}, cookies={"afterword": token},
            )
        )  # fmt: skip
        return opened[-1]

    yield open_for
    for one in opened:
        await one.aclose()


def _said(clock: FixedClock, count: int = 96) -> list[Payload]:
    """Answers of the last 48 days, each of another customer: those of one region are far less happy."""
    told: list[Payload] = []
    for number in range(count):
        region = REGIONS[number % 4] if number % 24 != 3 else "iberia"
        said = snapshot(
            "survey",
            account_id=str(derive("account", number)),
            region=region,
            owner=f"owner{number % 3}@example.com",
            job_function="" if number % 2 else "buyer",
            locale=("en", "sv")[number // 4 % 2],
            context={"agent": f"agent {number % 5}", "carrier": f"carrier {number % 2}"},
            breakdown=("agent",),
        )
        at = clock.now() - timedelta(days=number // 2)
        value = 2 if region == "amer" and number % 8 else 10 - number // 4 % 4
        told.append(answer(number, value, snapshot=said, at=at, first_at=at))
    return told


async def _segments(api: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    found = await api.get("/v1/scores/segments", params={"programme": "survey", **asked})
    assert found.status_code == 200, found.text
    body: dict[str, Any] = found.json()
    return body


async def _page(client: httpx.AsyncClient, status: int = 200, **asked: str) -> str:
    found = await client.get("/scores", params={"programme": "survey", **asked})
    assert found.status_code == status, found.text[:2000]
    return html.unescape(found.text)


def _numbers(one: Mapping[str, Any]) -> list[Any]:
    return [one[name] for name in ("value", "n", "score", "low", "high", "points", "verdict", "days")]


@pytest.mark.requirement("R61", "R63", "R67")
async def test_page_api_and_file_say_the_same_of_any_dimension(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, opens: Opens
) -> None:
    await scoring.take(*_said(clock))
    rep = await opens(Role.REP)
    for dimension, values, sums in (
        ("region", {"emea", "amer", "apac", "nordics", "iberia"}, False),
        ("tier", {"key"}, True),
        ("job_function", {"buyer"}, False),
        ("locale", {"en", "sv"}, False),
        ("context.agent", {f"agent {n}" for n in range(5)}, True),
        ("stage", set[str](), False),
    ):
        told = await _segments(api, dimension=dimension)
        segments = told["segments"]
        assert (told["dimension"], {one["value"] for one in segments}) == (dimension, values)
        assert (told["sums"], told["since"], told["next"]) == (sums, None, None)
        file = await api.get(
            "/v1/scores/tables/breakdown",
            params={"programme": "survey", "split": dimension, "format": "ndjson"},
        )
        assert [_numbers(json.loads(line)) for line in file.text.splitlines()] == [
            _numbers(one) for one in segments
        ]
        page = await _page(rep, split=dimension)
        shown = {value: cells for value, cells in ROWS.findall(page) if "Against all others" in cells}
        names = {"en": "English", "sv": "Svenska", "key": "Key accounts"}
        assert set(shown) == {names.get(value, value) for value in values}
        for one in segments:
            cells = shown[names.get(one["value"], one["value"])]
            assert f">{one['n']}<" in cells
            said = {"worse": "worse", "better": "better"}.get(one["verdict"], "")
            assert said in cells
        assert CUT not in page
    of_tier = (await api.get("/v1/scores", params={"programme": "survey", "dimension": "region"})).json()
    assert {one["values"]["region"]: one["n"] for one in of_tier["scores"]}["iberia"] == 4


@pytest.mark.requirement("R63", "R67")
async def test_verdicts_have_all_parts_counted_in_and_few_answers_are_a_count_alone(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, opens: Opens
) -> None:
    await scoring.take(*_said(clock))
    told = {one["value"]: one for one in (await _segments(api, dimension="region"))["segments"]}
    assert told["amer"]["verdict"] == "worse"
    assert told["iberia"]["verdict"] == "too_few"
    assert [told[name]["verdict"] for name in ("emea", "apac")] == ["better", "better"]
    (first,) = (await _segments(api, dimension="region", limit="1"))["segments"]
    assert first == told["amer"], "a page is cut after all were judged"
    page = await _page(await opens(Role.VIEWER), split="region")
    (iberia,) = [cells for value, cells in ROWS.findall(page) if value == "iberia"]
    assert "nothing can be said yet" in iberia
    assert re.sub("<[^>]+>", " ", iberia).split()[0] == "\N{EN DASH}", "no number stands there either"
    assert "\N{HORIZONTAL ELLIPSIS}" not in iberia


@pytest.mark.requirement("R61")
async def test_account_managers_are_for_those_who_may_see_accounts(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, opens: Opens, db: Database
) -> None:
    await scoring.take(*_said(clock))
    viewer, rep = await opens(Role.VIEWER), await opens(Role.REP)
    for client, may in ((viewer, False), (rep, True)):
        (choices,) = CHOICES.findall(await _page(client))
        assert ('value="owner"' in choices) == may
        assert 'value="region"' in choices
        assert 'value="context.agent"' in choices
        assert 'value="context.carrier"' not in choices, "it is not named by the programme"
        page = await _page(client, 200 if may else 403, split="owner")
        assert ("owner1@example.com" in page) == may
    _, key = await access_to(db, clock).create_key("cs", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}))
    trusted = {"Authorization": f"Bearer {key}"}
    for path, name in (("segments", "dimension"), ("tables/breakdown", "split")):
        params = {"programme": "survey", name: "owner"}
        refused = await api.get(f"/v1/scores/{path}", params=params)
        assert (refused.status_code, "accounts:read" in refused.text) == (403, True)
        allowed = await api.get(f"/v1/scores/{path}", params=params, headers=trusted)
        assert "owner2@example.com" in allowed.text


@pytest.mark.requirement("R61")
async def test_what_no_programme_names_of_an_event_is_for_those_who_may_read_answers(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, opens: Opens, db: Database
) -> None:
    """A sender may write an address into an event; a score by it would be what one person said."""
    await scoring.take(*_said(clock))
    viewer, rep = await opens(Role.VIEWER), await opens(Role.REP)
    assert "agent 3" in await _page(viewer, split="context.agent")
    assert "carrier 1" in await _page(rep, split="context.carrier")
    assert "carrier 1" not in await _page(viewer, 403, split="context.carrier")
    side = {"a.where": "context.carrier:carrier 1", "b.others": "true", "a.programme": "survey"}
    for client, status in ((viewer, 403), (rep, 200)):
        assert (await client.get("/scores/compare", params=side)).status_code == status
    _, key = await access_to(db, clock).create_key("cs", frozenset({Scope.SCORES_READ, Scope.RESPONSES_READ}))
    trusted = {"Authorization": f"Bearer {key}"}
    for path, asked in (
        ("", {"dimension": "context.carrier"}),
        ("", {"dimension": "tier+context.carrier"}),
        ("", {"dimension": "programme+context.carrier"}),
        ("/trend", {"dimension": "context.carrier", "programme": "survey"}),
        ("/segments", {"dimension": "context.carrier", "programme": "survey"}),
        ("/tables/breakdown", {"split": "context.carrier", "programme": "survey"}),
        ("/compare", side),
        ("/compare/file", side),
    ):
        refused = await api.get(f"/v1/scores{path}", params=asked)
        assert (refused.status_code, "responses:read" in refused.text) == (403, True), path
        assert "carrier 1" not in refused.text
        allowed = await api.get(f"/v1/scores{path}", params=asked, headers=trusted)
        assert allowed.status_code == 200, allowed.text
    cut = await api.get("/v1/scores", params={"dimension": "tier+context.agent"})
    assert {one["values"]["context.agent"] for one in cut.json()["scores"]} == {
        f"agent {n}" for n in range(5)
    }


@pytest.mark.requirement("R61")
async def test_of_many_answers_the_newest_are_read_and_it_is_said_back_to_which_day(
    api: httpx.AsyncClient,
    scoring: Scoring,
    clock: FixedClock,
    opens: Opens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await scoring.take(*_said(clock))
    monkeypatch.setattr(splits, "MOST_READ", 40)
    told = await _segments(api, dimension="region")
    since = (clock.now() - timedelta(days=19)).date()
    assert (told["since"], sum(one["n"] for one in told["segments"])) == (since.isoformat(), 40)
    rep = await opens(Role.REP)
    page = await _page(rep, split="region")
    assert f"{CUT}: the newest" in page
    (cells,) = [cells for value, cells in ROWS.findall(page) if value == "amer"]
    (link,) = re.findall(r'href="(/scores/answers\?[^"]*)"', cells)
    assert f"from={since}" in link
    listed = (await rep.get(html.unescape(link))).text
    assert listed.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>") == 10
    assert (await _segments(api, dimension="tier"))["since"] is None, "sums have all days"


@pytest.mark.requirement("R57")
async def test_whom_a_programme_asked_is_one_step_away_for_whoever_may_see_people(
    scoring: Scoring, clock: FixedClock, opens: Opens
) -> None:
    await quarter(scoring, clock.now())
    for role, there in ((Role.VIEWER, 0), (Role.REP, 1)):
        client = await opens(role)
        seen = (await client.get("/scores", params={"programme": "renewal-nps"})).text
        assert seen.count('<a href="/why?q=renewal-nps">Whom it asked last, whom not, and why</a>') == there


async def test_what_is_no_dimension_is_refused_with_what_there_is(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, opens: Opens
) -> None:
    await scoring.take(*_said(clock, 8))
    viewer = await opens(Role.VIEWER)
    for name, said in (("moon", "choose one of tier"), ("account", "accounts have a page")):
        assert said in await _page(viewer, 422, split=name)
        refused = await api.get("/v1/scores/segments", params={"programme": "survey", "dimension": name})
        assert (refused.status_code, said in refused.text, refused.json()["field"]) == (
            422,
            True,
            "dimension",
        )
    assert (await api.get("/v1/scores/segments", params={"programme": "none"})).status_code == 404
    wrong = {"programme": "survey", "from": "2026-03-02", "to": "2026-03-01"}
    assert (await api.get("/v1/scores/segments", params=wrong)).status_code == 422
