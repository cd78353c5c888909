"""Themes counted, and whether one is named more often than before; simulated with a fixed seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from services.scoring.domain.themes import Counted, Course, Named, Tally, counted
from shared.intervals import wilson

Comment = tuple[str, Mapping[str, str]]
"""Account, and the themes that it names with their tones."""


def tally(told: Iterable[Comment]) -> Tally:
    """Comments added up as the store does."""
    said = list(told)
    sizes = Counter(account for account, _ in said)
    themes = sorted({theme for _, named in said for theme in named})
    return Tally(
        len(said), len(sizes), sum(n * n for n in sizes.values()),
        {theme: _named(theme, said, sizes) for theme in themes},
    )  # fmt: skip


def _named(theme: str, said: Sequence[Comment], sizes: Mapping[str, int]) -> Named:
    tones = Counter(named[theme] for _, named in said if theme in named)
    voices = Counter(account for account, named in said if theme in named)
    bad = Counter(account for account, named in said if named.get(theme) == "negative")
    return Named(
        tones["negative"], tones["neutral"], tones["positive"], len(voices),
        sum(y * y for y in voices.values()),
        sum(y * sizes[account] for account, y in voices.items()),
        sum(y * y / sizes[account] for account, y in voices.items()),
        sum(b * b for b in bad.values()),
        sum(b * voices[account] for account, b in bad.items()),
        sum(b * b / voices[account] for account, b in bad.items()),
    )  # fmt: skip


def strangers(comments: int, named: Mapping[str, Sequence[str]]) -> Tally:
    """Each comment of another customer; the first of them name the themes, in these tones."""
    told: list[dict[str, str]] = [{} for _ in range(comments)]
    for theme, tones in named.items():
        for place, tone in enumerate(tones):
            told[place][theme] = tone
    return tally((f"c{number}", one) for number, one in enumerate(told))


BAD, GOOD = "negative", "positive"


@pytest.mark.requirement("R68", "R70")
def test_a_theme_that_is_named_far_more_often_rises_and_one_by_chance_does_not() -> None:
    now = strangers(100, {"delivery_time": [BAD] * 45 + [GOOD] * 5, "price": [BAD] * 10})
    before = strangers(100, {"delivery_time": [BAD] * 20, "price": [BAD] * 8})
    found = {one.theme: one for one in counted(now, before)}
    assert found["delivery_time"].course is Course.RISING
    assert found["price"].course is Course.STEADY
    assert found["delivery_time"].share.low < 0.5 < found["delivery_time"].share.high
    assert found["delivery_time"].named.n == found["delivery_time"].named.accounts == 50


def test_a_theme_that_is_named_far_less_often_falls() -> None:
    (one,) = counted(strangers(100, {"price": [BAD] * 2}), strangers(100, {"price": [BAD] * 40}))
    assert one.course is Course.FALLING


@pytest.mark.parametrize(("comments", "earlier"), [(4, 100), (100, 4), (100, 0)])
def test_of_fewer_than_five_comments_nothing_is_said(comments: int, earlier: int) -> None:
    (one,) = counted(strangers(comments, {"price": [BAD] * 3}), strangers(earlier, {}))
    assert one.course is Course.TOO_FEW
    assert one.readable is (comments >= 5)
    assert not one.tone_readable


def test_the_most_named_comes_first() -> None:
    found = counted(strangers(9, {"a": [BAD], "c": [BAD] * 4, "b": [GOOD] * 4}), Tally())
    assert [one.theme for one in found] == ["b", "c", "a"]
    assert counted(Tally(), Tally()) == []


def test_where_each_comment_is_of_another_customer_the_intervals_are_wilsons() -> None:
    (one,) = counted(strangers(80, {"price": [BAD] * 12 + [GOOD] * 12}), Tally())
    plain, tone = wilson(24, 80), wilson(12, 24)
    assert (one.share.low, one.share.high) == pytest.approx((plain.low, plain.high), abs=0.004)
    assert (one.complaining.low, one.complaining.high) == pytest.approx((tone.low, tone.high), abs=0.01)


def _one(told: Iterable[Comment]) -> Counted:
    (found,) = counted(tally(told), Tally())
    return found


@pytest.mark.requirement("R63", "R70")
def test_what_one_customer_says_ten_times_is_not_what_ten_customers_say() -> None:
    others: list[Comment] = [(f"c{number}", {}) for number in range(90)]
    by_one = _one([*others, *[("loud", {"price": BAD})] * 10])
    by_ten = _one([*others, *[(f"ten{number}", {"price": BAD}) for number in range(10)]])
    assert (by_one.named.n, by_one.named.accounts) == (10, 1)
    assert (by_ten.named.n, by_ten.named.accounts) == (10, 10)
    assert by_one.share.high > 1.7 * by_ten.share.high
    assert by_one.share.low < 0.3 * by_ten.share.low
    # Before nobody named it: ten customers are news, one is not.
    calm = strangers(300, {})
    assert counted(tally([*others, *[("loud", {"price": BAD})] * 10]), calm)[0].course is Course.STEADY
    ten = tally([*others, *[(f"ten{number}", {"price": BAD}) for number in range(10)]])
    assert counted(ten, calm)[0].course is Course.RISING
    # The tone of ten comments of one is that of one.
    assert by_one.complaining.low < 0.25
    assert by_ten.complaining.low > 0.65


def _town(draw: np.random.Generator, accounts: int, share: float, alike: float, bad: float) -> list[Comment]:
    """Customers of whom some write far more than others; each names and complains in its own way."""
    sizes = draw.poisson(draw.gamma(1.2, 3 / 1.2, accounts))
    names = draw.beta(share * (1 / alike - 1), (1 - share) * (1 / alike - 1), accounts)
    moods = draw.beta(bad * (1 / alike - 1), (1 - bad) * (1 / alike - 1), accounts)
    told: list[Comment] = []
    for account, (size, names_it, complains) in enumerate(zip(sizes, names, moods, strict=True)):
        for _ in range(size):
            tone = BAD if draw.random() < complains else GOOD
            told.append((f"a{account}", {"price": tone} if draw.random() < names_it else {}))
    return told


@pytest.mark.requirement("R63", "R70")
@pytest.mark.parametrize(("share", "alike"), [(0.1, 0.2), (0.3, 0.2), (0.3, 0.5)])
def test_intervals_of_shares_and_tones_hold_the_truth_though_colleagues_write_alike(
    share: float, alike: float
) -> None:
    draw, bad, rounds = np.random.default_rng(70), 0.6, 300
    held = tone_held = plain = 0
    for _ in range(rounds):
        said = _town(draw, 60, share, alike, bad)
        one = _one(said)
        around = wilson(one.named.n, one.of)
        held += one.share.low <= share <= one.share.high
        plain += around.low <= share <= around.high
        tone_held += one.complaining.low <= bad <= one.complaining.high
    assert 0.91 <= held / rounds <= 0.99
    assert 0.91 <= tone_held / rounds <= 1
    assert plain / rounds < 0.88, "every comment for itself is too sure of itself"


@pytest.mark.requirement("R68", "R70")
def test_of_steady_themes_hardly_one_is_said_to_rise_or_fall_though_colleagues_write_alike() -> None:
    draw, called = np.random.default_rng(71), 0
    for _ in range(200):
        spans = [_town(draw, 60, 0.2, 0.3, 0.5) for _ in range(2)]
        now, before = map(tally, spans)
        called += counted(now, before)[0].course is not Course.STEADY
    assert called <= 18, "in one of twenty looks, and a little for chance"
