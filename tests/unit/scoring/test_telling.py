"""Which programmes tell who leaves, which demonstrably do not, and when nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Fate
from services.scoring.domain.telling import ProgrammeOutcome, Telling, Tells, tellings
from shared.contracts.programmes import ProgrammeState

Moods = Mapping[Group, Fate]


def _of(unhappy: Fate, happy: Fate) -> Moods:
    return {Group.LOW: unhappy, Group.HIGH: happy}


def _all(*moods: Moods) -> list[Telling]:
    return tellings([(Metric.NPS, one) for one in moods])


def _one(unhappy: Fate, happy: Fate) -> Telling:
    (found,) = _all(_of(unhappy, happy))
    return found


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("unhappy", "happy", "tells"),
    [
        pytest.param(Fate(40, 20), Fate(60, 3), Tells.WHO_LEAVES, id="the unhappy left"),
        pytest.param(Fate(40, 1), Fate(40, 20), Tells.WHO_STAYS, id="the happy left"),
        pytest.param(Fate(400, 80), Fate(400, 80), Tells.NOTHING, id="as many of both, of many"),
        pytest.param(Fate(40, 8), Fate(40, 8), Tells.NOT_ENOUGH_DATA, id="as many of both, of few"),
        pytest.param(Fate(40, 11), Fate(40, 4), Tells.WHO_LEAVES, id="just enough more of the unhappy"),
        pytest.param(Fate(40, 10), Fate(40, 4), Tells.NOT_ENOUGH_DATA, id="not quite enough more"),
        pytest.param(Fate(40, 4), Fate(40, 11), Tells.WHO_STAYS, id="just enough more of the happy"),
        pytest.param(Fate(40, 4), Fate(40, 10), Tells.NOT_ENOUGH_DATA, id="not quite enough of the happy"),
        pytest.param(Fate(125, 25), Fate(125, 25), Tells.NOTHING, id="ten points are just ruled out"),
        pytest.param(Fate(120, 24), Fate(120, 24), Tells.NOT_ENOUGH_DATA, id="ten are just not ruled out"),
        pytest.param(Fate(5, 5), Fate(400, 0), Tells.WHO_LEAVES, id="five unhappy"),
        pytest.param(Fate(4, 4), Fate(400, 0), Tells.NOT_ENOUGH_DATA, id="four unhappy"),
        pytest.param(Fate(400, 200), Fate(5, 0), Tells.WHO_LEAVES, id="five happy"),
        pytest.param(Fate(400, 200), Fate(4, 0), Tells.NOT_ENOUGH_DATA, id="four happy"),
        pytest.param(Fate(), Fate(), Tells.NOT_ENOUGH_DATA, id="nobody"),
        pytest.param(Fate(900, 0), Fate(900, 0), Tells.NOT_ENOUGH_DATA, id="nobody left"),
        # Twice as many of the unhappy left: four points are much where two of a hundred leave.
        pytest.param(Fate(100, 4), Fate(400, 8), Tells.NOT_ENOUGH_DATA, id="few leave"),
        pytest.param(Fate(4000, 200), Fate(4000, 200), Tells.NOTHING, id="few leave, of many"),
    ],
)
def test_a_difference_that_is_not_found_is_not_one_that_is_ruled_out(
    unhappy: Fate, happy: Fate, tells: Tells
) -> None:
    assert _one(unhappy, happy).tells is tells


def test_nothing_is_said_only_where_the_whole_interval_is_less_than_what_is_worth_knowing() -> None:
    found = _one(Fate(400, 80), Fate(400, 80))
    assert found.worth == 10
    assert found.low is not None
    assert found.high is not None
    assert -10 < found.low < 0 < found.high < 10
    assert _one(Fate(100, 4), Fate(400, 8)).worth == pytest.approx(50 * 12 / 500)
    assert _one(Fate(100, 19), Fate(100, 20)).worth == pytest.approx(9.75)
    assert _one(Fate(100, 21), Fate(100, 20)).worth == 10
    wide = _one(Fate(100, 20), Fate(100, 20))
    assert wide.high is not None
    assert wide.high > wide.worth
    assert wide.tells is Tells.NOT_ENOUGH_DATA


def test_one_of_many_programmes_stands_out_by_chance() -> None:
    chance = _of(Fate(40, 13), Fate(40, 5))
    assert _all(chance)[0].tells is Tells.WHO_LEAVES
    assert _all(chance, *[_of(Fate(40, 8), Fate(40, 8))] * 19)[0].tells is Tells.NOT_ENOUGH_DATA
    narrow = _of(Fate(140, 28), Fate(140, 28))
    assert _all(narrow)[0].tells is Tells.NOTHING
    assert _all(narrow, *[_of(Fate(40, 8), Fate(40, 8))] * 19)[0].tells is Tells.NOT_ENOUGH_DATA


def test_of_programmes_that_all_tell_something_hardly_any_is_said_to_tell_nothing() -> None:
    """The unhappy leave just as much more as is worth knowing: to say that they do not is wrong."""
    dice = np.random.default_rng(7)

    def left(accounts: int, share: float) -> Fate:
        return Fate(accounts, int(dice.binomial(accounts, share)))

    said = [
        one.tells is Tells.NOTHING
        for _ in range(60)
        for one in _all(*[_of(left(250, 0.3), left(250, 0.2)) for _ in range(10)])
    ]
    assert sum(said) <= 0.05 * len(said)


NOTHING = _one(Fate(400, 80), Fate(400, 80))
LEAVES = _one(Fate(40, 20), Fate(60, 3))
OPEN = _one(Fate(40, 8), Fate(40, 8))
VAIN = ProgrammeOutcome("pulse", (), ProgrammeState.ACTIVE, 50, follows_up=False, tellings=(NOTHING,))


@pytest.mark.parametrize(
    ("one", "retire"),
    [
        (VAIN, True),
        (replace(VAIN, asked=1), True),
        (replace(VAIN, asked=0), False),
        (replace(VAIN, state=ProgrammeState.PAUSED), False),
        (replace(VAIN, state=ProgrammeState.ARCHIVED), False),
        (replace(VAIN, state=None), False),
        (replace(VAIN, follows_up=True), False),
        (replace(VAIN, follows_up=None), False),
        (replace(VAIN, tellings=(NOTHING, LEAVES)), False),
        (replace(VAIN, tellings=(NOTHING, OPEN)), False),
        (replace(VAIN, tellings=()), False),
    ],
)
def test_only_what_demonstrably_tells_nothing_and_helps_nobody_might_be_retired(
    one: ProgrammeOutcome, *, retire: bool
) -> None:
    assert one.consider_retiring is retire
