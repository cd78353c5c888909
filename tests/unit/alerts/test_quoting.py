"""Whether an answer may be quoted: its ticks, what was said by word, and in whatever order that is heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.model import Answer, Standing
from services.alerts.domain.quoting import may_quote
from shared.permissions import Word, weightiest
from tests.support.alerts import T0, answer

pytestmark = pytest.mark.requirement("R74", "R84")
ONE = answer(score=10)


def word(version: int, minute: int, *, given: bool) -> Word:
    return Word(ONE.response_id, version, given, T0 + timedelta(minutes=minute), "user:x")


def ticked(version: int, minute: int) -> Answer:
    return replace(ONE, version=version, quotable=True, agreed_at=T0 + timedelta(minutes=minute))


WORDS = st.lists(
    st.builds(word, st.integers(1, 3), st.integers(0, 3), given=st.booleans()),
    min_size=1,
)


@given(WORDS.flatmap(lambda words: st.tuples(st.just(words), st.permutations(words))))
def test_what_was_said_counts_the_same_in_whatever_order_it_is_heard(
    orders: tuple[list[Word], list[Word]],
) -> None:
    words, shuffled = orders
    (found,) = weightiest(words)
    assert weightiest(shuffled) == weightiest([*words, *shuffled]) == [found]


def test_of_several_answers_each_has_its_own() -> None:
    other = replace(word(1, 0, given=True), response_id=uuid5(ONE.response_id, "other"))
    assert {one.response_id for one in weightiest([word(1, 0, given=False), other])} == {
        ONE.response_id, other.response_id,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "said", "allowed"),
    [
        (replace(ONE, quotable=True), None, True),
        (ONE, None, False),
        (ONE, word(1, 0, given=True), True),
        (replace(ONE, quotable=True), word(1, 0, given=False), False),
        # Of words that were changed since, the ticks of the new ones count.
        (replace(ONE, version=2), word(1, 0, given=True), False),
        (replace(ONE, version=2, quotable=True), word(1, 0, given=False), True),
        # A no holds, whatever else they change, until they tick anew; the no counts at the same moment.
        (ticked(2, 0), word(1, 5, given=False), False),
        (ticked(3, 5), word(1, 5, given=False), False),
        (ticked(3, 6), word(1, 5, given=False), True),
        (replace(ONE, version=2), word(1, 5, given=False), False),
        (ticked(2, 0), word(1, 5, given=True), True),
        # A newer version was seen elsewhere: a yes is to words that are not here, a no is to all.
        (ONE, word(2, 0, given=True), False),
        (replace(ONE, quotable=True), word(2, 0, given=False), False),
        (replace(ONE, standing=Standing.HELD), word(1, 0, given=True), False),
        (replace(ONE, standing=Standing.WITHDRAWN, quotable=True), None, False),
    ],
)
def test_the_newest_that_they_said_counts(answer: Answer, said: Word | None, *, allowed: bool) -> None:
    assert may_quote(answer, said) is allowed
