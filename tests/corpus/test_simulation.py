"""Simulated people and gateways: by the rules alone, and a smaller number over HTTP on the house."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.corpus import pure
from tests.corpus.house import perform
from tests.corpus.simulation import DAY, lives
from tests.corpus.tally import HELD_AT_MOST, tally
from tests.support.books import balanced
from tests.support.databases import TestDatabase
from tests.support.house import opened

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SAMPLE = 24


def test_hardly_anybody_is_held_by_mistake_and_no_machine_counts() -> None:
    made = tally(lives())
    assert made.held <= HELD_AT_MOST, made.reasons
    assert made.machines["counted"] == 0
    assert made.machines["held"] > 500
    assert (made.total["dropped"], made.total.total()) == (0, 10_000)
    assert made.total["other"] <= made.total.total() * HELD_AT_MOST


def test_the_same_seed_tells_the_same_lives() -> None:
    assert list(lives(20, "a")) == list(lives(20, "a"))
    assert list(lives(20, "a")) != list(lives(20, "b"))


@pytest.mark.e2e
@pytest.mark.timeout(240)
async def test_the_house_ends_each_life_as_the_rules_alone_do(fresh_database: TestDatabase) -> None:
    """People behind gateways, and the mails of some of them as they are when nobody answers."""
    chosen = [life for life in lives(400) if life.gateways and life.trace.steps[-1].at < 3 * DAY]
    pressing = [life for life in chosen if any("presses" in name for name in life.gateways)]
    traces = [life.trace for life in chosen[:SAMPLE]] + [life.unanswered for life in pressing[: SAMPLE // 4]]
    async with opened(fresh_database, START) as house:
        outcomes = await perform(house, traces)
        await balanced(house)
    ends = [(outcome.ends, outcome.scored) for outcome in outcomes]
    expected = [pure.end(trace) for trace in traces]
    assert ends == [(one.ends, one.score if one.ends == "counted" else None) for one in expected]
