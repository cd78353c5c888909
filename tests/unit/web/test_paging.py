"""Pages of lists that are worked out whole."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.ids import derive
from shared.web.cursors import after_texts, cursor_of, text_cursor
from shared.web.paging import Paging, paging
from shared.web.problems import Problem

KEYS = st.sets(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text(max_size=3)), max_size=12)


def walk(keys: set[tuple[str, str]], limit: int) -> list[list[tuple[str, str]]]:
    """All pages, each asked for with the cursor of the one before."""
    pages: list[list[tuple[str, str]]] = []
    cursor: str | None = ""
    while cursor is not None:
        shown, cursor = paging(2)(cursor, limit).of(keys, lambda key: key)
        pages.append(shown)
    return pages


@given(KEYS, st.integers(1, 5))
def test_a_walk_shows_each_row_once_in_the_order_of_its_key(keys: set[tuple[str, str]], limit: int) -> None:
    pages = walk(keys, limit)
    assert [key for page in pages for key in page] == sorted(keys)
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize(("rows", "pages"), [(0, [0]), (1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2])])
def test_no_page_follows_the_last_row(rows: int, pages: list[int]) -> None:
    assert [len(page) for page in walk({(str(row), "") for row in range(rows)}, 2)] == pages


def test_what_comes_and_goes_between_two_pages_moves_nothing_else() -> None:
    shown, cursor = Paging(None, 2).of("bdfh", lambda key: (key,))
    assert (shown, cursor is None) == (["b", "d"], False)
    # The row on which the cursor stands has gone, one came before it and one behind.
    assert paging(1)(str(cursor), 9).of("abeh", lambda key: (key,)) == (["e", "h"], None)


def test_names_in_other_letters_keep_a_cursor_short() -> None:
    name = "\u0434" * 300
    assert len(text_cursor(name)) < 3 * len(name)
    assert after_texts(text_cursor(name), 1) == (name,)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "\u00e4",
        text_cursor("one"),
        text_cursor("one", "two", "three"),
        cursor_of(1, derive("row")),
        base64.urlsafe_b64encode(b'{"0": "a", "1": "b"}').decode(),
        base64.urlsafe_b64encode(b'"ab"').decode(),
        base64.urlsafe_b64encode(b"\xff\xff").decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
    ],
    ids=["short", "no letter of ours", "too few", "too many", "number", "object", "text", "bytes", "deep"],
)
def test_a_cursor_of_something_else_is_refused_with_what_to_do(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        paging(2)(cursor, 10)
    assert (refused.value.status_code, refused.value.field) == (422, "cursor")
    assert "`next`" in refused.value.detail
