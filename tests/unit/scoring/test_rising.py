"""A theme is told to rise when it does, and hardly ever when it does not; simulated with a fixed seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from services.scoring.domain.rising import Heard, Naming, Rise, rises, untold

THEMES = tuple(f"theme_{number}" for number in range(16))
Comment = tuple[str, str, frozenset[str]]
"""Programme, account, themes that it names."""


def risen(before: Sequence[Comment], now: Sequence[Comment]) -> list[Rise]:
    """What rises, of programmes that brought comments in both spans, added up as the store does."""
    both = {said[0] for said in before} & {said[0] for said in now}
    then, since = (heard([one for one in span if one[0] in both]) for span in (before, now))
    return rises(then, since)


def heard(told: Sequence[Comment]) -> Heard:
    """Comments added up."""
    sizes = Counter(account for _, account, _ in told)
    themes = {theme for _, _, named in told for theme in named}
    return Heard(
        Counter(programme for programme, _, _ in told),
        len(sizes),
        sum(n * n for n in sizes.values()),
        {theme: _naming(theme, told, sizes) for theme in themes},
    )


def _naming(theme: str, told: Iterable[Comment], sizes: Mapping[str, int]) -> Naming:
    named = [(programme, account) for programme, account, themes in told if theme in themes]
    voices = Counter(account for _, account in named)
    return Naming(
        Counter(programme for programme, _ in named),
        0,
        len(voices),
        sum(y * y / sizes[account] for account, y in voices.items()),
    )


def drawn(
    draw: np.random.Generator, n: int, share: float, *, first: float | None = None, alike: float = 0.0
) -> list[Comment]:
    """Comments of customers of whom each speaks about thrice; `alike` of them repeat what colleagues say.

    Args:
        draw: chance.
        n: comments.
        share: that name each theme.
        first: that name the first theme, where it is another share.
        alike: part of what an account says that all of it say.
    """
    said: list[Comment] = []
    house = {account: draw.random(len(THEMES)) for account in range(max(1, n // 3))}
    for _ in range(n):
        account = int(draw.integers(len(house)))
        dice = np.where(draw.random(len(THEMES)) < alike, house[account], draw.random(len(THEMES)))
        wanted = np.full(len(THEMES), share)
        wanted[0] = share if first is None else first
        named = frozenset(theme for theme, hit in zip(THEMES, dice < wanted, strict=True) if hit)
        said.append(("survey", f"a{account}", named))
    return said


@pytest.mark.requirement("R68", "R70")
@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_of_sixteen_steady_themes_hardly_one_is_told_in_years(alike: float) -> None:
    draw, alarms = np.random.default_rng(70), 0
    for _ in range(250):
        before, now = (drawn(draw, n, 0.12, alike=alike) for n in (150, 50))
        alarms += len(risen(before, now))
    assert alarms <= 5, "4,000 comparisons, and in one of fifty looks a false alarm at most"


@pytest.mark.requirement("R68", "R70")
def test_a_real_rise_among_steady_themes_is_found() -> None:
    draw, found = np.random.default_rng(71), 0
    for _ in range(100):
        before, now = drawn(draw, 210, 0.1), drawn(draw, 70, 0.1, first=0.4)
        found += any(one.theme == THEMES[0] for one in risen(before, now))
    assert found >= 85


def _said(programme: str, first: int, n: int, naming: int, theme: str = "billing") -> list[Comment]:
    """Comments of as many customers, of whom some name a theme."""
    return [
        (programme, f"c{first + number}", frozenset({theme} if number < naming else ()))
        for number in range(n)
    ]


@pytest.mark.requirement("R68", "R70")
def test_who_asks_more_about_invoices_hears_more_of_invoices_and_that_is_no_rise() -> None:
    before = [*_said("invoices", 0, 20, 12), *_said("tickets", 100, 180, 9)]
    now = [*_said("invoices", 200, 120, 72), *_said("tickets", 400, 60, 3)]
    assert risen(before, now) == []
    # Of a programme that began lately nobody knows how often it would have been named.
    assert risen(_said("tickets", 100, 180, 9), now) == []


@pytest.mark.requirement("R68", "R70")
def test_what_one_customer_says_again_and_again_is_no_rise() -> None:
    before = _said("survey", 0, 120, 6)
    calm = _said("survey", 200, 40, 2)
    angry: list[Comment] = [("survey", "one", frozenset({"billing"}))] * 25
    assert risen(before, [*calm, *angry]) == []
    two: list[Comment] = [("survey", f"two{n % 2}", frozenset({"outage"})) for n in range(60)]
    assert risen(before, [*calm, *two]) == []
    many = _said("survey", 300, 25, 25)
    (rise,) = risen(before, [*calm, *many])
    assert (rise.theme, rise.before.n, rise.after.n, rise.after.accounts) == ("billing", 6, 27, 27)
    assert rise.change.before.value == pytest.approx(5)


def test_a_rise_says_where_it_is_and_is_told_once() -> None:
    before = [*_said("tickets", 0, 100, 5), *_said("renewal", 200, 100, 5)]
    now = [*_said("tickets", 400, 50, 20), *_said("renewal", 600, 50, 2)]
    found = risen(before, now)
    assert [(one.theme, one.programmes) for one in found] == [("billing", ("tickets",))]
    assert untold(found, set()) == found
    assert untold(found, {"billing"}) == []


@pytest.mark.parametrize(("before", "now"), [(4, 60), (120, 4), (0, 40), (40, 0), (0, 0)])
def test_of_fewer_than_five_comments_nothing_is_said(before: int, now: int) -> None:
    assert risen(_said("survey", 0, before, 0), _said("survey", 500, now, now)) == []


def test_what_falls_is_no_rise() -> None:
    assert risen(_said("survey", 0, 120, 60), _said("survey", 500, 40, 2)) == []
