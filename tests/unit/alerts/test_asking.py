"""Who is asked about a case: forward only, in whatever order it is heard; and how cases turned out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.asking import Asking, Question, after
from services.alerts.domain.outcomes import Outcomes, total
from shared.runtime.ids import derive
from tests.support.alerts import T0

PLANNED = Question(
    derive("survey", "fixed"),
    derive("ticket", "one"),
    1,
    derive("contact", "ana"),
    "recovery",
    Asking.PLANNED,
    T0,
    until=T0 + timedelta(days=1),
)
ASKED = replace(PLANNED, state=Asking.ASKED, until=T0 + timedelta(days=15))
SENT = replace(PLANNED, state=Asking.SENT, until=None)
REFUSED = replace(PLANNED, state=Asking.REFUSED, reason="opted_out", until=None)


def folded(*news: Question) -> Question:
    found = reduce(after, news, None)
    assert found is not None
    return found


@pytest.mark.parametrize("order", [(PLANNED, ASKED, SENT), (SENT, PLANNED, ASKED), (PLANNED, SENT, ASKED)])
def test_a_mail_that_is_heard_of_before_its_decision_stays_sent(order: tuple[Question, ...]) -> None:
    found = folded(*order)
    assert (found.state, found.until) == (Asking.SENT, ASKED.until)


def test_what_waited_and_was_refused_may_be_planned_anew() -> None:
    assert folded(PLANNED, REFUSED).reason == "opted_out"
    assert folded(PLANNED, REFUSED).until is None
    assert folded(PLANNED, REFUSED, PLANNED).state is Asking.PLANNED
    assert folded(ASKED, REFUSED, SENT).state is Asking.SENT, "it was taken back too late"
    assert folded(PLANNED, ASKED, SENT, REFUSED).state is Asking.SENT


@given(st.permutations([PLANNED, ASKED, SENT]))
def test_what_was_sent_never_goes_back(order: list[Question]) -> None:
    assert folded(*order).state is Asking.SENT


def test_each_case_is_counted_once_and_the_parts_are_the_whole() -> None:
    one, other = Outcomes(cases=4, confirmed=2, reopened=2, open=1), Outcomes(cases=1, open=1, reopened=1)
    assert (one.unconfirmed, one.recovered) == (1, 0.5)
    assert total([one, other]) == Outcomes(5, 2, 3, 2)
    assert {total(order) for order in permutations([one, other])} == {total([one, other])}
    assert Outcomes().recovered is None
