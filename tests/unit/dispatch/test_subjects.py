"""Who gets which of several subjects, and what is said of them: never more than the counts bear."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from services.dispatch.domain.subjects import Sums, Verdict, judged, line_for
from shared.contracts.forms import Letter, SubjectLine
from shared.runtime.ids import derive

PEOPLE = [derive("test contact", number) for number in range(4000)]


def letter(**parts: int) -> Letter:
    lines = tuple(SubjectLine(id=name, text={"en": name}, part=part) for name, part in parts.items())
    return Letter(subject={"en": "S"}, subjects=lines)


def given(of: Letter, programme: str = "p", people: list[UUID] = PEOPLE) -> list[str]:
    return [line.id for who in people if (line := line_for(of, programme, who))]


@pytest.mark.parametrize("parts", [{"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 2}, {"a": 0, "b": 9, "c": 1}])
def test_recipients_are_split_by_the_parts(parts: dict[str, int]) -> None:
    counts = Counter(given(letter(**parts)))
    whole = sum(parts.values())
    for name, part in parts.items():
        # Four standard deviations of as many draws: the draw is fixed, so this holds for ever or never.
        expected = len(PEOPLE) * part / whole
        assert abs(counts[name] - expected) <= 4 * (expected * (1 - part / whole)) ** 0.5


def test_each_recipient_always_gets_the_same_whatever_the_order_of_the_lines() -> None:
    assert given(letter(a=1, b=1, c=2)) == given(letter(c=2, a=1, b=1))


def test_without_a_choice_there_is_none() -> None:
    assert line_for(letter(), "p", PEOPLE[0]) is None
    assert line_for(letter(a=0), "p", PEOPLE[0]) is None


def test_another_programme_and_another_trial_are_drawn_anew() -> None:
    first = given(letter(a=1, b=1))
    other = given(letter(a=1, b=1), "q")
    assert 0.45 < sum(one == two for one, two in zip(first, other, strict=True)) / len(PEOPLE) < 0.55
    again = given(letter(a=1, c=1))
    same = sum((one == "a") is (two == "a") for one, two in zip(first, again, strict=True))
    assert 0.45 < same / len(PEOPLE) < 0.55


def test_more_of_one_line_moves_nobody_from_it() -> None:
    """A part that is raised takes recipients from the others alone."""
    before, after = given(letter(a=1, b=1)), given(letter(a=3, b=1))
    assert all(now == "a" for was, now in zip(before, after, strict=True) if was == "a")


def verdicts(*lines: Sums) -> dict[str, str]:
    return {one.sums.line: one.verdict.value for one in judged(lines)}


def test_nothing_is_said_of_what_chance_explains() -> None:
    found = verdicts(Sums("a", 100, 100, 40, 30), Sums("b", 100, 100, 50, 36))
    assert found == {"a": "nothing_yet", "b": "nothing_yet"}


def test_a_line_that_more_people_answer_is_named() -> None:
    found = judged([Sums("a", 200, 200, 50, 40), Sums("b", 200, 200, 110, 100)])
    assert [(one.sums.line, one.verdict) for one in found] == [("b", Verdict.AHEAD), ("a", Verdict.BEHIND)]


def test_few_people_say_nothing_however_many_surveys_they_got() -> None:
    found = verdicts(Sums("a", 200, 19, 50, 10), Sums("b", 200, 200, 190, 190))
    assert found == {"a": "nothing_yet", "b": "nothing_yet"}
    many = verdicts(Sums("a", 400, 400, 0, 160), Sums("b", 400, 400, 0, 210))
    again = verdicts(Sums("a", 400, 40, 0, 160), Sums("b", 400, 40, 0, 210))
    assert many == {"a": "behind", "b": "ahead"}
    assert again == {"a": "nothing_yet", "b": "nothing_yet"}, "ten surveys of one person are one witness"


def test_of_several_the_best_is_ahead_only_when_it_beats_each_other() -> None:
    low, high = Sums("low", 300, 300, 0, 60), Sums("high", 300, 300, 0, 150)
    assert verdicts(low, high, Sums("near", 300, 300, 0, 140)) == {
        "high": "nothing_yet", "near": "nothing_yet", "low": "behind",
    }  # fmt: skip
    few = Sums("few", 10, 10, 0, 9)
    assert verdicts(low, high, few) == {"few": "nothing_yet", "high": "nothing_yet", "low": "behind"}


def test_the_more_pairs_there_are_the_more_it_takes() -> None:
    apart = (Sums("a", 200, 200, 0, 60), Sums("b", 200, 200, 0, 80))
    more = [Sums(f"c{number}", 200, 200, 0, 70) for number in range(4)]
    assert verdicts(*apart)["b"] == "ahead"
    assert verdicts(*apart, *more)["a"] == "nothing_yet"


def test_an_interval_is_that_of_the_people() -> None:
    one = Sums("a", 100, 50, 0, 40)
    around = one.around()
    alone = Sums("a", 50, 50, 0, 20).around()
    assert (around, one.share) == (alone, 0.4)
    assert Sums("a").around() is None
