"""Frozen values change by copying, as `dataclasses.replace` copies them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values import altered, quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something with a default, a made one, and a required field."""

    name: str
    size: int = 3
    parts: tuple[str, ...] = field(default_factory=tuple)


@given(
    st.text(),
    st.integers(),
    st.fixed_dictionaries({}, optional={"name": st.text(), "size": st.integers(), "parts": st.just(("a",))}),
)
def test_a_copy_with_changes_is_what_replace_gives(name: str, size: int, changes: dict[str, object]) -> None:
    thing = Thing(name=name, size=size)
    assert altered(thing, **changes) == replace(thing, **changes)  # type: ignore[arg-type] # any of its fields
    assert thing == Thing(name=name, size=size)


def test_a_change_of_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Thing has no colour"):
        altered(Thing(name="x"), colour="red")


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class QuickThing:
    """The same, made quickly."""

    name: str
    size: int = 3
    parts: tuple[str, ...] = field(default_factory=tuple)


@quick
@dataclass(frozen=True, slots=True)
class QuickPair:
    """One whose fields may be given by place."""

    left: int
    right: int = 0


def test_a_quick_value_has_the_defaults_the_equality_and_the_freeze_of_its_dataclass() -> None:
    assert QuickThing(name="x") == QuickThing(name="x", size=3, parts=())
    assert replace(QuickThing(name="x"), size=4) == QuickThing(name="x", size=4)
    assert QuickPair(1, 2) == QuickPair(left=1, right=2) != QuickPair(1)
    with pytest.raises(FrozenInstanceError):
        QuickPair(1).right = 3  # type: ignore[misc] # what is tested


@pytest.mark.parametrize("wrong", [{}, {"name": "x", "colour": "red"}])
def test_a_quick_value_refuses_what_its_dataclass_refuses(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        QuickThing(**wrong)  # type: ignore[arg-type] # what is tested


def test_a_quick_value_with_named_fields_takes_none_by_place() -> None:
    with pytest.raises(TypeError):
        QuickThing("x")  # type: ignore[call-arg] # what is tested
