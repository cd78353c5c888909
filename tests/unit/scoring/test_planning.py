"""How long until a change shows: what is planned for shows four times of five, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from services.scoring.domain.change import Verdict, compare
from services.scoring.domain.design import APART, Clustering, Voices, summed
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, scored
from services.scoring.domain.planning import Outlook, plan

pytestmark = pytest.mark.requirement("R63")

ACCOUNTS, ALIKE = 60, 0.25
DAYS = 90


def _answers(draw: np.random.Generator, n: int, share: float) -> list[Voices]:
    """Beta-binomial: each account has a share of its own around `share`, and answers as often as others."""
    own = draw.beta(share * (1 / ALIKE - 1), (1 - share) * (1 / ALIKE - 1), ACCOUNTS)
    sizes = draw.multinomial(n, np.full(ACCOUNTS, 1 / ACCOUNTS))
    return [
        Voices(int(size), int(high), int(size - high))
        for size, high in zip(sizes, draw.binomial(sizes, own), strict=True)
    ]


def _split(said: list[Voices]) -> Split:
    high, low = sum(one.high for one in said), sum(one.low for one in said)
    return Split(high, 0, low)


def _shown(metric: Metric, n: int, before: float, after: float, rounds: int = 400) -> float:
    """How often a change shows between two periods of so many answers, with the intervals of the pages."""
    draw, shown = np.random.default_rng(80), 0
    difference = metric is Metric.NPS
    for _ in range(rounds):
        sides = []
        for share in (before, after):
            said = _answers(draw, n, share)
            sides.append(scored(metric, _split(said), summed(said, difference=difference).design()))
        shown += compare(*sides).verdict is Verdict.WORSE
    return shown / rounds


@pytest.mark.parametrize(
    ("metric", "before", "after"), [(Metric.CSAT, 0.75, 0.6), (Metric.NPS, 0.7, 0.54)], ids=["csat", "nps"]
)
def test_with_colleagues_who_answer_alike_what_was_planned_for_is_seen_four_times_of_five(
    metric: Metric, before: float, after: float
) -> None:
    points = 100 * (before - after) * (2 if metric is Metric.NPS else 1)
    draw = np.random.default_rng(81)
    lived = [summed(_answers(draw, 900, before), difference=metric is Metric.NPS) for _ in range(9)]
    learned = sorted((one.clustering for one in lived), key=lambda one: one.intraclass)[4]
    seen = Split(round(900 * before), 0, round(900 * (1 - before)))
    planned = plan(Outlook(metric, seen, DAYS, learned), points)
    alone = plan(Outlook(metric, seen, DAYS), points)
    assert planned.design
    assert planned.answers
    assert alone.answers
    assert planned.answers > 1.5 * alone.answers
    assert planned.days == -(-planned.answers // 10)
    assert planned.design.effect == pytest.approx(1 + ALIKE * planned.answers / ACCOUNTS, rel=0.15)
    assert 0.72 <= _shown(metric, planned.answers, before, after) <= 0.9
    assert _shown(metric, alone.answers, before, after) < 0.68, "who forgets that is told too little"


def test_few_customers_of_one_mind_never_show_a_small_change() -> None:
    seen, dozen = Split(60, 20, 20), Clustering(0.3, 1 / 12, 400, 12)
    small, large = (plan(Outlook(Metric.NPS, seen, DAYS, dozen), points) for points in (10, 120))
    assert (small.answers, small.days, small.design) == (None, None, None)
    assert large.answers is not None


def test_of_few_people_fewer_answers_are_enough() -> None:
    seen = Split(40, 25, 15)
    alone = plan(Outlook(Metric.NPS, seen, DAYS), 20)
    few = plan(Outlook(Metric.NPS, seen, DAYS, population=100), 20)
    many = plan(Outlook(Metric.NPS, seen, DAYS, population=100_000), 20)
    assert alone.answers
    assert few.answers
    assert many.answers
    assert few.answers < 0.7 * alone.answers
    assert many.answers == pytest.approx(alone.answers, rel=0.02)
    assert few.design
    assert few.design.population
    # 80 of 100 answered: so will later ones, however long one waits.
    assert few.design.population >= few.answers / 0.8


def test_people_who_go_on_being_asked_are_more_the_longer_it_takes() -> None:
    outlook = Outlook(Metric.NPS, Split(40, 25, 15), DAYS, population=160)
    # Half of those asked in the 90 days and the 45 before; 30 days see those of 75, 180 days twice as many.
    assert [outlook.design(n).population for n in (27, 80, 160)] == [90, 160, 320]


def test_without_an_answer_nobody_knows_how_long() -> None:
    planned = plan(Outlook(Metric.NPS, Split(0, 0, 0), DAYS, APART, population=50), 10)
    assert planned.answers is not None
    assert planned.days is None


@pytest.mark.parametrize(("metric", "points"), [(Metric.NPS, 0), (Metric.NPS, 201), (Metric.CSAT, 101)])
def test_a_change_that_cannot_be_has_no_plan(metric: Metric, points: float) -> None:
    with pytest.raises(ValueError, match="points"):
        plan(Outlook(metric, Split(1, 1, 1), DAYS), points)
