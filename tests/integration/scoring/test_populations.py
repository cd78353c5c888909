"""Of few customers who were asked many may have answered; whom nobody asked is of no known number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.domain.design import Design
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, scored
from shared.contracts.model import Channel, Family, Payload
from shared.contracts.responses import Answered, ResponseHeld
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from tests.support.scoring import Scoring, answer, handed_over, snapshot

pytestmark = pytest.mark.requirement("R63")

ASKED, ANSWERED = 20, 16


def _said(
    number: int, clock: FixedClock, *, programme: str = "pulse", days: int = 1, **changes: Any
) -> Answered:
    """One customer each; every fourth is unhappy, all others promote."""
    snap = snapshot(
        programme, family=Family.RELATIONSHIP, account_id=str(derive("account", number)),
        channel=changes.pop("channel", Channel.EMAIL),
    )  # fmt: skip
    at = clock.now() - timedelta(days=days)
    return answer(number, 9 if number % 4 else 3, snapshot=snap, at=at, first_at=at, asked_at=at, **changes)


def _wave(
    clock: FixedClock, programme: str = "pulse", first: int = 0, answered: int = ANSWERED
) -> list[Payload]:
    """Twenty customers are asked, most of them answer."""
    told: list[Payload] = []
    for number in range(first, first + ASKED):
        given = _said(number, clock, programme=programme)
        told.append(
            handed_over(number, clock.now() - timedelta(days=2)).model_copy(
                update={"snapshot": given.snapshot}
            )
        )
        if number < first + answered:
            told.append(given)
    return told


async def _interval(api: httpx.AsyncClient, clock: FixedClock, programme: str = "pulse") -> tuple[int, Score]:
    """What is said of the last thirty days, which all views of them share."""
    today = clock.now().date()
    span = {"from": (today - timedelta(days=29)).isoformat(), "to": today.isoformat()}
    (told,) = (await api.get("/v1/scores", params={"programme": programme} | span)).json()["scores"]
    (change,) = (await api.get("/v1/scores/changes", params={"programme": programme, "window": "30"})).json()[
        "changes"
    ]
    side = change["now"]
    assert [side[name] for name in ("n", "low", "high")] == [told[name] for name in ("n", "low", "high")]
    values = {int(value): times for value, times in told["histogram"].items()}
    parts = Split(values.get(9, 0), 0, values.get(3, 0))
    return told["n"], Score(Metric.NPS, parts, told["score"], told["low"], told["high"])


def _is(found: Score, population: int | None) -> bool:
    """Whether it is the interval of answers that stand for themselves, out of so many people."""
    expected = scored(found.metric, found.split, Design(accounts=found.n, population=population))
    return found.low == pytest.approx(expected.low) and found.high == pytest.approx(expected.high)


async def test_of_twenty_who_were_asked_sixteen_leave_little_open(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*_wave(clock))
    n, found = await _interval(api, clock)
    assert n == ANSWERED
    assert _is(found, ASKED)
    assert not _is(found, None)


@pytest.mark.parametrize("channel", [Channel.SHARED_LINK, Channel.FORM])
async def test_one_answer_whom_nobody_asked_for_leaves_everything_open(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, channel: Channel
) -> None:
    await scoring.take(*_wave(clock), *_wave(clock, "other", 500))
    await scoring.take(_said(900, clock, channel=channel))
    n, found = await _interval(api, clock)
    assert n == ANSWERED + 1
    assert _is(found, None)
    _, other = await _interval(api, clock, "other")
    assert _is(other, ASKED), "another programme has nothing to do with it"


@pytest.mark.requirement("R62")
async def test_whom_nobody_asked_is_heard_and_is_no_part_of_the_people_asked(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    async def readings() -> dict[str, tuple[int, float]]:
        told = (await api.get("/v1/scores/definitions", params={"programme": "pulse"})).json()
        (metric,) = told["metrics"]
        return {one["definition"]: (one["n"], one["covered"]) for one in metric["readings"]}

    await scoring.take(*_wave(clock))
    assert (await readings())["respondent"] == (ANSWERED, ANSWERED / ASKED)
    await scoring.take(*(_said(900 + number, clock, channel=Channel.SHARED_LINK) for number in range(30)))
    assert (await readings())["respondent"] == (ANSWERED + 30, ANSWERED / ASKED)
    await scoring.take(_said(990, clock, programme="wall", channel=Channel.SHARED_LINK))
    told = (await api.get("/v1/scores/definitions", params={"programme": "wall"})).json()
    assert told["metrics"][0]["readings"][0]["covered"] is None, "nobody was asked"


async def test_as_many_answers_as_people_asked_are_no_census_where_some_were_not_asked(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*_wave(clock, answered=ASKED))
    _, everybody = await _interval(api, clock)
    assert everybody.low == everybody.value == everybody.high, "all who could have answered have"
    await scoring.take(*_wave(clock, "half", 500, answered=10))
    await scoring.take(
        *(_said(900 + number, clock, programme="half", channel=Channel.SHARED_LINK) for number in range(10))
    )
    n, half = await _interval(api, clock, "half")
    assert n == ASKED
    assert _is(half, None)


@pytest.mark.parametrize(
    "case", [{"days": 40}, {"kind": ResponseHeld}], ids=["before the span", "held as machine-made"]
)
async def test_an_answer_that_is_not_among_those_that_are_scored_changes_nothing(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, case: dict[str, Any]
) -> None:
    await scoring.take(*_wave(clock), _said(900, clock, channel=Channel.SHARED_LINK, **case))
    n, found = await _interval(api, clock)
    assert n == ANSWERED
    assert _is(found, ASKED)


async def test_a_plan_reckons_with_an_end_only_where_there_is_one(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*_wave(clock), *_wave(clock, "other", 500))

    async def population(**asked: str) -> int | None:
        found = await api.get("/v1/scores/plan", params={"metric": "nps", "points": "40"} | asked)
        told: int | None = found.json()["population"]
        return told

    key = {"dimension": "tier", "value": "key"}
    for asked in ({"programme": "pulse"}, {"programme": "pulse"} | key, {"programme": "other"}):
        assert await population(**asked)
    await scoring.take(_said(900, clock, channel=Channel.SHARED_LINK))
    assert await population(programme="pulse") is None
    assert await population(programme="pulse", **key) is None
    assert await population(programme="other")
