"""Improvement actions: stages, order of the road map, and what can be said of their effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.effect import FEW, SPAN, Cases, Figures, Tally, can_be_told, effect
from services.alerts.domain.improvements import (
    FOLLOWS,
    SHIPPED,
    Change,
    Improvement,
    Plan,
    counted,
    edit,
    event_of,
    move,
    open_,
    road_map,
    sendable,
)
from services.alerts.domain.model import Refused
from shared.contracts.forms import QuestionType
from shared.contracts.improvements import Stage, Verdict
from shared.runtime.ids import derive
from tests.support.alerts import T0

RITA = derive("user", "rita")
TODAY = date(2026, 3, 3)
DAY = timedelta(days=1)
PLAN = Plan("Export never runs empty", impact=5, effort=2, owner=RITA, due_on=TODAY)
weights = st.integers(min_value=1, max_value=5)


def proposed(plan: Plan = PLAN, name: str = "i") -> Improvement:
    change = open_(derive("improvement", name), plan, RITA, T0)
    assert isinstance(change, Change)
    return change.improvement


def moved(one: Improvement, to: Stage, **more: bool) -> Improvement:
    change = move(one, to, RITA, T0, "So it is.", **more)
    assert isinstance(change, Change)
    return change.improvement


@pytest.mark.requirement("R76")
@given(st.lists(st.tuples(st.sampled_from(Stage), st.booleans(), st.sampled_from(["", "Why."])), max_size=12))
def test_whatever_is_pressed_stages_follow_each_other(pressed: list[tuple[Stage, bool, str]]) -> None:
    one = proposed()
    for to, known, note in pressed:
        change = move(one, to, RITA, T0, note, known=known)
        if isinstance(change, Refused):
            continue
        after = change.improvement
        assert after.stage is to
        assert (change.line is None) == (to is one.stage)
        assert change.line is None or to in FOLLOWS[one.stage]
        assert (after.shipped_at is not None) == (after.stage in SHIPPED)
        assert (after.ended_at is not None) == (after.stage in {Stage.MEASURED, Stage.DROPPED})
        assert after.version == one.version + (change.line is not None)
        if to in {Stage.DROPPED, Stage.MEASURED} and change.line:
            assert change.line.note, "why, or what was learned, is written down"
        one = after


@pytest.mark.requirement("R76")
def test_it_is_measured_only_once_something_can_be_said() -> None:
    shipped = moved(proposed(), Stage.SHIPPED)
    refused = move(shipped, Stage.MEASURED, RITA, T0, "Better.", known=False)
    assert isinstance(refused, Refused)
    assert "yet" in refused.why
    assert isinstance(move(shipped, Stage.MEASURED, RITA, T0, "", known=True), Refused)
    assert moved(shipped, Stage.MEASURED, known=True).ended_at == T0


@pytest.mark.requirement("R76")
@pytest.mark.parametrize(
    "wrong",
    [
        replace(PLAN, title="  "),
        replace(PLAN, title="x" * 121),
        replace(PLAN, impact=0),
        replace(PLAN, impact=6),
        replace(PLAN, effort=0),
        replace(PLAN, effort=6),
        replace(PLAN, theme="x" * 81),
    ],
)
def test_a_plan_without_words_or_weight_is_refused(wrong: Plan) -> None:
    assert isinstance(open_(derive("improvement", "x"), wrong, RITA, T0), Refused)
    assert isinstance(edit(proposed(), wrong, RITA, T0), Refused)


@pytest.mark.requirement("R76")
@given(st.lists(st.tuples(weights, weights, st.integers(-30, 30), st.booleans()), max_size=12))
def test_the_road_map_names_late_ones_first_then_the_most_impact_for_the_effort(
    drawn: list[tuple[int, int, int, bool]],
) -> None:
    found = [
        replace(
            proposed(replace(PLAN, impact=impact, effort=effort, due_on=TODAY + days * DAY), str(place)),
            stage=Stage.SHIPPED if done else Stage.PLANNED,
        )
        for place, (impact, effort, days, done) in enumerate(drawn)
    ]
    listed = road_map(found, TODAY)
    assert {one.id for one in listed} == {one.id for one in found if one.waits}
    late = [one.late(TODAY) for one in listed]
    assert late == sorted(late, reverse=True)
    priorities = [one.plan.priority for one in listed if not one.late(TODAY)]
    assert priorities == sorted(priorities, reverse=True)
    deadlines = [one.plan.due_on for one in listed if one.late(TODAY)]
    assert deadlines == sorted(deadlines)


@pytest.mark.requirement("R76")
def test_it_is_late_from_the_day_after_its_deadline_until_it_ships() -> None:
    one = proposed()
    assert [one.late(TODAY), one.late(TODAY + DAY)] == [False, True]
    assert not moved(one, Stage.SHIPPED).late(TODAY + DAY)


@pytest.mark.requirement("R76")
def test_of_few_customers_nothing_is_said_and_of_many_what_changed() -> None:
    bad, good = Tally(unhappy=40, accounts=40), Tally(happy=40, accounts=40)
    assert effect(QuestionType.NPS, bad, good).verdict is Verdict.BETTER
    assert effect(QuestionType.NPS, good, bad).verdict is Verdict.WORSE
    assert effect(QuestionType.CSAT, good, good).verdict is Verdict.NO_DETECTABLE_CHANGE
    few = replace(good, happy=40, accounts=FEW - 1)
    assert effect(QuestionType.NPS, bad, few).verdict is Verdict.TOO_FEW
    assert effect(QuestionType.NPS, few, bad).points is None
    assert effect(QuestionType.NPS, bad, replace(good, accounts=FEW)).points == 200
    assert effect(QuestionType.NPS, bad, Tally()).verdict is Verdict.TOO_FEW


sides = st.builds(
    lambda happy, passive, unhappy, part: Tally(
        happy, passive, unhappy, max(1, round((happy + passive + unhappy) * part))
    ),
    st.integers(1, 60), st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 1),
)  # fmt: skip


@pytest.mark.requirement("R76")
@given(sides, sides, st.sampled_from([QuestionType.NPS, QuestionType.CSAT]))
def test_the_interval_holds_the_difference_and_is_wider_for_fewer_customers(
    before: Tally, after: Tally, scale: QuestionType
) -> None:
    one = effect(scale, before, after)
    if one.points is None or one.low is None or one.high is None:
        assert min(before.accounts, after.accounts) < FEW
        return
    assert one.low - 1e-9 <= one.points <= one.high + 1e-9
    certain = one.verdict in {Verdict.BETTER, Verdict.WORSE}
    assert certain == (one.low > 0 or one.high < 0)
    single = effect(scale, replace(before, accounts=before.n), replace(after, accounts=after.n))
    assert single.low is not None
    assert single.high is not None
    assert one.high - one.low >= single.high - single.low - 1e-9


@pytest.mark.requirement("R76")
def test_after_ninety_days_that_nothing_can_be_said_is_the_result() -> None:
    silent = [effect(QuestionType.NPS, Tally(), Tally(happy=1, accounts=1))]
    assert not can_be_told(silent, T0, T0 + SPAN - DAY)
    assert can_be_told(silent, T0, T0 + SPAN)
    assert can_be_told([effect(QuestionType.NPS, *[Tally(happy=9, accounts=9)] * 2)], T0, T0 + DAY)


@pytest.mark.requirement("R81")
def test_what_customers_are_told_is_one_paragraph_that_a_mail_can_carry() -> None:
    assert sendable({"EN": " It waits\r\n now. ", "sv": "  "}) == {"en": "It waits now."}
    assert isinstance(sendable({"en": "x" * 501}), Refused)
    assert isinstance(sendable({"en": "=?utf-8?q?x?="}), Refused)
    assert isinstance(sendable({"en": "a\x00b"}), Refused)


@pytest.mark.requirement("R76")
def test_what_was_counted_is_told_and_keeps_what_it_was_counted_of() -> None:
    shipped = moved(proposed(replace(PLAN, programme="delivery")), Stage.SHIPPED)
    found = effect(
        QuestionType.CSAT, Tally(unhappy=40, accounts=40), Tally(happy=30, unhappy=10, accounts=40)
    )
    one = counted(shipped, Figures((found,), Cases(4, 1), T0 + SPAN))
    told = event_of(one, T0 + SPAN)
    assert (told.version, told.counted_at) == (shipped.version + 1, T0 + SPAN)
    (said,) = told.effects
    assert (said.verdict, said.n_before, said.n_after, said.before, said.after) == (
        Verdict.BETTER, 40, 40, 0, 75
    )  # fmt: skip
    assert isinstance(edit(one, replace(one.plan, programme="relationship"), RITA, T0), Refused)
    assert isinstance(edit(one, replace(one.plan, title="Another word"), RITA, T0), Change)
    back = moved(one, Stage.UNDER_WAY)
    assert (back.figures, event_of(back, T0).effects) == (None, ())
    assert moved(one, Stage.MEASURED, known=True).figures == one.figures
