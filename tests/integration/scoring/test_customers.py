"""Accounts with what their people said and what happened around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.contracts.directory import ContactErased, ContextKind
from shared.contracts.model import Family, Payload, Persona, Tier
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from tests.support.customers import (
    account,
    account_id,
    contact,
    driven,
    happened,
    ticket,
    town,
    usage,
)  # fmt: skip
from tests.support.score_pages import access_to, application
from tests.support.scoring import AT, Scoring, answer, handed_over, snapshot, withdrawn


@pytest.fixture
async def api(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    access = access_to(db, clock)
    _, key = await access.create_key("cs", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}), None)
    transport = httpx.ASGITransport(application(db, clock, access))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@pytest.mark.requirement("R7", "R62")
async def test_what_was_said_more_than_a_year_ago_counts_for_an_account_no_more(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    said = snapshot(account_id=account_id(1))
    for number, days, value in ((1, 400, 0), (2, 366, 0), (3, 364, 9), (4, 10, 9)):
        at = clock.now() - timedelta(days=days)
        await scoring.take(answer(number, value, at=at, first_at=at, snapshot=said))
    await scoring.take(account(1))
    (one,) = (await api.get("/v1/scores/accounts")).json()["accounts"]
    whole = [(of["n"], of["score"]) for of in one["scores"] if of["persona"] is None]
    assert whole == [(2, 100)]


@pytest.mark.requirement("R7", "R8", "R59", "R60", "R62")
async def test_an_account_is_shown_with_all_that_explains_it(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*town(clock.now()))
    body = (await api.get("/v1/scores/accounts")).json()
    hale, ailing, silent = body["accounts"]
    assert [one["name"] for one in body["accounts"]] == ["Northwind", "Contoso", "Fabrikam"]
    assert hale["health"] > 70
    assert ailing["health"] < 40
    assert (silent["health"], silent["silent_days"]) == (None, None)
    assert (hale["open_tickets"], ailing["open_tickets"]) == (0, 1)
    assert (hale["support_tickets"], ailing["support_tickets"]) == (0, 1)
    assert (hale["usage"], ailing["usage"]) == (1.2, 0.2)
    assert (hale["silent_days"], ailing["silent_days"]) == (10, 20)
    assert {(c["persona"], c["people"], c["heard"]) for c in ailing["committee"]} == {
        ("user", 1, 1), ("decision_maker", 1, 0),
    }  # fmt: skip
    scores = {(s["metric"], s["persona"]): (s["n"], s["score"]) for s in hale["scores"]}
    assert scores == {
        ("nps", None): (8, 75.0), ("nps", "user"): (4, 100.0), ("nps", "decision_maker"): (4, 50.0),
    }  # fmt: skip
    assert sum(part["weight"] for part in hale["parts"]) == pytest.approx(1)
    one = (await api.get(f"/v1/scores/accounts/{account_id(2)}")).json()
    assert {name: one[name] for name in ailing} == ailing
    (nps,) = one["history"]
    (quarter,) = nps["quarters"]
    assert (nps["metric"], nps["family"], quarter["start"], quarter["n"], quarter["score"]) == (
        "nps", "transactional", "2026-01-01", 8, -100.0,
    )  # fmt: skip
    assert quarter["low"] == -100 < quarter["high"] < 0
    assert [(each["kind"], each["event"]) for each in one["happened"]] == [
        ("support_ticket", "support_ticket.opened")
    ]
    assert (await api.get(f"/v1/scores/accounts/{account_id(77)}")).status_code == 404


async def test_accounts_come_a_page_at_a_time_and_each_once(api: httpx.AsyncClient, scoring: Scoring) -> None:
    await scoring.take(*[account(number, annual_value=float(number % 3)) for number in range(1, 12)])
    seen, cursor = [], ""
    while True:
        body = (await api.get("/v1/scores/accounts", params={"limit": 4, "cursor": cursor})).json()
        seen += [one["account_id"] for one in body["accounts"]]
        cursor = body["next"]
        if not cursor:
            break
    assert sorted(seen) == sorted(account_id(number) for number in range(1, 12))
    assert (await api.get("/v1/scores/accounts", params={"cursor": "x"})).status_code == 422
    assert (await api.get("/v1/scores/accounts", params={"tier": "key"})).json()["next"] is None


@pytest.mark.requirement("R6", "R7")
async def test_an_accounts_relationship_and_events_are_never_one_score(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    said = [
        answer(
            number, value, at=clock.now(),
            snapshot=snapshot(family.value, family=family, account_id=account_id(1)),
        )
        for number, (family, value) in enumerate(
            [(Family.RELATIONSHIP, 2)] * 3 + [(Family.TRANSACTIONAL, 10)] * 6
        )
    ]  # fmt: skip
    await scoring.take(account(1), *said)
    (one,) = (await api.get("/v1/scores/accounts")).json()["accounts"]
    scores = {(s["family"], s["metric"]): (s["n"], s["score"]) for s in one["scores"] if not s["persona"]}
    assert scores == {("relationship", "nps"): (3, -100.0), ("transactional", "nps"): (6, 100.0)}
    parts = {(p["family"], p["metric"]): p for p in one["parts"] if p["part"] == "nps"}
    # All customers are this one: the usual answers are its own.
    assert {key: part["share"] for key, part in parts.items()} == {
        ("relationship", "nps"): 0.0, ("transactional", "nps"): 1.0,
    }  # fmt: skip
    assert [part["weight"] for part in parts.values()] == pytest.approx([0.25 * 2 / 3, 0.25 / 3])
    file = await api.get("/v1/scores/tables/accounts", params={"format": "ndjson"})
    row = file.json()
    assert (row["health_nps_relationship"], row["health_nps_transactional"]) == (0.0, 1.0)
    assert row["health_nps_progress"] is None


@pytest.mark.requirement("R62")
async def test_a_score_is_read_in_four_ways(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*town(clock.now()))
    body = (await api.get("/v1/scores/definitions", params={"programme": "renewal"})).json()
    (metric,) = body["metrics"]
    readings = {one["definition"]: one for one in metric["readings"]}
    # 7 promoters and 9 detractors of 16; accounts 75 and -100; values 100,000 and 50,000.
    assert readings["respondent"]["score"] == pytest.approx(-12.5)
    assert readings["account"]["score"] == pytest.approx(-12.5)
    assert (readings["account"]["accounts"], readings["account"]["covered"]) == (2, pytest.approx(2 / 3))
    assert readings["value"]["score"] == pytest.approx((2 * 75 - 100) / 3)
    assert (readings["decision_makers"]["n"], readings["decision_makers"]["score"]) == (4, 50.0)
    assert readings["decision_makers"]["covered"] == 0.5
    assert body["complete"] is True


@pytest.mark.requirement("R63", "R68")
async def test_a_change_comes_with_its_verdict(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    told = [
        answer(
            1000 * days + number, value, at=clock.now() - timedelta(days=days + number % 5),
            snapshot=snapshot("pulse", account_id=account_id(number + 100)),
        )
        for number in range(80)
        for days, value in ((40, 9 if number % 4 else 3), (5, 9 if number % 4 == 0 else 3))
    ]  # fmt: skip
    await scoring.take(*told)
    (change,) = (await api.get("/v1/scores/changes", params={"window": "30"})).json()["changes"]
    assert change["verdict"] == "worse"
    assert change["points"] == pytest.approx(-100)
    assert change["high"] < 0
    assert (change["now"]["n"], change["before"]["n"]) == (80, 80)
    assert 10 < change["detectable"] < 60
    (all_year,) = (await api.get("/v1/scores/changes", params={"window": "365"})).json()["changes"]
    assert (all_year["verdict"], all_year["points"]) == ("too_few", None)
    assert (await api.get("/v1/scores/changes", params={"window": "all"})).status_code == 422
    plan = (
        await api.get("/v1/scores/plan", params={"programme": "pulse", "metric": "nps", "points": 10})
    ).json()
    assert plan["days"] == pytest.approx(plan["answers"] * 90 / 160, abs=1)
    assert (plan["design_effect"], plan["learned_from"], plan["population"]) == (1, 160, None)
    nobody = await api.get("/v1/scores/plan", params={"programme": "none", "metric": "nps"})
    assert nobody.status_code == 404
    silly = await api.get("/v1/scores/plan", params={"programme": "pulse", "metric": "nps", "points": 300})
    assert silly.status_code == 422


@pytest.mark.requirement("R63")
async def test_a_plan_reckons_with_colleagues_and_with_how_many_could_answer(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    """Forty customers of three people each, who agree in part; every second person answers."""
    told: list[Payload] = []
    for number in range(240):
        company = number % 40
        said = snapshot(
            "pulse", family=Family.RELATIONSHIP, account_id=account_id(company),
            tier=Tier.KEY if company < 20 else Tier.SMALL, persona=list(Persona)[company % 2],
        )  # fmt: skip
        at = clock.now() - timedelta(days=number % 80)
        told.append(handed_over(number, at).model_copy(update={"snapshot": said}))
        if number < 120:
            value = (10, 2, 8)[company % 3] if number // 40 != 1 else 9
            told.append(answer(number, value, snapshot=said, at=at, asked_at=at))
    await scoring.take(*told)

    async def planned(**more: str) -> dict[str, Any]:
        asked = {"programme": "pulse", "metric": "nps", "points": "40"} | more
        found = await api.get("/v1/scores/plan", params=asked)
        assert found.status_code == 200, found.text
        body: dict[str, Any] = found.json()
        return body

    whole = await planned()
    assert (whole["learned_from"], whole["accounts"]) == (120, 40)
    assert 0.1 < whole["intraclass"] < 0.5
    assert whole["design_effect"] > 1
    assert whole["population"] >= 2 * whole["answers"]
    assert whole["never_below"] is None
    part = await planned(dimension="tier", value="key")
    assert part["values"] == {"programme": "pulse", "tier": "key"}
    assert part["learned_from"] == 120
    assert part["population"] >= 2 * part["answers"], "asks are kept by tier, too"
    users = await planned(dimension="persona", value="user")
    assert users["population"] is None, "of how many users there are nothing is kept"
    assert users["answers"] > part["answers"]
    smaller = await planned(points="5", dimension="persona", value="user")
    assert (smaller["answers"], smaller["days"], smaller["design_effect"]) == (None, None, None)
    assert 5 < smaller["never_below"] < 60
    unnamed = await api.get(
        "/v1/scores/plan", params={"programme": "pulse", "metric": "nps", "dimension": "persona"}
    )
    assert unnamed.status_code == 422
    assert unnamed.json()["field"] == "value"


@pytest.mark.requirement("R57")
async def test_a_young_cohort_is_not_taken_for_a_bad_one(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    today = clock.now()
    told = []
    for number in range(60):
        asked = today - timedelta(days=70 if number < 40 else 1)
        late = number % 2
        if number >= 40 and late:
            continue
        told.append(answer(number, 9, at=asked + timedelta(days=10 if late else 0), asked_at=asked))
    await scoring.take(*told)
    cohorts = (await api.get("/v1/scores/cohorts", params={"programme": "renewal"})).json()["cohorts"]
    old, young = cohorts
    assert old["complete"]
    assert (old["answered"], young["answered"]) == (40, 10)
    assert not young["complete"]


async def test_old_versions_and_the_erased_change_nothing(scoring: Scoring) -> None:
    await scoring.take(account(1, 2, name="New"), contact(1, 1, Persona.USER, 2), ticket(1, 1, AT, version=3))
    await scoring.take(
        account(1, 1, name="Old"), contact(1, 2, None, 1), ticket(1, 1, AT, version=2, resolved=True)
    )
    assert await scoring.rows("select name from accounts") == [("New",)]
    assert await scoring.rows("select persona from people") == [("user",)]
    assert await scoring.rows("select state from cases") == [("open",)]
    gone = ContactErased(contact_id=str(derive("contact", 1)), version=9, erased_at=AT)
    await scoring.take(gone)
    await scoring.take(contact(1, 1, Persona.USER, 10))
    assert await scoring.rows("select * from people") == []


@pytest.mark.requirement("R62")
@pytest.mark.parametrize(("days", "heard"), [(0, 1), (40, 1), (365, 1), (366, 0), (800, 0)])
async def test_who_answered_within_a_year_was_heard_whatever_was_taken_back_since(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, days: int, heard: int
) -> None:
    who = snapshot(contact_id=str(derive("contact", 1)), account_id=account_id(1))
    given = answer(1, 9, at=clock.now() - timedelta(days=days), snapshot=who)
    await scoring.take(account(1), contact(1, 1, Persona.DECISION_MAKER), given)
    await scoring.take(answer(2, 9, at=clock.now(), snapshot=who), withdrawn(2, 2, who))
    (one,) = (await api.get("/v1/scores/accounts")).json()["accounts"]
    assert [c["heard"] for c in one["committee"]] == [heard]


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("first", ["merge", "answer"])
async def test_who_was_merged_is_one_person_and_was_heard_under_either_id(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, first: str
) -> None:
    await scoring.take(account(1), contact(1, 1, Persona.DECISION_MAKER), contact(2, 1, Persona.USER))
    former, stays = str(derive("contact", 2)), str(derive("contact", 1))
    said = answer(1, 9, at=clock.now(), snapshot=snapshot(contact_id=former, account_id=account_id(1)))
    left = contact(2, 1, Persona.USER, 2).model_copy(update={"merged_into": stays})
    for told in (left, said) if first == "merge" else (said, left):
        await scoring.take(told)
    (one,) = (await api.get("/v1/scores/accounts")).json()["accounts"]
    assert [(c["persona"], c["people"], c["heard"]) for c in one["committee"]] == [("decision_maker", 1, 1)]


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("first", ["merge", "answer"])
async def test_accounts_that_were_merged_are_one_customer(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, first: str
) -> None:
    stays, former = account_id(1), account_id(2)
    await scoring.take(account(1), account(2), contact(1, 1, Persona.USER), contact(2, 2, Persona.USER))
    said = [answer(n, 9, at=clock.now(), snapshot=snapshot(account_id=account_id(n))) for n in (1, 2)]
    left = account(2).model_copy(update={"version": 9, "merged_into": stays})
    moved = contact(2, 1, Persona.USER, 2)
    for told in (left, moved, *said) if first == "merge" else (*said, moved, left):
        await scoring.take(told)
    (one,) = (await api.get("/v1/scores/accounts")).json()["accounts"]
    assert one["account_id"] == stays
    assert [(c["persona"], c["people"]) for c in one["committee"]] == [("user", 2)]
    assert {s["n"] for s in one["scores"] if s["persona"] is None} == {2}
    told = (await api.get(f"/v1/scores/accounts/{former}")).json()
    assert {name: told[name] for name in one} == one
    assert [quarter["n"] for each in told["history"] for quarter in each["quarters"]] == [2]
    cut = (await api.get("/v1/scores", params={"dimension": "account"})).json()
    assert stays in str(cut)
    assert former not in str(cut)


async def test_what_happened_is_kept_once_with_its_number_or_label(scoring: Scoring) -> None:
    told = (usage(1, AT, 7), happened(ContextKind.RELEASE, "feature.released", AT))
    await scoring.take(*told)
    await scoring.take(*told)
    kept = await scoring.rows("select kind, number, label from happenings order by kind")
    assert kept == [("release", None, "release of March"), ("usage", 7.0, "")]


@pytest.mark.requirement("R42", "R65", "R66")
async def test_what_moves_a_score_is_found_asked_and_unasked(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*driven(clock.now()))
    body = (await api.get("/v1/scores/drivers", params={"programme": "driven"})).json()
    time, packaging = body["drivers"]
    assert (time["attribute"], time["quadrant"], time["n"]) == ("time", "focus", 80)
    assert (time["satisfied"], time["unhappy"]) == (36, 44)
    assert time["importance"] > 0.5
    assert packaging["quadrant"] in ("minor", "fine")
    certain = {(one["attribute"], one["value"]) for one in body["effects"] if one["certain"]}
    assert certain == {("carrier", "DHL"), ("carrier", "UPS")}
    assert [(one["attribute"], one["named"], one["asked"]) for one in body["wishes"]] == [
        ("price", 60, 80), ("service", 20, 80),
    ]  # fmt: skip
    assert body["complete"] is True
    assert await scoring.rows("select attributes -> 'time' ->> 'es', brand from programmes") == [
        ("Plazo de entrega", ["choose"]),
    ]
