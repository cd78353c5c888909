from __future__ import annotations

import pytest

from services.scoring.domain.design import Voices
from services.scoring.domain.health import Part, Signs, health
from services.scoring.domain.histogram import Metric

USUAL = {Metric.NPS: 0.65, Metric.CSAT: 0.8}


@pytest.mark.requirement("R7")
def test_health_by_hand() -> None:
    signs = Signs(
        {Metric.NPS: Voices(3, 3, 0), Metric.CSAT: Voices(1, 0, 1)},
        open_tickets=1, support_tickets=4, usage=0.5, silent_days=45,
    )  # fmt: skip
    found = health(signs, USUAL)
    shares = {one.part: one.share for one in found.parts}
    # Three promoters beside three usual answers; one unhappy answer beside three usual ones.
    assert shares[Part.NPS] == pytest.approx((3 * 1 + 3 * 0.65) / 6)
    assert shares[Part.CSAT] == pytest.approx((0 + 3 * 0.8) / 4)
    assert shares[Part.CES] is None
    assert shares[Part.TICKETS] == pytest.approx(1 / 3)
    assert (shares[Part.USAGE], shares[Part.SILENCE]) == (0.5, 0.75)
    # CES is not known: the other weights make 0.9.
    by_hand = 0.25 * 0.825 + 0.2 * 0.6 + 0.15 / 3 + 0.2 * 0.5 + 0.1 * 0.75
    assert found.value == round(100 * by_hand / 0.9)
    assert found.known == pytest.approx(0.9)


@pytest.mark.requirement("R7", "R63")
def test_one_angry_answer_is_a_sign_and_not_a_verdict() -> None:
    angry = health(Signs({Metric.NPS: Voices(1, 0, 1)}), USUAL).value
    usual = health(Signs({Metric.NPS: Voices(20, 11, 5)}), USUAL).value
    furious = health(Signs({Metric.NPS: Voices(20, 0, 20)}), USUAL).value
    assert angry is not None
    assert usual is not None
    assert furious is not None
    assert furious < angry < usual


@pytest.mark.requirement("R7")
def test_without_a_customers_voice_there_is_no_health() -> None:
    found = health(Signs({}, usage=1.0, silent_days=3), USUAL)
    assert (found.value, found.known) == (None, 0)
    unweighted = health(Signs({Metric.CES: Voices(2, 2, 0)}), USUAL, {Part.NPS: 1.0})
    assert unweighted.value is None


@pytest.mark.parametrize(("days", "share"), [(0, 1.0), (180, 0.0), (400, 0.0)])
def test_silence_grows(days: int, share: float) -> None:
    found = health(Signs({Metric.NPS: Voices(1, 1, 0)}, silent_days=days), USUAL)
    assert {one.part: one.share for one in found.parts}[Part.SILENCE] == share


def test_weights_are_the_operators() -> None:
    signs = Signs({Metric.NPS: Voices(1, 1, 0)}, usage=0.0)
    assert health(signs, USUAL, {Part.NPS: 1.0}).value == round(100 * (1 + 3 * 0.65) / 4)
    assert (health(signs, USUAL, {Part.NPS: 0.5, Part.USAGE: 0.5}).value or 0) < 50
