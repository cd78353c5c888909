"""Frozen values change by copying, as `dataclasses.replace` copies them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values import altered


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
