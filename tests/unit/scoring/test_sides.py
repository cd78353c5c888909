"""Which answers are on a side, what two sides have in common, and what an address means by them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.rollups import JOINT
from services.scoring.domain.sides import NoSuchSide, Side, common, cut_of, others, rate_sums, score_sums
from services.scoring.handlers.comparing import Facing
from shared.web.problems import Problem

DAY = date(2026, 5, 1)
TODAY = date(2026, 11, 23)
MAY = Span(DAY, date(2026, 5, 31))
Answer = tuple[date, dict[str, str]]

VALUES = {"programme": ("p", "q"), "tier": ("key", "small"), "region": ("se", "de")}
_days = st.integers(0, 9).map(lambda days: DAY + timedelta(days=days))
_cuts = st.fixed_dictionaries({}, optional={name: st.sampled_from(those) for name, those in VALUES.items()})
_answers = st.fixed_dictionaries({name: st.sampled_from(those) for name, those in VALUES.items()})


def _cut(values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


@st.composite
def _sides(draw: st.DrawFn, *, but: bool = False) -> Side:
    first, last = sorted((draw(_days), draw(_days)))
    return Side(Span(first, last), _cut(draw(_cuts)), _cut(draw(_cuts)) if but else ())


def _is_on(side: Side, answer: Answer) -> bool:
    day, values = answer
    has = [all(values[name] == value for name, value in cut) for cut in (side.cut, side.but)]
    return side.span.first <= day <= side.span.last and has[0] and not (side.but and has[1])


@given(one=_sides(), other=_sides(but=True), answers=st.lists(st.tuples(_days, _answers), max_size=30))
def test_what_two_sides_have_in_common_is_what_is_on_both(
    one: Side, other: Side, answers: list[Answer]
) -> None:
    shared = common(one, other)
    for answer in answers:
        on_both = _is_on(one, answer) and _is_on(other, answer)
        assert on_both == (shared is not None and _is_on(shared, answer))


def test_a_side_and_all_its_others_have_nothing_in_common() -> None:
    for cut in (cut_of("p", []), cut_of("p", ["tier:key"]), cut_of("", ["tier:key", "region:se"])):
        assert common(Side(MAY, cut), others(cut, MAY)) is None


@pytest.mark.requirement("R61", "R62")
@pytest.mark.parametrize(
    ("programme", "where", "question"),
    [
        ("", [], Question("total", "", exact=True)),
        ("p", [], Question("programme", "p", exact=True)),
        ("p", ["tier:key"], Question("programme+tier", f"p{JOINT}key", exact=True)),
        ("", ["persona:user", "tier:key"], Question("tier+persona", f"key{JOINT}user", exact=True)),
        ("p", ["context.carrier:DHL"], Question("programme+context.carrier", f"p{JOINT}DHL", exact=True)),
    ],
)
def test_a_cut_is_read_from_sums_in_whatever_order_it_is_named(
    programme: str, where: list[str], question: Question
) -> None:
    sums = score_sums(Side(MAY, cut_of(programme, where)))
    assert sums is not None
    assert sums.questions(None) == [question]


def test_a_cut_without_sums_is_read_from_answers() -> None:
    assert score_sums(Side(MAY, cut_of("p", ["region:se"]))) is None
    assert score_sums(others(cut_of("", ["tier:key", "region:se"]), MAY)) is None
    assert rate_sums(Side(MAY, cut_of("", ["region:se"]))) is None


def test_others_are_the_whole_less_the_part() -> None:
    rest = others(cut_of("p", ["tier:key"]), MAY)
    assert (dict(rest.cut), dict(rest.but)) == ({"programme": "p"}, {"programme": "p", "tier": "key"})
    sums = score_sums(rest)
    assert sums is not None
    assert [one.prefix for one in sums.questions(None)] == ["p", f"p{JOINT}key"]
    assert dict(others(cut_of("p", []), MAY).cut) == {}


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (["colour:red"], "there is no dimension 'colour'"),
        (["tier"], "write dimension:value"),
        (["tier:key", "tier:small"], "each dimension once"),
        (["account:1"], "an account has a page of its own"),
        (["tier:key", "region:se", "size:1", "persona:user"], "3 dimensions at most"),
    ],
)
def test_a_cut_that_cannot_be_says_why(where: list[str], reason: str) -> None:
    with pytest.raises(NoSuchSide, match=reason):
        cut_of("", where)


def _spans(**given: Any) -> tuple[Span, Span]:
    a, b = Facing.model_validate(given).sides(TODAY)
    return a.span, b.span


@pytest.mark.requirement("R68")
@pytest.mark.parametrize(
    ("given", "a", "b"),
    [
        ({}, (date(2026, 8, 26), TODAY), (date(2026, 5, 28), date(2026, 8, 25))),
        (
            {"a.period": "quarter", "b.period": "before"},
            (date(2026, 10, 1), TODAY),
            (date(2026, 7, 1), date(2026, 8, 23)),
        ),
        (
            {"a.period": "quarter", "b.period": "year_before"},
            (date(2026, 10, 1), TODAY),
            (date(2025, 10, 1), date(2025, 11, 23)),
        ),
        (
            {"a.where": ["tier:key"], "a.period": "7"},
            (date(2026, 11, 17), TODAY),
            (date(2026, 11, 17), TODAY),
        ),
        (
            {"a.from": "2026-07-01", "a.to": "2026-09-30", "b.from": "2026-04-01", "b.to": "2026-06-30"},
            (date(2026, 7, 1), date(2026, 9, 30)),
            (date(2026, 4, 1), date(2026, 6, 30)),
        ),
        ({"around": "2026-11-01"}, (date(2026, 11, 1), TODAY), (date(2026, 8, 3), date(2026, 10, 31))),
        (
            {"a.from": "2024-02-29", "a.to": "2024-02-29", "b.period": "year_before"},
            (date(2024, 2, 29), date(2024, 2, 29)),
            (date(2023, 2, 28), date(2023, 2, 28)),
        ),
    ],
    ids=["usual", "quarter", "a year ago", "two cuts", "two spans", "around a day", "leap day"],
)
def test_the_days_of_both_sides(given: dict[str, Any], a: tuple[date, date], b: tuple[date, date]) -> None:
    assert _spans(**given) == (Span(*a), Span(*b))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"a.period": "all"}, "b.period"),
        ({"a.from": "2026-05-02", "a.to": "2026-05-01"}, "a.from"),
        ({"b.others": "true"}, "b.others"),
        ({"a.where": ["colour:red"]}, "a.where"),
        ({"b.where": ["tier:"]}, "b.where"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as refused:
        Facing.model_validate(given).sides(TODAY)
    assert (refused.value.status_code, refused.value.field) == (422, field)


def test_an_address_leads_back_to_the_same_comparison() -> None:
    given: dict[str, Any] = {
        "family": "relationship", "a.programme": "p q", "a.where": ["tier:key", "region:s&e"],
        "a.period": "quarter", "b.others": "true",
    }  # fmt: skip
    facing = Facing.model_validate(given)
    assert facing.address() == (
        "/scores/compare?family=relationship&a.programme=p+q&a.where=tier%3Akey&a.where=region%3As%26e"
        "&a.period=quarter&b.others=true"
    )
    assert Facing.model_validate({}).address() == "/scores/compare"
