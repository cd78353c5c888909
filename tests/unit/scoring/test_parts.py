"""Parts of many answers: how often two are of one account, by simulation with a fixed seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from services.scoring.domain.design import APART, Clustering, Voices, summed
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, scored
from services.scoring.domain.parts import (
    MEASURED,
    Alike,
    Pairs,
    dimensions_of,
    is_bound,
    rest_of,
)
from services.scoring.domain.rollups import JOINT

pytestmark = pytest.mark.requirement("R62", "R63")

ACCOUNTS, ANSWERS, PARTS = 80, 1200, 4
SHARE, ALIKE = 0.7, 0.25


class Drawn(NamedTuple):
    """What was answered: of all by account, high answers of the first part, and pairs of colleagues."""

    whole: list[Voices]
    n: int
    high: int
    pairs: Pairs


def _drawn(draw: np.random.Generator, loyal: float) -> Drawn:
    """Each account has a share and a part of its own; with chance `loyal` an answer lies in that part."""
    own = draw.beta(SHARE * (1 / ALIKE - 1), (1 - SHARE) * (1 / ALIKE - 1), ACCOUNTS)
    account = draw.integers(0, ACCOUNTS, ANSWERS)
    high = draw.random(ANSWERS) < own[account]
    home = draw.integers(0, PARTS, ACCOUNTS)
    part = np.where(draw.random(ANSWERS) < loyal, home[account], draw.integers(0, PARTS, ANSWERS))
    sizes = np.bincount(account, minlength=ACCOUNTS)
    highs = np.bincount(account[high], minlength=ACCOUNTS)
    whole = [Voices(int(n), int(h), int(n - h)) for n, h in zip(sizes, highs, strict=True)]
    within = np.zeros((ACCOUNTS, PARTS))
    np.add.at(within, (account, part), 1)
    both = float((within * (within - 1)).sum())
    colleagues = float((sizes * (sizes - 1)).sum())
    together = within.sum(axis=0)
    alike = float((together * (together - 1)).sum())
    pairs = Pairs(colleagues, both, ANSWERS * (ANSWERS - 1) - colleagues, alike - both)
    first = part == 0
    return Drawn(whole, int(first.sum()), int((first & high).sum()), pairs)


def _part(drawn: Drawn, metric: Metric, bound: float) -> Score:
    learned = summed(drawn.whole, difference=metric is Metric.NPS).clustering
    design = learned.part(ANSWERS, drawn.n, bound).design(drawn.n)
    return scored(metric, Split(drawn.high, 0, drawn.n - drawn.high), design)


def _covered(found: list[Score], truth: float) -> float:
    return sum((one.low or 0) <= truth <= (one.high or 0) for one in found) / len(found)


def _width(found: list[Score]) -> float:
    return sum((one.high or 0) - (one.low or 0) for one in found) / len(found)


@pytest.mark.parametrize("loyal", [0.0, 0.7, 1.0], ids=["anywhere", "mostly at home", "at home"])
@pytest.mark.parametrize(
    ("metric", "truth"),
    [(Metric.CSAT, 100 * SHARE), (Metric.NPS, 100 * (2 * SHARE - 1))],
    ids=["csat", "nps"],
)
def test_intervals_of_parts_hold_the_truth_wherever_colleagues_are(
    loyal: float, metric: Metric, truth: float
) -> None:
    draw = np.random.default_rng(91)
    rounds = [_drawn(draw, loyal) for _ in range(400)]
    bounds = [one.pairs.bound for one in rounds]
    assert np.mean(bounds) == pytest.approx(loyal**2, abs=0.05)
    found = [_part(one, metric, bound) for one, bound in zip(rounds, bounds, strict=True)]
    assert 0.91 <= _covered(found, truth) <= 0.99
    plain = [scored(metric, one.split) for one in found]
    assert _covered(plain, truth) < 0.9, "who forgets colleagues is too sure"


def test_who_takes_colleagues_to_be_anywhere_is_too_sure_and_who_takes_them_together_says_too_little() -> (
    None
):
    draw = np.random.default_rng(92)
    home, anywhere = ([_drawn(draw, loyal) for _ in range(400)] for loyal in (1.0, 0.0))
    assert _covered([_part(one, Metric.CSAT, 0.0) for one in home], 100 * SHARE) < 0.89
    careful = _width([_part(one, Metric.CSAT, 1.0) for one in anywhere])
    assert careful > 1.3 * _width([_part(one, Metric.CSAT, one.pairs.bound) for one in anywhere])


def test_agreement_by_hand() -> None:
    # Colleagues are alike in 9 of 10 pairs, others in half of them: of what chance leaves open, four fifths.
    assert Pairs(10, 9, 40, 20).bound == pytest.approx(0.8)
    assert Pairs(10, 2, 40, 20).bound == 0, "less often than by chance is no more than by chance"
    assert Pairs(10, 10, 40, 40).bound == 1, "all in one part"
    assert Pairs(0, 0, 40, 20).bound == 1, "nobody has colleagues"
    assert Pairs().bound == 1


def test_what_follows_from_the_account_need_not_be_measured() -> None:
    assert is_bound(("tier",))
    assert is_bound(("industry", "region"))
    assert not is_bound(("tier", "persona"))
    assert ("persona",) in MEASURED
    assert ("tier", "persona") in MEASURED
    assert not any(is_bound(one) or "programme" in one for one in MEASURED)
    assert dimensions_of("total") == ()
    assert dimensions_of("programme+context.carrier") == ("programme", "context.carrier")
    assert rest_of(("region", "programme", "tier")) == ("region", "tier")


def test_a_sum_hangs_together_as_the_whole_that_it_is_part_of() -> None:
    own, others, all_of_them = (Clustering(alike, 1 / 50, 500, 50) for alike in (0.1, 0.2, 0.3))
    known = {
        (Metric.NPS, "transactional", "renewal"): own,
        (Metric.NPS, "transactional", "delivery"): others,
        (Metric.NPS, "transactional", ""): all_of_them,
    }
    asked = (Metric.NPS, "transactional")
    assert Alike((), known).of(*asked, "", 900) == all_of_them
    assert Alike(("programme",), known).of(*asked, "delivery", 400) == others
    assert Alike(("programme",), known).of(Metric.CES, "transactional", "delivery", 400) == APART
    wholes = {(*asked, "renewal"): 400, (*asked, ""): 900}
    key = Alike(("programme", "tier"), known, wholes).of(*asked, f"renewal{JOINT}key", 100)
    assert key == own.part(400, 100)
    tier = Alike(("tier",), known, wholes).of(*asked, "key", 300)
    assert tier == all_of_them.part(900, 300)
    persona = Alike(("persona",), known, wholes, {"transactional": 0.0}).of(*asked, "user", 300)
    assert persona == all_of_them
    cut = Alike(("region", "size"), known, wholes, programme="renewal").of(*asked, f"emea{JOINT}1-9", 50)
    assert cut == own.part(400, 50)
    assert Alike(("account",), known, wholes).of(*asked, "an id", 12) == APART, "its people are all there are"
    assert Alike(("tier",), {}, wholes).of(*asked, "key", 300) == APART, "nothing is known"
