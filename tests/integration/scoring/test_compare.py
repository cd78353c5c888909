"""Two sides of one's own choice: from answers to the API, the file and the page's numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import httpx
import pytest

from shared.contracts.forms import QuestionType
from shared.contracts.model import Family, Payload, Persona, Tier
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Access, Scope
from tests.support.customers import account_id
from tests.support.score_pages import access_to, application, quarter, quarter_before
from tests.support.scoring import Scoring, answer, snapshot

PATH = "/v1/scores/compare"


@pytest.fixture
async def access(db: Database, clock: FixedClock) -> Access:
    return access_to(db, clock)


async def keyed(db: Database, clock: FixedClock, access: Access, *scopes: Scope) -> httpx.AsyncClient:
    """A client with a key of some scopes."""
    _, key = await access.create_key("bi", frozenset(scopes), None)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip


@pytest.fixture
async def api(db: Database, clock: FixedClock, access: Access) -> AsyncIterator[httpx.AsyncClient]:
    async with await keyed(db, clock, access, Scope.SCORES_READ) as client:
        yield client


REGIONS, TIERS, PEOPLE = ("se", "de", "es"), tuple(Tier), tuple(Persona)


def many(today: datetime, count: int = 360) -> Iterator[tuple[date, Mapping[str, str], int, Payload]]:
    """Answers of half a year to two programmes: day, what they are told apart by, value, event."""
    for number in range(count):
        at = today - timedelta(days=number // 2)
        told = {
            "programme": ("renewal", "support")[number % 2], "region": REGIONS[number % 3],
            "tier": TIERS[number // 3 % 3].value, "persona": PEOPLE[number // 2 % 2].value,
        }  # fmt: skip
        snap = snapshot(account_id=account_id(number % 90), **told)
        value = number * 7 % 11
        event = answer(number, value, at=at, first_at=at, asked_at=at, snapshot=snap)
        yield at.date(), told, value, event


def alike(today: datetime) -> Iterator[Payload]:
    """Answers of thirty accounts, whose people nearly all say the same."""
    for number in range(240):
        at, account = today - timedelta(days=number // 4), number % 30
        said = snapshot(
            ("renewal", "support")[number % 7 % 2], account_id=account_id(account), tier=TIERS[account % 3],
            region=REGIONS[account % 3], persona=PEOPLE[number // 30 % 2],
        )  # fmt: skip
        value = 8 if number % 11 == 0 else 10 if account % 3 == account % 4 else 3
        yield answer(number, value, at=at, first_at=at, asked_at=at, snapshot=said)


async def asked(api: httpx.AsyncClient, **params: Any) -> Any:
    """The comparison that an address asks for; dots in names are written `__`."""
    found = await api.get(PATH, params={name.replace("__", "."): value for name, value in params.items()})
    assert found.status_code == 200, found.text
    return found.json()


@pytest.mark.requirement("R61", "R62", "R67")
@pytest.mark.parametrize(
    ("where", "sums"),
    [
        (("programme:renewal",), True),
        (("tier:key", "persona:user"), True),
        (("programme:support", "tier:small"), True),
        (("region:se", "tier:premium"), False),
        (("persona:user", "region:de", "programme:renewal"), False),
    ],
)
async def test_both_sides_count_what_was_answered_from_sums_and_from_answers_alike(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, where: tuple[str, ...], *, sums: bool
) -> None:
    told = list(many(clock.now()))
    await scoring.take(*(event for *_, event in told))
    today = clock.now().date()
    since_a, since_b = today - timedelta(days=50), today - timedelta(days=170)
    cut = {name: value for name, _, value in (one.partition(":") for one in where)}
    # All others of the programme; of a whole programme, all other programmes.
    kept = {"programme": cut["programme"]} if "programme" in cut and len(cut) > 1 else {}
    sides: list[tuple[tuple[str, str], dict[str, str], dict[str, str]]] = [
        (("b.where", "region:es"), {"region": "es"}, {}),
        (("b.others", "true"), kept, cut),
    ]
    for asked_for, own, without in sides:
        params: list[tuple[str, str | int | float | bool | None]] = [
            ("a.from", f"{since_a}"), ("a.to", f"{today}"), ("b.from", f"{since_b}"), ("b.to", f"{today}"),
            *(("a.where", one) for one in where), asked_for,
        ]  # fmt: skip
        found = (await api.get(PATH, params=params)).json()
        (one,) = found["compared"]
        on_a = {
            number: value
            for number, (day, dims, value, _) in enumerate(told)
            if since_a <= day and cut.items() <= dims.items()
        }
        on_b = {
            number: value
            for number, (day, dims, value, _) in enumerate(told)
            if since_b <= day
            and own.items() <= dims.items()
            and not (without and without.items() <= dims.items())
        }
        both = on_a.keys() & on_b.keys()
        assert (one["a"]["n"], one["b"]["n"], one["in_both"]) == (len(on_a), len(on_b), len(both))
        assert one["a"]["score"] == pytest.approx(nps_of(on_a.values()))
        assert one["b"]["score"] == pytest.approx(nps_of(on_b.values()))
        assert (found["a"]["sums"], found["a"]["complete"]) == (sums, True)


def nps_of(values: Collection[int]) -> float:
    """By hand."""
    return 100 * (sum(value >= 9 for value in values) - sum(value < 7 for value in values)) / len(values)


@pytest.mark.requirement("R63", "R68")
@pytest.mark.parametrize("programme", ["renewal-nps", "ticket-csat", "onboarding-ces", "pulse-nps"])
async def test_a_programme_against_the_days_before_says_what_changes_say(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, programme: str
) -> None:
    await quarter(scoring, clock.now())
    await quarter_before(scoring, clock.now())
    (change,) = (await api.get("/v1/scores/changes", params={"programme": programme})).json()["changes"]
    found = await asked(api, a__programme=programme, b__programme=programme)
    (one,) = found["compared"]
    assert one["verdict"] == change["verdict"]
    for name in ("points", "low", "high"):
        assert one[name] == (None if change[name] is None else pytest.approx(change[name]))
    for side, before in (("a", "now"), ("b", "before")):
        if one[side]["held"] is None:
            for name in ("n", "score", "low", "high"):
                assert one[side][name] == pytest.approx(change[before][name])
    rates = found["a"]["rates"]
    assert [(of["answered"] * 2, of["rate"]) for of in rates] == [(of["asked"], 0.5) for of in rates]


@pytest.mark.requirement("R63", "R67")
@pytest.mark.parametrize(
    ("where", "dimension", "value"),
    [
        ("tier:key", "tier", "key"),
        ("persona:user", "persona", "user"),
        ("region:se", "region", "se"),
        ("programme:renewal", "programme", "renewal"),
    ],
)
async def test_a_side_has_the_interval_that_scores_have_everywhere(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, where: str, dimension: str, value: str
) -> None:
    await scoring.take(*alike(clock.now()))
    (one,) = (await asked(api, a__where=where, a__period="90"))["compared"]
    first = clock.now().date() - timedelta(days=89)
    told = (await api.get("/v1/scores", params={"dimension": dimension, "from": f"{first}"})).json()["scores"]
    (score,) = [of for of in told if of["values"] == {dimension: value}]
    assert score["design_effect"] > 1
    assert {name: one["a"][name] for name in ("n", "score", "low", "high")} == {
        name: score[name] if name == "n" else pytest.approx(score[name])
        for name in ("n", "score", "low", "high")
    }


async def test_all_others_than_a_programme_are_no_surer_than_all_programmes_would_be(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*alike(clock.now()))
    (one,) = (await asked(api, a__where="programme:renewal", b__others="true"))["compared"]
    (whole,) = (await api.get("/v1/scores", params={"dimension": "total"})).json()["scores"]
    assert one["b"]["n"] < whole["n"]
    assert one["b"]["high"] - one["b"]["low"] > whole["high"] - whole["low"]


@pytest.mark.requirement("R2", "R6")
async def test_kinds_of_surveys_and_scales_are_never_held_against_each_other(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    kinds = list(product((Family.TRANSACTIONAL, Family.RELATIONSHIP), (QuestionType.NPS, QuestionType.NPS5)))
    told = [
        answer(
            100 * place + number, 5, type_=question, at=clock.now(),
            snapshot=snapshot(f"p{place}", family=family),
        )
        for place, (family, question) in enumerate(kinds)
        for number in range(6)
    ]  # fmt: skip
    await scoring.take(*told)
    found = await asked(api, b__period="same")
    assert [(one["family"], one["metric"], one["a"]["n"]) for one in found["compared"]] == [
        ("transactional", "nps", 6), ("transactional", "nps5", 6),
        ("relationship", "nps", 6), ("relationship", "nps5", 6),
    ]  # fmt: skip
    apart = await asked(api, a__programme="p0", b__programme="p2")
    assert [(one["a"]["n"], one["b"]["n"], one["verdict"]) for one in apart["compared"]] == [
        (6, 0, "too_few"), (0, 6, "too_few"),
    ]  # fmt: skip


async def test_a_side_of_a_programme_that_is_none_is_named(api: httpx.AsyncClient) -> None:
    for side in ("a.programme", "b.programme"):
        told = await api.get("/v1/scores/compare", params={side: "nobody"})
        assert (told.status_code, told.json()["field"]) == (404, side)


@pytest.mark.requirement("R63")
async def test_few_answers_are_held_back_on_a_side_and_in_the_difference_of_two(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    tiers = [Tier.KEY] * 20 + [Tier.SMALL] * 3
    told = [
        answer(number, 9 if tier is Tier.KEY else 0, at=clock.now(),
               snapshot=snapshot(tier=tier, account_id=account_id(number)))
        for number, tier in enumerate(tiers)
    ]  # fmt: skip
    await scoring.take(*told)
    (few,) = (await asked(api, a__where="tier:small", b__others="true"))["compared"]
    assert (few["a"]["n"], few["a"]["held"], few["a"]["needed"], few["a"]["score"]) == (3, "too_few", 2, None)
    assert (few["b"]["n"], few["b"]["held"], few["b"]["score"]) == (20, "difference", None)
    (nested,) = (await asked(api, a__where="tier:key"))["compared"]
    assert (nested["a"]["score"], nested["b"]["n"], nested["b"]["score"]) == (100, 23, None)
    assert (nested["b"]["held"], nested["in_both"], nested["verdict"]) == ("difference", 20, "too_few")
    file = await api.get("/v1/scores/compare/file", params={"a.where": "tier:key"})
    (row,) = csv.DictReader(io.StringIO(file.text.lstrip("\ufeff")))
    assert (row["score_a"], row["score_b"], row["held_b"]) == ("100.0", "", "difference")
    (same,) = (await asked(api, b__period="same"))["compared"]
    assert (same["in_both"], same["verdict"], same["points"]) == (23, None, None)


@pytest.mark.requirement("R62", "R63")
async def test_a_reading_of_few_answers_is_a_count_alone_in_api_and_file(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    """Twenty answers on either side; of the first three are of those who decide."""
    told = [
        answer(
            number, 9, at=clock.now(),
            snapshot=snapshot(
                ("renewal", "support")[number % 2], account_id=account_id(number),
                persona=PEOPLE[1] if number % 2 or number < 6 else PEOPLE[0],
            ),
        )
        for number in range(40)
    ]  # fmt: skip
    await scoring.take(*told)
    sides = {"a.programme": "renewal", "b.programme": "support"}
    (one,) = (await api.get(PATH, params=sides)).json()["compared"]
    (deciding,) = [of for of in one["readings"] if of["definition"] == "decision_makers"]
    assert [deciding["a"][name] for name in ("n", "score", "low", "high")] == [3, None, None, None]
    assert deciding["b"]["score"] == 100
    assert (deciding["verdict"], deciding["points"]) == ("too_few", None)
    file = (await api.get("/v1/scores/compare/file", params=sides)).text.lstrip("\ufeff")
    (row,) = [row for row in csv.DictReader(io.StringIO(file)) if row["reading"] == "decision_makers"]
    assert [row[f"{name}_a"] for name in ("n", "score", "low", "high")] == ["3", "", "", ""]


@pytest.mark.requirement("R62", "R84")
async def test_the_file_says_what_the_api_says_reading_by_reading(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*(event for *_, event in many(clock.now())))
    params = {"a.programme": "renewal", "b.programme": "support"}
    (one,) = (await api.get(PATH, params=params)).json()["compared"]
    assert [reading["definition"] for reading in one["readings"]] == [
        "respondent", "account", "value", "decision_makers",
    ]  # fmt: skip
    file = await api.get("/v1/scores/compare/file", params=params)
    rows = list(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff"))))
    assert [(row["reading"], int(row["n_a"]), int(row["n_b"])) for row in rows] == [
        (reading["definition"], reading["a"]["n"], reading["b"]["n"]) for reading in one["readings"]
    ]  # fmt: skip
    assert float(rows[0]["points"]) == pytest.approx(one["points"])
    assert rows[0]["verdict"] == one["verdict"]


async def test_an_answer_that_somebody_has_already_is_not_sent_again(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(answer(1, 9, at=clock.now()))
    first = await api.get(PATH)
    again = await api.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    await scoring.take(answer(2, 9, at=clock.now()))
    assert (await api.get(PATH, headers={"If-None-Match": first.headers["ETag"]})).status_code == 200


@pytest.mark.requirement("R58", "R61")
async def test_sides_by_account_manager_need_a_right_of_their_own(
    db: Database, clock: FixedClock, access: Access, api: httpx.AsyncClient, scoring: Scoring
) -> None:
    await scoring.take(answer(1, 9, at=clock.now()))
    params = {"a.where": "owner:anna@example.com"}
    for path in (PATH, "/v1/scores/compare/file"):
        assert (await api.get(path, params=params)).status_code == 403
    async with await keyed(db, clock, access, Scope.SCORES_READ, Scope.ACCOUNTS_READ) as trusted:
        found = (await trusted.get(PATH, params=params)).json()
    assert found["a"]["values"] == {"owner": "anna@example.com"}
    assert found["compared"][0]["a"]["n"] == 1


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"a.where": "colour:red"}, "a.where"),
        ({"a.period": "all"}, "b.period"),
        ({"b.others": "true"}, "b.others"),
        ({"a.from": "yesterday"}, "a.from"),
        ({"a.period": "fortnight"}, "a.period"),
    ],
)
async def test_what_cannot_be_compared_is_refused_and_named(
    api: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    refused = await api.get(PATH, params=params)
    assert refused.status_code == 422
    assert field in refused.text


async def test_of_very_many_answers_only_the_newest_are_looked_through_and_that_is_said(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scoring.handlers.comparing.MOST_FACTS", 100)
    await scoring.take(*(event for *_, event in many(clock.now())))
    found = await asked(api, a__where=["region:se", "tier:key"], a__period="365", b__where="tier:key")
    assert (found["a"]["sums"], found["a"]["complete"]) == (False, False)
    assert found["a"]["since"] == (clock.now().date() - timedelta(days=49)).isoformat()
    assert (found["b"]["sums"], found["b"]["complete"], found["b"]["since"]) == (True, True, None)
