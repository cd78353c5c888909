"""What was learned is told as people read it: of whom, how sure, and what follows (R46, R93)."""

from __future__ import annotations

from typing import Any

import pytest

from services.trigger.domain.best_moment import Seen, Slot
from services.trigger.domain.lessons import SegmentShown, shown
from tests.unit.trigger.support import edition

pytestmark = pytest.mark.requirement("R46", "R93")

MONDAY, TUESDAY, THURSDAY, SUNDAY = Slot(0, 4), Slot(1, 5), Slot(3, 6), Slot(6, 5)
LEARNS: dict[str, Any] = {"send": {"window": {"learn": True, "days": ["mon", "tue", "thu"]}}}


def told(seen: dict[Slot, Seen], segment: str = "transactional/user", **changes: Any) -> SegmentShown:
    """What is said of one kind of people while a small programme runs."""
    (found,) = shown(((segment, *one) for one in seen.items()), [edition(**{**LEARNS, **changes})])
    return found


@pytest.mark.parametrize(
    ("segment", "who"),
    [
        ("transactional/decision_maker", "Decision makers: transactional surveys"),
        ("relationship/user", "Users: relationship surveys"),
        ("progress/sv", "People who read Swedish, persona unknown: progress surveys"),
        ("progress/zz", "People who read zz, persona unknown: progress surveys"),
        ("relationship/unknown", "People of unknown language: relationship surveys"),
    ],
)
def test_who_it_is_about_is_said_in_words(segment: str, who: str) -> None:
    assert told({TUESDAY: Seen(10, 2)}, segment).who == who


def test_few_answers_are_called_chance() -> None:
    found = told({TUESDAY: Seen(12, 5), MONDAY: Seen(10, 2)})
    assert not found.sure
    assert found.verdict == (
        "The difference may be chance. Tuesdays from 10 to 12: 5 of 12 answered (42%), "
        "at all other times 2 of 10 (20%)."
    )


def test_many_answers_make_sure_and_say_by_how_much() -> None:
    found = told({TUESDAY: Seen(400, 160), MONDAY: Seen(300, 60), THURSDAY: Seen(300, 60)})
    assert found.sure
    assert found.verdict.startswith(
        "More answer then than at other times. Tuesdays from 10 to 12: 160 of 400"
    )
    assert "points more, 19 times of 20" in found.verdict
    assert found.follows.startswith("Of 10 people 9 are asked on Tuesdays from 10 to 12,")


def test_the_best_of_many_has_to_be_better_than_the_best_of_two() -> None:
    """One of many looks good by chance."""
    many = {Slot(day, band): Seen(20, 4) for day in (2, 3, 4) for band in range(4, 8)}
    two = {TUESDAY: Seen(60, 22), MONDAY: Seen(240, 48)}
    assert told(two).sure
    assert not told(many | {TUESDAY: Seen(60, 22)}).sure


def test_one_time_alone_is_compared_with_nothing() -> None:
    found = told({TUESDAY: Seen(50, 20)})
    assert not found.sure
    assert "there is nothing to compare it with" in found.verdict


def test_the_moment_that_is_taken_is_shown_also_where_nobody_was_asked_then() -> None:
    """Bad answers on Mondays lead to the guides' moment, not to Mondays as the best of what was tried."""
    found = told({MONDAY: Seen(30, 0)})
    first, last = found.slots
    assert (first.words, first.asked, first.best, first.guides) == ("Tuesdays from 10 to 12", 0, True, True)
    assert (last.words, last.asked, last.best) == ("Mondays from 8 to 10", 30, False)
    assert "was not tried yet" in found.verdict


def test_a_moment_outside_of_every_window_is_not_what_is_taken() -> None:
    narrow = {"window": {"learn": True, "days": ["tue"], "hours": "10:00-12:00"}}
    found = told({SUNDAY: Seen(300, 200), TUESDAY: Seen(300, 100)}, send=narrow)
    assert {slot.words: slot.best for slot in found.slots} == {
        "Sundays from 10 to 12": False,
        "Tuesdays from 10 to 12": True,
    }


@pytest.mark.parametrize(
    "changes",
    [{"send": {}}, {"send": {"window": "anytime"}}, {"family": "progress"}, {"state": "archived"}],
    ids=["does not learn", "has no window", "of another family", "ended"],
)
def test_what_no_programme_goes_by_says_so(changes: dict[str, Any]) -> None:
    found = told({TUESDAY: Seen(50, 20)}, **changes)
    assert (found.used_by, any(slot.best for slot in found.slots)) == ((), False)
    assert "write learn: true" in found.follows
