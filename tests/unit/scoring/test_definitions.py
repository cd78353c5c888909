"""Four readings of one score: by hand, and by simulation with a fixed seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.definitions import (
    Defined,
    Definition,
    Known,
    definitions,
    pooled,
    weighted,
)
from services.scoring.domain.design import Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score
from tests.support.readings import Voice, told_by, weighed

SAID = [
    Voice("big", "user", Voices(8, 8, 0)),
    Voice("big", "decision_maker", Voices(1, 0, 1)),
    Voice("small", "user", Voices(1, 0, 1)),
    Voice("other", "user", Voices(2, 1, 0)),
]
VALUES = {"big": 900.0, "small": 50.0}
KNOWN = Known(1000.0, accounts=5, with_decision_makers=2, answering={"transactional": 0.5})


def _by(found: list[Defined]) -> dict[Definition, Defined]:
    return {one.definition: one for one in found}


def _equal(voices: list[Voices]) -> Score:
    return weighted(Metric.NPS, weighed(Metric.NPS, [(one, 1.0) for one in voices]))


@pytest.mark.requirement("R59", "R62")
def test_the_same_answers_read_in_four_ways() -> None:
    found = _by(definitions(Metric.NPS, "transactional", told_by(Metric.NPS, SAID, VALUES), KNOWN))
    # 9 promoters and 2 detractors of 12.
    assert found[Definition.RESPONDENT].score.value == pytest.approx(100 * 7 / 12)
    assert found[Definition.RESPONDENT].covered == 0.5
    # big 7/9, small -1, other 1/2.
    assert found[Definition.ACCOUNT].score.value == pytest.approx(100 * (7 / 9 - 1 + 0.5) / 3)
    assert (found[Definition.ACCOUNT].accounts, found[Definition.ACCOUNT].covered) == (3, 0.6)
    # Of those whose value is known: big 900, small 50; a twentieth of the value is silent.
    assert found[Definition.VALUE].score.value == pytest.approx(100 * (900 * 7 / 9 - 50) / 950)
    assert found[Definition.VALUE].covered == pytest.approx(0.95)
    assert found[Definition.DECISION_MAKERS].score.value == -100
    assert (found[Definition.DECISION_MAKERS].score.n, found[Definition.DECISION_MAKERS].covered) == (1, 0.5)
    for one in found.values():
        assert one.score.low is not None
        assert one.score.value is not None
        assert one.score.high is not None
        assert one.score.low <= one.score.value <= one.score.high


@pytest.mark.requirement("R62")
def test_who_answered_but_said_nothing_to_this_question_was_not_heard_on_it() -> None:
    told = replace(told_by(Metric.NPS, SAID, VALUES), read=16)
    assert definitions(Metric.NPS, "transactional", told, KNOWN)[0].covered == pytest.approx(0.5 * 12 / 16)
    assert definitions(Metric.NPS, "relationship", told, KNOWN)[0].covered is None


def test_what_is_not_known_is_not_made_up() -> None:
    nothing = Known()
    alone = told_by(Metric.CSAT, [Voice("", "", Voices(4, 3, 1))], {})
    found = _by(definitions(Metric.CSAT, "transactional", alone, nothing))
    assert found[Definition.RESPONDENT].score.value == 75
    assert found[Definition.ACCOUNT].score.value is None
    assert found[Definition.VALUE].score.value is None
    assert [one.covered for one in found.values()] == [None] * 4
    assert found[Definition.RESPONDENT].score.design.effective(4) == 4, (
        "people of no account are no colleagues"
    )
    silence = definitions(Metric.NPS, "progress", told_by(Metric.NPS, [], {}), nothing)
    assert [one.score.value for one in silence] == [None] * 4


def test_accounts_of_one_answer_each_read_the_same_by_person_and_by_account() -> None:
    voices = [Voices(1, 1, 0)] * 6 + [Voices(1, 0, 1)] * 2 + [Voices(1, 0, 0)] * 4
    person, account = pooled(Metric.NPS, voices), _equal(voices)
    assert account.value == pytest.approx(person.value)
    assert account.low == pytest.approx(person.low, abs=3)
    assert account.high == pytest.approx(person.high, abs=3)


@pytest.mark.requirement("R62", "R63")
@pytest.mark.parametrize("accounts", [8, 30])
def test_the_intervals_of_account_means_hold_the_truth(accounts: int) -> None:
    draw, covered = np.random.default_rng(accounts), 0
    for _ in range(300):
        sizes = draw.poisson(3, accounts) + 1
        leanings = draw.dirichlet(np.array([0.5, 0.2, 0.3]) * 4, accounts)
        said = draw.multinomial(sizes, leanings)
        voices = [Voices(int(n), int(c[0]), int(c[1])) for n, c in zip(sizes, said, strict=True)]
        found = _equal(voices)
        covered += (found.low or 0) <= 30 <= (found.high or 0)
    assert 0.91 <= covered / 300 <= 0.995


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 1e6)), min_size=1
    ),
    st.sampled_from([Metric.NPS, Metric.CSAT]),
)
def test_a_weighted_score_stays_on_its_scale_and_inside_its_interval(
    drawn: list[tuple[int, int, int, float]], metric: Metric
) -> None:
    voices = [(Voices(m + h + low, h, low), weight) for m, h, low, weight in drawn]
    found = weighted(metric, weighed(metric, voices))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    floor = -100 if metric is Metric.NPS else 0
    assert floor - 1e-6 <= found.low <= found.value + 1e-6
    assert found.value - 1e-6 <= found.high <= 100 + 1e-6
