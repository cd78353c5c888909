"""Themes counted, and whether one is named more often than before."""

from __future__ import annotations

import pytest

from services.scoring.domain.themes import Course, Named, counted


@pytest.mark.requirement("R68", "R70")
def test_a_theme_that_is_named_far_more_often_rises_and_one_by_chance_does_not() -> None:
    now = {"delivery_time": Named(40, 5, 5), "price": Named(9, 0, 1)}
    before = {"delivery_time": Named(10, 5, 5), "price": Named(8, 0, 0)}
    found = {one.theme: one for one in counted(now, 100, before, 100)}
    assert found["delivery_time"].course is Course.RISING
    assert found["price"].course is Course.STEADY
    assert found["delivery_time"].share.low < 0.5 < found["delivery_time"].share.high


def test_a_theme_that_is_named_far_less_often_falls() -> None:
    (one,) = counted({"price": Named(2, 0, 0)}, 100, {"price": Named(40, 0, 0)}, 100)
    assert one.course is Course.FALLING


@pytest.mark.parametrize(("comments", "earlier"), [(4, 100), (100, 4)])
def test_of_fewer_than_five_comments_nothing_is_said(comments: int, earlier: int) -> None:
    (one,) = counted({"price": Named(3, 0, 0)}, comments, {}, earlier)
    assert one.course is Course.TOO_FEW
    assert one.readable is (comments >= 5)


def test_the_most_named_comes_first() -> None:
    found = counted({"a": Named(1, 0, 0), "c": Named(2, 2, 0), "b": Named(2, 2, 0)}, 9, {}, 0)
    assert [one.theme for one in found] == ["b", "c", "a"]
