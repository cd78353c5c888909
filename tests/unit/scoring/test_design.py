"""Clustering by account and finite populations, checked by simulation with a fixed seed."""

from __future__ import annotations

from math import inf, isinf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from services.scoring.domain.design import (
    APART,
    PLAIN,
    Clustering,
    Design,
    Voices,
    design_of,
    student,
    summed,
    together,
)
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, scored
from shared.values import altered


def _companies(seed: int, accounts: int, each: float, alike: float) -> list[Voices]:
    """Accounts of half promoters and a fifth detractors on average; `alike` is the intraclass correlation."""
    draw = np.random.default_rng(seed)
    sizes = draw.poisson(each - 1, accounts) + 1
    shares = np.array([0.5, 0.2, 0.3])
    leanings = draw.dirichlet(shares * (1 / alike - 1), accounts) if alike else np.tile(shares, (accounts, 1))
    said = draw.multinomial(sizes, leanings)
    return [Voices(int(n), int(one[0]), int(one[1])) for n, one in zip(sizes, said, strict=True)]


def _covered(accounts: int, each: float, alike: float, *, clustered: bool, rounds: int = 400) -> float:
    hits = 0
    for seed in range(rounds):
        said = _companies(seed, accounts, each, alike)
        n, high, low = (sum(column) for column in zip(*said, strict=True))
        design = design_of(said, difference=True) if clustered else PLAIN
        found = scored(Metric.NPS, Split(high, n - high - low, low), design)
        hits += (found.low or 0) <= 30 <= (found.high or 0)
    return hits / rounds


@pytest.mark.requirement("R62", "R63")
@pytest.mark.parametrize("accounts", [8, 20, 60])
@pytest.mark.parametrize("alike", [0.1, 0.3])
def test_intervals_hold_the_truth_though_colleagues_answer_alike(accounts: int, alike: float) -> None:
    assert 0.92 <= _covered(accounts, 4, alike, clustered=True) <= 0.99


@pytest.mark.requirement("R63")
def test_without_clustering_they_would_be_wrong_every_fourth_time() -> None:
    assert _covered(20, 8, 0.3, clustered=False) < 0.8
    assert _covered(20, 8, 0.3, clustered=True) > 0.92


def test_the_resemblance_of_colleagues_is_found() -> None:
    found = [summed(_companies(seed, 200, 5, 0.3), difference=False).intraclass for seed in range(20)]
    assert np.mean(found) == pytest.approx(0.3, abs=0.03)
    alone = [summed(_companies(seed, 200, 5, 0), difference=True).intraclass for seed in range(20)]
    assert np.mean(alone) < 0.02


def test_resemblance_by_hand() -> None:
    # Two accounts of two, each of one mind: nothing varies within, so they are wholly alike.
    assert summed([Voices(2, 2, 0), Voices(2, 0, 2)], difference=True).intraclass == 1
    # Accounts that are all mixed alike: less alike than by chance is taken for not at all.
    assert summed([Voices(2, 1, 1), Voices(2, 1, 1)], difference=True).intraclass == 0
    # Three accounts, as a share: 2 of 2, 1 of 2, 0 of 2. Between: 2 + 0.5 + 0 - 9/6 = 1 on 2 degrees of
    # freedom, 0.5; within: 3 - 2.5 = 0.5 on 3, 0.1667; usual size 2: (0.5 - 0.1667) / (0.5 + 0.1667) = 0.5.
    said = [Voices(2, 2, 0), Voices(2, 1, 0), Voices(2, 0, 0)]
    assert summed(said, difference=False).intraclass == pytest.approx(0.5)
    assert design_of(said, difference=False).effect == pytest.approx(1.5)


def test_one_answer_an_account_is_worth_itself() -> None:
    design = design_of([Voices(1, 1, 0), Voices(1, 0, 1), Voices(1, 1, 0)], difference=True)
    assert (design.effect, design.accounts) == (1, 3)
    assert design.effective(3) == 3


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30, 1000])
def test_students_quantile_agrees_with_scipy(freedom: int) -> None:
    assert student(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=2e-3)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)), max_size=40),
    st.booleans(),
)
def test_clustering_never_makes_a_sample_worth_more(
    said: list[tuple[int, int, int]],
    difference: bool,
) -> None:
    voices = [Voices(high + middle + low, high, low) for high, middle, low in said]
    n = sum(one.n for one in voices)
    found = design_of(voices, difference=difference)
    assert found.effect >= 1
    assert found.effective(n) <= n + 1e-9


def test_of_twenty_accounts_all_of_whom_answered_nothing_is_left_open() -> None:
    census = scored(Metric.NPS, Split(10, 6, 4), Design(population=20))
    assert (census.low, census.value, census.high) == (30, 30, 30)
    assert scored(Metric.CSAT, Split(15, 3, 2), Design(population=20)).high == 75
    assert isinf(Design(population=20).effective(20))
    assert Design(population=20).effective(19) < inf


@pytest.mark.requirement("R63")
@pytest.mark.parametrize(("population", "asked"), [(20, 10), (20, 16), (60, 30), (400, 200)])
def test_intervals_of_a_known_population_hold_what_all_would_have_said(population: int, asked: int) -> None:
    draw = np.random.default_rng(population + asked)
    covered, narrower = [], []
    for shares in draw.dirichlet([2, 2, 2], 60):
        whole = draw.multinomial(population, shares)
        truth = 100 * (whole[0] - whole[2]) / population
        for high, middle, low in draw.multivariate_hypergeometric(whole, asked, 25):
            parts = Split(int(high), int(middle), int(low))
            found = scored(Metric.NPS, parts, Design(population=population))
            plain = scored(Metric.NPS, parts)
            covered.append((found.low or 0) - 1e-9 <= truth <= (found.high or 0) + 1e-9)
            narrower.append(((found.high or 0) - (found.low or 0)) / ((plain.high or 0) - (plain.low or 0)))
    assert 0.93 <= np.mean(covered) <= 0.985
    assert np.mean(narrower) < 0.9


def _heard_for(seed: int, accounts: int, days: float, alike: float) -> list[Voices]:
    """Accounts of which each answers now and then, some twenty times as often as others, for some days."""
    draw = np.random.default_rng(seed)
    pace = draw.gamma(1.5, 1 / 1.5, accounts)
    sizes = draw.poisson(pace * days)
    leanings = draw.dirichlet(np.array([0.5, 0.2, 0.3]) * (1 / alike - 1), accounts)
    said = draw.multinomial(sizes, leanings)
    return [Voices(int(n), int(one[0]), int(one[1])) for n, one in zip(sizes, said, strict=True)]


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("times", [0.25, 0.5, 1, 4, 8])
def test_what_some_answers_tell_of_colleagues_holds_for_more_and_for_fewer(times: float) -> None:
    """Who learns from the newest answers of a year knows how unsure the year is; by simulation."""
    foretold, real, accounts = [], [], []
    for seed in range(30):
        learned = summed(_heard_for(seed, 300, 4, 0.2), difference=True).clustering
        whole = summed(_heard_for(1000 + seed, 300, 4 * times, 0.2), difference=True)
        said = learned.design(whole.n)
        foretold.append(said.effect)
        real.append(whole.design().effect)
        accounts.append(said.accounts / whole.accounts)
    assert np.mean(foretold) == pytest.approx(np.mean(real), rel=0.06)
    # Customers who answer seldom are hardly counted: fewer degrees of freedom, never too many.
    assert 0.5 < np.mean(accounts) < 1.05


def test_of_the_answers_that_it_was_learned_from_it_says_what_they_say() -> None:
    sample = summed(_companies(3, 60, 5, 0.3), difference=True)
    assert sample.clustering.design(sample.n).effect == pytest.approx(sample.design().effect)
    assert sample.clustering.design(1).effect == 1
    assert sample.clustering.design(0).effective(0) == 0


def test_a_part_of_the_customers_says_in_it_as_much_as_in_the_whole() -> None:
    whole = summed([Voices(5, 5, 0), Voices(5, 0, 5)] * 20, difference=True)
    half = summed([Voices(5, 5, 0), Voices(5, 0, 5)] * 10, difference=True)
    part = whole.clustering.part(whole.n, half.n)
    assert part.design(half.n).effect == pytest.approx(half.design().effect)
    assert whole.clustering.part(whole.n, whole.n) == whole.clustering
    assert whole.clustering.part(whole.n, 1).design(1).effect == 1


def test_where_nothing_is_known_each_answer_stands_for_itself() -> None:
    assert APART.design(50) == PLAIN
    assert APART.design(50, 60) == Design(population=60)
    assert summed([], difference=True).clustering.design(5) == PLAIN
    lone = summed([Voices(1, 1, 0)] * 9, difference=True).clustering
    assert lone.design(400) == Design(1, 400)
    one = summed([Voices(9, 5, 2)], difference=True).clustering
    assert one.design(400).accounts == 1


def test_more_answers_than_people_say_that_nobody_knows_how_many_could_answer() -> None:
    parts = Split(10, 6, 4)
    census = scored(Metric.NPS, parts, APART.design(20, 20))
    assert (census.low, census.high) == (30, 30), "all of them said what they say"
    assert APART.design(20, 19) == PLAIN
    beyond = scored(Metric.NPS, parts, APART.design(20, 19))
    assert beyond == scored(Metric.NPS, parts)
    assert (beyond.high or 0) - (beyond.low or 0) > 50


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_of_several_programmes_together_no_account_is_taken_to_say_less_than_it_did(
    said: list[tuple[int, int, int]],
) -> None:
    """Rows are accounts, columns their answers to each of three programmes, all of one mind."""
    each = [summed((Voices(n, n, 0) for n in column), difference=False) for column in zip(*said, strict=True)]
    whole = summed((Voices(sum(row), sum(row), 0) for row in said), difference=False)
    found = together(((one.n, altered(one.clustering, intraclass=1.0)) for one in each if one.n), 0.0)
    assert found.design(whole.n).effect >= (whole.sizes / whole.n if whole.n else 1) - 1e-9


def test_of_one_programme_it_is_its_own() -> None:
    own = Clustering(0.3, 0.1, 200, 20)
    assert together([(40, own), (0, Clustering(0.9, 0.9, 9, 3))], 0.8) == own
    assert together([(0, own)]) == APART


def test_who_answers_each_programme_once_may_still_answer_alike_across_them() -> None:
    once = Clustering(0.0, 0.0, 20, 20)
    found = together([(20, once), (20, once)], 0.4)
    assert found.design(40).effect == pytest.approx(1.4)
    assert found.answers == 40
