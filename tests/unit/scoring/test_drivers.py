"""Drivers against scipy, by hand, and by simulation with a fixed seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from services.scoring.domain.asked import attributes_of, brand_questions, named
from services.scoring.domain.design import Clustering
from services.scoring.domain.drivers import Quadrant, Rating, drivers, effects, spearman, wishes
from services.scoring.domain.histogram import Histogram, Metric


def _rated(draw: np.random.Generator, n: int, moved: dict[str, float]) -> list[Rating]:
    """Ratings that follow the answer as far as `moved` says: 1 wholly, 0 not at all."""
    answers = draw.integers(0, 11, n)
    found = []
    for attribute, share in moved.items():
        own = np.where(draw.random(n) < share, 1 + answers * 4 // 10, draw.integers(1, 6, n))
        found += [
            Rating(attribute, int(rating), int(answer), f"account {number}")
            for number, (rating, answer) in enumerate(zip(own, answers, strict=True))
        ]
    return found


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10)), min_size=3, max_size=60))
def test_rank_correlation_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    ours = spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(spearmanr(first, second).statistic)


@pytest.mark.requirement("R65", "R66")
def test_what_goes_with_the_score_and_pleases_few_is_a_focus_area() -> None:
    draw = np.random.default_rng(66)
    ratings = _rated(draw, 200, {"speed": 0.9, "colour": 0.0, "price": 0.0})
    ratings += [
        one._replace(rating=min(5, one.rating + 1 + (one.rating > 1)))
        for one in _rated(draw, 200, {"people": 0.95})
    ]
    found = {one.attribute: one for one in drivers(ratings)}
    assert found["speed"].quadrant is Quadrant.FOCUS
    assert found["people"].quadrant is Quadrant.KEEP
    assert found["colour"].quadrant in (Quadrant.MINOR, Quadrant.FINE)
    assert drivers(ratings)[0].attribute == "speed"
    for one in found.values():
        assert one.low <= one.performance <= one.high
        assert one.satisfied + one.neutral + one.unhappy == one.n == 200


@pytest.mark.requirement("R66")
def test_of_many_attributes_that_do_not_matter_hardly_one_is_called_a_focus_area() -> None:
    called = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        found = drivers(_rated(draw, 60, {f"a{n}": 0.0 for n in range(12)}))
        called += any(one.quadrant in (Quadrant.FOCUS, Quadrant.KEEP) for one in found)
    assert called <= 5


def test_colleagues_who_rate_alike_are_not_taken_for_many() -> None:
    draw = np.random.default_rng(1)
    ratings = [
        Rating("ui", int(rating), int(rating) * 2, f"account {number}")
        for number, rating in enumerate(draw.integers(1, 6, 12))
        for _ in range(10)
    ]
    (clustered,) = drivers(ratings)
    (alone,) = drivers([one._replace(account="") for one in ratings])
    assert clustered.importance == alone.importance
    assert (clustered.chance or 0) >= (alone.chance or 0)
    assert clustered.high - clustered.low > alone.high - alone.low


def test_a_few_ratings_say_nothing_of_importance() -> None:
    (few,) = drivers([Rating("ui", 5, 9, "")] * 9)
    assert (few.importance, few.chance, few.quadrant) == (None, None, Quadrant.UNKNOWN)
    (same,) = drivers([Rating("ui", 5, 9, "")] * 30)
    assert same.importance is None, "who all say the same, say nothing of what goes with what"
    assert drivers([]) == []


@pytest.mark.requirement("R66")
def test_attributes_of_the_event_explain_without_a_question() -> None:
    good, bad = [9] * 30 + [3] * 10, [9] * 8 + [3] * 32
    found = effects(
        Metric.NPS,
        {
            ("carrier", "DHL"): Histogram.of(Metric.NPS, bad),
            ("carrier", "UPS"): Histogram.of(Metric.NPS, good),
            ("carrier", "own"): Histogram.of(Metric.NPS, [9] * 4),
            ("lane", "north"): Histogram.of(Metric.NPS, (good + bad)[::2]),
            ("lane", "south"): Histogram.of(Metric.NPS, (good + bad)[1::2]),
        },
    )
    assert {one.value for one in found if one.certain} == {"DHL", "UPS"}
    assert "own" not in {one.value for one in found}, "four answers are no comparison"
    dhl = next(one for one in found if one.value == "DHL")
    assert (dhl.change.points or 0) < 0
    assert dhl.chance >= (dhl.change.chance or 0)


@pytest.mark.requirement("R66")
def test_twenty_carriers_that_are_all_alike_are_rarely_told_apart() -> None:
    wrong = 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        cells = {
            ("carrier", f"c{n}"): Histogram.of(Metric.NPS, map(int, draw.integers(0, 11, 25)))
            for n in range(20)
        }
        wrong += any(one.certain for one in effects(Metric.NPS, cells))
    assert wrong <= 10


@pytest.mark.requirement("R42")
def test_what_partners_are_chosen_by_is_counted_by_person() -> None:
    first, second = wishes(
        [("", ("price", "speed")), ("", ("price",)), ("", ("speed", "speed", "price")), ("", ())]
    )
    assert (first.attribute, first.named, first.asked) == ("price", 3, 4)
    assert (second.attribute, second.named) == ("speed", 2)
    assert first.low < 0.75 < first.high


@pytest.mark.requirement("R42", "R63")
def test_what_ten_customers_choose_is_not_made_surer_by_their_colleagues() -> None:
    by_customer = [(f"account {n}", ("price",) if n < 6 else ()) for n in range(10)]
    (ten,) = wishes(by_customer)
    (hundred,) = wishes(by_customer * 10)
    (strangers,) = wishes([("", chosen) for _, chosen in by_customer * 10])
    assert (hundred.named, hundred.asked) == (60, 100)
    assert hundred.low <= 0.6 <= hundred.high
    assert hundred.high - hundred.low >= 0.9 * (ten.high - ten.low)
    assert strangers.high - strangers.low < 0.5 * (hundred.high - hundred.low)


@pytest.mark.requirement("R63", "R66")
def test_attributes_of_the_event_are_told_apart_with_colleagues_counted_as_far_as_they_differ() -> None:
    answers = {
        ("carrier", "DHL"): Histogram.of(Metric.NPS, [9] * 16 + [3] * 24),
        ("carrier", "UPS"): Histogram.of(Metric.NPS, [9] * 28 + [3] * 12),
    }
    dozen = Clustering(intraclass=0.6, paired=1 / 12, answers=80, accounts=12)
    assert all(one.certain for one in effects(Metric.NPS, answers))
    assert not any(one.certain for one in effects(Metric.NPS, answers, dozen))
    few, many = (effects(Metric.NPS, answers, dozen, {"carrier": bound})[0] for bound in (0.0, 1.0))
    assert (few.change.points, few.value) == (many.change.points, many.value)
    assert (few.change.high or 0) - (few.change.low or 0) < (many.change.high or 0) - (many.change.low or 0)


def test_attributes_are_named_as_the_programme_does_or_readably() -> None:
    definition = {
        "questions": [
            {"id": "m", "type": "matrix", "items": ["ui", {"id": "am", "text": {"en": "Boss", "es": "G"}}]},
            {"id": "b", "type": "brand"}, "no question",
        ]
    }  # fmt: skip
    words = attributes_of(definition)
    assert named("am", words, "es") == "G"
    assert named("am", words, "sv") == "Boss"
    assert named("account_manager", words, "sv") == "Account manager"
    assert brand_questions(definition) == ["b"]
    assert attributes_of({}) == {}
