"""A case and its copy in a helpdesk: notes and comments once each way, ours stands, differences are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.outside import (
    Comment,
    Difference,
    Here,
    Known,
    Note,
    Outside,
    compare,
    marked,
)

T, F = True, False


def there(*, solved: bool = False, comments: tuple[Comment, ...] = ()) -> Outside:
    return Outside("7", "https://help.test/7", solved, comments)


@pytest.mark.parametrize(
    ("known", "here", "now", "settle", "difference"),
    [
        pytest.param((F, F), F, F, None, None, id="nothing happened"),
        pytest.param((F, F), T, F, True, None, id="solved here"),
        pytest.param((T, T), F, T, False, None, id="opened again here"),
        pytest.param((F, F), F, T, None, Difference.SOLVED_THERE, id="solved there alone"),
        pytest.param((T, T), T, F, None, Difference.OPEN_THERE, id="opened again there alone"),
        pytest.param((F, F), T, T, None, None, id="solved on both sides"),
        pytest.param((F, T), T, F, True, Difference.BOTH, id="both changed and disagree: ours stands"),
        pytest.param((F, T), F, T, None, None, id="a difference is shown once"),
        pytest.param((F, T), T, T, None, None, id="we agree with them in the end"),
    ],
)
def test_who_is_followed(
    known: tuple[bool, bool], here: bool, now: bool, settle: bool | None, difference: Difference | None
) -> None:
    plan = compare(Known(*known), Here(here), there(solved=now))
    assert (plan.settle, plan.difference) == (settle, difference)


def test_notes_go_over_and_comments_come_back_once() -> None:
    notes = (Note("1", "Called."), Note("2", "Sent a part."))
    written = (
        Comment("a", marked("The case", "ticket")),
        Comment("b", "We ship tomorrow.", "Sam"),
        Comment("c", marked("Called.", "1")),
    )
    plan = compare(Known(), Here(F, notes), there(comments=written))
    assert plan.tell == notes[1:]
    assert plan.take == (written[1],)
    again = compare(plan.known, Here(F, notes), there(comments=written))
    assert (again.tell, again.take) == ((), ())


_COMMENTS = st.lists(
    st.builds(Comment, st.sampled_from("abcdef"), st.sampled_from(["", "hello", marked("x", "1"), "you"])),
    max_size=6,
    unique_by=lambda comment: comment.id,
).map(tuple)
_NOTES = st.lists(
    st.builds(Note, st.sampled_from("1234"), st.just("note")), max_size=4, unique_by=lambda n: n.key
).map(tuple)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), _NOTES, _COMMENTS)
def test_once_it_is_done_there_is_nothing_to_do(
    was: bool, was_there: bool, here: bool, now: bool, notes: tuple[Note, ...], comments: tuple[Comment, ...]
) -> None:
    plan = compare(Known(was, was_there), Here(here, notes), there(solved=now, comments=comments))
    after = there(
        solved=now if plan.settle is None else plan.settle,
        comments=(*comments, *(Comment(f"n{n.key}", marked(n.text, n.key)) for n in plan.tell)),
    )
    again = compare(plan.known, Here(here, notes), after)
    assert (again.settle, again.tell, again.take, again.difference) == (None, (), (), None)
    assert again.known == plan.known
