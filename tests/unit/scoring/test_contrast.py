"""Two sides against each other: what is said, what is held back, and how answers on both are counted."""

from __future__ import annotations

import numpy as np
import pytest

from services.scoring.domain.change import Verdict, compare
from services.scoring.domain.contrast import (
    Contrast,
    Heard,
    Held,
    Shared,
    contrast,
    correlation,
    judged,
    with_readings,
)
from services.scoring.domain.definitions import NOBODY, Definition
from services.scoring.domain.design import Voices, summed
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Split, is_difference, scored
from tests.support.readings import Voice, told_by

Shares = tuple[float, float, float]
NONE = Split(0, 0, 0)


def _nps(high: int, middle: int, low: int) -> Histogram:
    return Histogram.of(Metric.NPS, [10] * high + [8] * middle + [2] * low)


def _plain(a: Histogram, b: Histogram, both: Histogram | None = None, *, complete: bool = True) -> Contrast:
    shared = Shared(both, complete) if both else None
    return contrast("transactional", Heard(a), Heard(b), shared)


def _plus(*splits: Split) -> Split:
    return Split(*(sum(column) for column in zip(*((s.high, s.middle, s.low) for s in splits), strict=True)))


def _worth(metric: Metric, shares: Shares) -> float:
    return 100 * (shares[0] - (shares[2] if is_difference(metric) else 0))


def _held(
    metric: Metric, sizes: tuple[int, int, int], shares: tuple[Shares, Shares, Shares]
) -> tuple[float, float]:
    """How often of 2,000 the interval holds the true difference, with and without a look at the overlap."""
    draw = np.random.default_rng(sum(sizes))
    drawn = [draw.multinomial(n, of, 2000) for n, of in zip(sizes, shares, strict=True)]
    worths = [_worth(metric, of) for of in shares]
    a_n, b_n = sizes[0] + sizes[2], sizes[1] + sizes[2]
    truth = (sizes[0] * worths[0] + sizes[2] * worths[2]) / a_n - (
        sizes[1] * worths[1] + sizes[2] * worths[2]
    ) / b_n
    knowing = blind = 0
    for of_a, of_b, of_both in zip(*drawn, strict=True):
        both = Split(*map(int, of_both))
        a, b = _plus(Split(*map(int, of_a)), both), _plus(Split(*map(int, of_b)), both)
        alike = correlation(metric, a, b, both)
        for number, known in enumerate((alike, 0.0)):
            change = compare(scored(metric, b), scored(metric, a), correlation=known)
            assert change.low is not None
            assert change.high is not None
            inside = change.low <= truth <= change.high
            knowing, blind = (knowing + inside, blind) if number == 0 else (knowing, blind + inside)
    return knowing / 2000, blind / 2000


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("metric", [Metric.NPS, Metric.CSAT])
@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        ((60, 60, 120), ((0.5, 0.3, 0.2), (0.5, 0.3, 0.2), (0.5, 0.3, 0.2))),
        ((0, 150, 100), ((1.0, 0.0, 0.0), (0.3, 0.3, 0.4), (0.6, 0.3, 0.1))),
        ((40, 200, 80), ((0.7, 0.2, 0.1), (0.4, 0.3, 0.3), (0.5, 0.2, 0.3))),
    ],
    ids=["alike", "a part of the other", "of three kinds"],
)
def test_with_answers_on_both_sides_the_interval_holds_the_truth_19_times_of_20(
    metric: Metric, sizes: tuple[int, int, int], shares: tuple[Shares, Shares, Shares]
) -> None:
    knowing, blind = _held(metric, sizes, shares)
    assert 0.935 <= knowing <= 0.97
    assert blind > knowing + 0.01


def test_sides_without_a_common_answer_do_not_go_together() -> None:
    assert correlation(Metric.NPS, Split(5, 3, 2), Split(2, 3, 5), NONE) == 0
    whole = Split(50, 30, 20)
    assert correlation(Metric.NPS, whole, whole, whole) == pytest.approx(1)
    assert 0 < correlation(Metric.NPS, Split(9, 0, 0), Split(20, 0, 0), Split(9, 0, 0)) < 1


@pytest.mark.requirement("R63", "R68")
def test_a_side_with_too_few_answers_says_how_many_more_it_takes() -> None:
    found = _plain(_nps(2, 0, 0), _nps(40, 10, 10))
    assert (found.a.held, found.a.needed, found.b.held) == (Held.TOO_FEW, 3, None)
    assert found.change is not None
    assert (found.change.verdict, found.change.points) == (Verdict.TOO_FEW, None)


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("left", [1, 4])
def test_what_few_said_cannot_be_told_from_the_difference_of_two_sides(left: int) -> None:
    part = _nps(20, 5, 5)
    found = _plain(part, part + _nps(left, 0, 0), part)
    assert (found.a.held, found.b.held) == (None, Held.DIFFERENCE)
    assert found.change is not None
    assert (found.change.verdict, found.change.points) == (Verdict.TOO_FEW, None)
    assert found.a.needed == found.b.needed == 0
    # Where answers on both sides were not all counted, the numbers of answers alone say so.
    unsure = _plain(part, part + _nps(left, 0, 0), _nps(3, 0, 0), complete=False)
    assert unsure.b.held is Held.DIFFERENCE
    enough = _plain(part, part + _nps(5, 0, 0), part)
    assert not enough.held


@pytest.mark.requirement("R63")
def test_of_a_whole_the_one_part_does_not_tell_the_other() -> None:
    sides = Heard(_nps(2, 1, 0)), Heard(_nps(40, 10, 10))
    found = contrast("transactional", *sides, None, parts=True)
    assert (found.a.held, found.b.held) == (Held.TOO_FEW, Held.DIFFERENCE)


def test_the_same_answers_on_both_sides_are_not_compared() -> None:
    same = _nps(20, 5, 5)
    assert _plain(same, same, same).change is None


@pytest.mark.requirement("R63")
def test_with_many_comparisons_better_is_said_of_what_is_certain_alone() -> None:
    close = _plain(_nps(60, 20, 20), _nps(47, 20, 33))
    calm = _plain(_nps(50, 20, 30), _nps(50, 20, 30))
    assert close.change is not None
    assert close.change.verdict is Verdict.BETTER
    (alone,) = judged([close])
    assert alone == close
    among = judged([calm, close, calm, calm])[1]
    assert among.change is not None
    assert (among.change.verdict, among.many) == (Verdict.NO_DETECTABLE_CHANGE, True)
    assert among.change.points == close.change.points
    assert not any(one.many for one in judged([calm, calm]))


def _voices(*accounts: tuple[int, int, int], persona: str = "user") -> list[Voice]:
    return [
        Voice(f"{persona}{number}", persona, Voices(sum(of), of[0], of[2]))
        for number, of in enumerate(accounts)
    ]


@pytest.mark.requirement("R63")
def test_colleagues_who_answer_alike_make_a_difference_less_sure() -> None:
    a, b = _nps(30, 0, 10), _nps(20, 0, 20)
    alone = _plain(a, b)
    crowds = [Voices(10, 10, 0)] * 5 + [Voices(10, 0, 10)] * 3
    known = summed(crowds, difference=True).clustering
    alike = contrast("transactional", Heard(a, known), Heard(b, known), None)
    assert alone.change is not None
    assert alike.change is not None
    assert alone.change.verdict is Verdict.BETTER
    assert alike.change.verdict is Verdict.NO_DETECTABLE_CHANGE


@pytest.mark.requirement("R62")
def test_both_sides_are_read_in_four_ways_and_few_users_are_not_told_from_decision_makers() -> None:
    deciding = _voices((5, 0, 0), (3, 0, 1), persona="decision_maker")
    a, b = Heard(_nps(10, 0, 1)), Heard(_nps(11, 0, 5))
    told_a, told_b = (
        told_by(Metric.NPS, [*deciding, *_voices(users)], {"user0": 500.0})
        for users in ((2, 0, 0), (3, 0, 4))
    )
    found = with_readings(contrast("transactional", a, b, None), told_a, told_b)
    read = {one.definition: one for one in found.readings}
    assert list(read) == list(Definition)
    assert read[Definition.RESPONDENT].change == found.change
    few = read[Definition.DECISION_MAKERS]
    assert (few.a, few.change) == (None, None)
    assert few.b is not None
    assert few.b.score.n == 9
    by_value = read[Definition.VALUE]
    assert by_value.a is not None
    assert (by_value.a.score.n, by_value.a.accounts) == (2, 1)
    assert by_value.change is not None
    assert by_value.change.verdict is Verdict.TOO_FEW


def test_where_numbers_are_held_back_no_other_reading_tells_them() -> None:
    few, many = _voices((2, 0, 0)), _voices((9, 0, 1))
    held = contrast("transactional", Heard(_nps(2, 0, 0)), Heard(_nps(9, 0, 1)), None)
    assert with_readings(held, told_by(Metric.NPS, few, {}), told_by(Metric.NPS, many, {})).readings == ()


def test_where_none_of_the_newest_answers_are_of_a_side_nothing_is_read_in_other_ways() -> None:
    sides = Heard(_nps(20, 5, 5)), Heard(_nps(10, 5, 15))
    told = told_by(Metric.NPS, _voices((20, 5, 5)), {})
    first, *others = with_readings(contrast("transactional", *sides, None), told, NOBODY).readings
    assert first.change is not None
    assert first.change.verdict is not Verdict.TOO_FEW
    assert [(one.b.score.n, one.b.accounts) for one in others if one.b] == [(0, 0)] * 3
    assert all(one.change and one.change.verdict is Verdict.TOO_FEW for one in others if one.b and one.a)
