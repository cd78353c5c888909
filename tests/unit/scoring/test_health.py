from __future__ import annotations

import pytest

from services.scoring.domain.design import Voices
from services.scoring.domain.health import WEIGHTS, Part, Signs, health
from services.scoring.domain.histogram import Metric
from shared.contracts.model import Family

NPS, CSAT = (Metric.NPS, Family.RELATIONSHIP), (Metric.CSAT, Family.TRANSACTIONAL)
USUAL = {NPS: 0.65, CSAT: 0.8}


@pytest.mark.requirement("R7")
def test_health_by_hand() -> None:
    signs = Signs(
        {NPS: Voices(3, 3, 0), CSAT: Voices(1, 0, 1)},
        open_tickets=1, support_tickets=4, usage=0.5, silent_days=45,
    )  # fmt: skip
    found = health(signs, USUAL)
    shares = {one.part: one.share for one in found.parts}
    # Three promoters beside three usual answers; one unhappy answer beside three usual ones.
    assert shares[Part.NPS] == pytest.approx((3 * 1 + 3 * 0.65) / 6)
    assert shares[Part.CSAT] == pytest.approx((0 + 3 * 0.8) / 4)
    assert shares[Part.CES] is None
    assert {one.part: one.weight for one in found.parts} == WEIGHTS, "one kind each: it has the whole weight"
    assert shares[Part.TICKETS] == pytest.approx(1 / 3)
    assert (shares[Part.USAGE], shares[Part.SILENCE]) == (0.5, 0.75)
    # CES is not known: the other weights make 0.9.
    by_hand = 0.25 * 0.825 + 0.2 * 0.6 + 0.15 / 3 + 0.2 * 0.5 + 0.1 * 0.75
    assert found.value == round(100 * by_hand / 0.9)
    assert found.known == pytest.approx(0.9)


@pytest.mark.requirement("R6", "R7")
def test_the_relationship_and_events_are_parts_of_their_own_and_share_the_weight() -> None:
    event = (Metric.NPS, Family.TRANSACTIONAL)
    usual = {NPS: 0.5, event: 0.9}
    said = {event: Voices(9, 9, 0), NPS: Voices(3, 0, 3)}
    found = health(Signs(said, silent_days=0), usual)
    nps = [
        (one.asked, round(one.weight, 6), round(one.share or 0, 6))
        for one in found.parts
        if one.part is Part.NPS
    ]
    # Three detractors beside three usual answers; nine promoters beside three usual answers to events.
    assert nps == [
        (NPS, round(0.25 * 2 / 3, 6), (0 + 3 * 0.5) / 6),
        (event, round(0.25 / 3, 6), (9 + 3 * 0.9) / 12),
    ]
    by_hand = 0.25 * (2 / 3 * 0.25 + 1 / 3 * 0.975) + 0.15 * 1 + 0.1 * 1
    assert found.value == round(100 * by_hand / 0.5)
    # More answers to events leave what was said of the relationship, and its weight, as they are.
    more = health(Signs(said | {event: Voices(900, 900, 0)}, silent_days=0), usual)
    assert [one.share for one in more.parts if one.asked == NPS] == [pytest.approx(0.25)]


@pytest.mark.requirement("R2", "R7")
def test_the_two_scales_of_recommending_do_not_hide_each_other() -> None:
    five = (Metric.NPS5, Family.RELATIONSHIP)
    found = health(Signs({NPS: Voices(3, 3, 0), five: Voices(3, 0, 3)}), {})
    parts = {one.asked: (one.weight, one.share) for one in found.parts if one.part is Part.NPS}
    assert parts == {NPS: (0.125, 0.75), five: (0.125, 0.25)}


@pytest.mark.requirement("R7", "R63")
def test_one_angry_answer_is_a_sign_and_not_a_verdict() -> None:
    angry = health(Signs({NPS: Voices(1, 0, 1)}), USUAL).value
    usual = health(Signs({NPS: Voices(20, 11, 5)}), USUAL).value
    furious = health(Signs({NPS: Voices(20, 0, 20)}), USUAL).value
    assert angry is not None
    assert usual is not None
    assert furious is not None
    assert furious < angry < usual


@pytest.mark.requirement("R7")
def test_without_a_customers_voice_there_is_no_health() -> None:
    found = health(Signs({}, usage=1.0, silent_days=3), USUAL)
    assert (found.value, found.known) == (None, 0)
    unweighted = health(Signs({(Metric.CES, Family.TRANSACTIONAL): Voices(2, 2, 0)}), USUAL, {Part.NPS: 1.0})
    assert unweighted.value is None


@pytest.mark.parametrize(("days", "share"), [(0, 1.0), (180, 0.0), (400, 0.0)])
def test_silence_grows(days: int, share: float) -> None:
    found = health(Signs({NPS: Voices(1, 1, 0)}, silent_days=days), USUAL)
    assert {one.part: one.share for one in found.parts}[Part.SILENCE] == share


def test_weights_are_the_operators() -> None:
    signs = Signs({NPS: Voices(1, 1, 0)}, usage=0.0)
    assert health(signs, USUAL, {Part.NPS: 1.0}).value == round(100 * (1 + 3 * 0.65) / 4)
    assert (health(signs, USUAL, {Part.NPS: 0.5, Part.USAGE: 0.5}).value or 0) < 50
