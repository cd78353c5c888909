"""Slots and guards: values stay values (SEC-M1, SEC-M2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.text import UnsafeText, fill, guard, guard_block, pick, slots_of


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("Hello {name}!", {"name": "Anna"}, "Hello Anna!"),
        ("{a}{b}", {"a": "{b}", "b": "x"}, "{b}x"),
        ("{name}", {"name": "{{''.__class__.__mro__}}"}, "{{''.__class__.__mro__}}"),
        (
            "{name}",
            {"name": "{% for x in y %}${7*7}%s{0.__class__}"},
            "{% for x in y %}${7*7}%s{0.__class__}",
        ),
        ("{name.__class__} {0} {name[0]} {}", {"name": "x"}, "{name.__class__} {0} {name[0]} {}"),
        ("Hello {name}, welcome", {}, "Hello, welcome"),
        ("How is {product} ?", {}, "How is?"),
        ("No slots,  two spaces", {}, "No slots,  two spaces"),
    ],
)
def test_slots_are_filled_once(text: str, values: dict[str, str], expected: str) -> None:
    assert fill(text, values) == expected


BREAKS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("bad", BREAKS, ids=ascii)
def test_a_line_break_of_any_kind_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeText, match=r"^slots\.product: a line break or NUL$"):
        guard("slots.product", f"Cloud{bad}Bcc: eve@evil.example")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("=?utf-8?q?Hi=0D=0ABcc=3A_eve=40evil.example?=", "an encoded-word"),
        ("ring\x07", "a control character"),
        ("del\x7f", "a control character"),
        ("lone \ud800 surrogate", "a control character"),
        ("x" * 501, "longer than 500 characters"),
    ],
    ids=ascii,
)
def test_other_dangers_are_refused_and_never_quoted(value: str, kind: str) -> None:
    with pytest.raises(UnsafeText) as caught:
        guard("slots.name", value)
    assert str(caught.value) == f"slots.name: {kind}"


def test_direction_marks_are_taken_out() -> None:
    assert guard("f", "abc\u202etxt.exe\u2066") == "abctxt.exe"


def test_a_block_may_have_lines_and_nothing_worse() -> None:
    assert guard_block("f", "one\r\n\r\ntwo\tthree\n") == "one\n\ntwo\tthree"
    for bad in ("\x00", "\r", "\x0b", "\u2028", "\x85"):
        with pytest.raises(UnsafeText):
            guard_block("f", f"a{bad}b")
    with pytest.raises(UnsafeText):
        guard_block("f", "x" * 5001)


@given(st.text(max_size=300))
def test_what_passes_the_guard_is_one_line_in_every_reading(value: str) -> None:
    try:
        passed = guard("f", value)
    except UnsafeText:
        return
    assert len(passed.splitlines()) <= 1
    assert "=?" not in passed
    passed.encode()


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("sv", "S"), ("sv-FI", "S"), ("sv_SE", "S"), ("de", "E"), ("es-MX", "M"), ("", "E")],
)
def test_the_language_is_the_nearest_there_is(locale: str, expected: str) -> None:
    assert pick({"sv": "S", "en": "E", "es-MX": "M"}, locale) == expected


def test_without_english_the_first_language_is_taken() -> None:
    assert pick({"fi": "F"}, "de") == "F"
    assert pick({}, "de") == ""


def test_slots_of_a_text() -> None:
    assert slots_of("{a} {b_2} {Not} {9}") == {"a", "b_2"}
