from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import TOO_FEW, Group, group, score, split

metrics = st.sampled_from(list(Metric))


@st.composite
def histograms(draw: st.DrawFn, metric: Metric | None = None) -> Histogram:
    chosen = metric or draw(metrics)
    width = chosen.highest - chosen.lowest + 1
    return Histogram(chosen, tuple(draw(st.lists(st.integers(0, 50), min_size=width, max_size=width))))


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        pytest.param(Metric.NPS, 0, Group.LOW, id="nps lowest", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS, 6, Group.LOW, id="nps 6", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS, 7, Group.MIDDLE, id="nps 7", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS, 8, Group.MIDDLE, id="nps 8", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS, 9, Group.HIGH, id="nps 9", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS, 10, Group.HIGH, id="nps highest", marks=pytest.mark.requirement("R1")),
        pytest.param(Metric.NPS5, 3, Group.LOW, id="nps5 3", marks=pytest.mark.requirement("R2")),
        pytest.param(Metric.NPS5, 4, Group.MIDDLE, id="nps5 4", marks=pytest.mark.requirement("R2")),
        pytest.param(Metric.NPS5, 5, Group.HIGH, id="nps5 5", marks=pytest.mark.requirement("R2")),
        pytest.param(Metric.CSAT, 2, Group.LOW, id="csat 2", marks=pytest.mark.requirement("R3")),
        pytest.param(Metric.CSAT, 3, Group.MIDDLE, id="csat 3", marks=pytest.mark.requirement("R3")),
        pytest.param(Metric.CSAT, 4, Group.HIGH, id="csat 4", marks=pytest.mark.requirement("R3")),
        pytest.param(Metric.CES, 3, Group.LOW, id="ces 3", marks=pytest.mark.requirement("R4")),
        pytest.param(Metric.CES, 4, Group.MIDDLE, id="ces 4", marks=pytest.mark.requirement("R4")),
        pytest.param(Metric.CES, 5, Group.MIDDLE, id="ces 5", marks=pytest.mark.requirement("R4")),
        pytest.param(Metric.CES, 6, Group.HIGH, id="ces 6", marks=pytest.mark.requirement("R4")),
    ],
)
def test_each_answer_falls_into_its_group(metric: Metric, value: int, expected: Group) -> None:
    assert group(metric, value) is expected


@pytest.mark.requirement("R1")
def test_nps_is_promoters_less_detractors_in_percent() -> None:
    # 5 promoters, 3 passives, 2 detractors: 50 % - 20 %.
    found = score(Histogram.of(Metric.NPS, [10, 10, 9, 9, 9, 8, 7, 7, 6, 0]))
    assert found.value == 30
    assert (found.split.high, found.split.middle, found.split.low) == (5, 3, 2)


@pytest.mark.requirement("R1")
@pytest.mark.parametrize(("answers", "expected"), [([9, 10], 100), ([0, 6], -100), ([7, 8], 0)])
def test_nps_reaches_both_ends_and_passives_count_for_nothing(answers: list[int], expected: int) -> None:
    assert score(Histogram.of(Metric.NPS, answers)).value == expected


@pytest.mark.requirement("R3")
def test_csat_is_the_share_of_fours_and_fives() -> None:
    assert score(Histogram.of(Metric.CSAT, [5, 4, 3, 1])).value == 50


@pytest.mark.requirement("R5")
def test_ces_is_the_share_of_low_effort_answers() -> None:
    assert score(Histogram.of(Metric.CES, [7, 6, 6, 5, 1])).value == 60


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.requirement("R1", "R3", "R5")
def test_nobody_answered_is_no_score_rather_than_zero(metric: Metric) -> None:
    found = score(Histogram.of(metric))
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)


@pytest.mark.requirement("R2")
def test_two_scales_are_never_added() -> None:
    with pytest.raises(ValueError, match="never one number"):
        Histogram.of(Metric.NPS, [9]) + Histogram.of(Metric.NPS5, [5])


@pytest.mark.parametrize(
    ("metric", "value"), [(Metric.NPS, 11), (Metric.NPS, -1), (Metric.CSAT, 0), (Metric.CES, 8)]
)
def test_an_answer_off_its_scale_is_refused(metric: Metric, value: int) -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        Histogram.of(metric, [value])


def test_a_histogram_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have"):
        Histogram(Metric.CSAT, (1, 2))


@given(histograms(Metric.NPS), histograms(Metric.NPS), histograms(Metric.NPS))
def test_merging_knows_no_order_and_can_be_undone(a: Histogram, b: Histogram, c: Histogram) -> None:
    assert (a + b) + c == a + (b + c) == (c + b) + a
    assert (a + b) - b == a


@given(histograms())
def test_groups_share_all_answers_out_and_the_interval_holds_the_score(histogram: Histogram) -> None:
    assert split(histogram).n == histogram.n == sum(histogram.by_value().values())
    found = score(histogram)
    if found.value is not None and found.low is not None and found.high is not None:
        lowest = -100 if histogram.metric in (Metric.NPS, Metric.NPS5) else 0
        assert lowest <= found.low <= found.value <= found.high <= 100


@pytest.mark.requirement("R63")
def test_a_score_of_few_answers_is_not_shown_as_a_number() -> None:
    assert not score(Histogram.of(Metric.NPS, [9] * (TOO_FEW - 1))).readable
    assert score(Histogram.of(Metric.NPS, [9] * TOO_FEW)).readable
