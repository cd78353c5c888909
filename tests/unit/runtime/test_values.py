"""Frozen values change by copying."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import named
from shared.values import Value, altered


class Thing(Value, frozen=True, kw_only=True):
    """Something with a default, a made one, and a required field."""

    name: str
    size: int = 3
    parts: tuple[str, ...] = ()


class Pair(Value, frozen=True):
    """One whose fields may be given by place."""

    left: int
    right: int = 0


@given(
    st.text(),
    st.integers(),
    st.fixed_dictionaries({}, optional={"name": st.text(), "size": st.integers(), "parts": st.just(("a",))}),
)
def test_a_copy_has_the_changes_and_the_rest(name: str, size: int, changes: dict[str, object]) -> None:
    thing = Thing(name=name, size=size)
    told = {"name": name, "size": size, "parts": (), **changes}
    assert altered(thing, **changes) == Thing(**told)  # type: ignore[arg-type] # any of its fields
    assert thing == Thing(name=name, size=size)


def test_a_change_of_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        altered(Thing(name="x"), colour="red")


def test_a_value_is_frozen_equal_to_its_like_and_found_by_what_it_says() -> None:
    assert Pair(1, 2) == Pair(left=1, right=2) != Pair(1)
    assert {Pair(1, 2): "here"}[Pair(1, 2)] == "here"
    with pytest.raises(AttributeError):
        Pair(1).right = 3  # type: ignore[misc] # what is tested


@pytest.mark.parametrize("wrong", [{}, {"name": "x", "colour": "red"}])
def test_a_value_refuses_fields_that_are_missing_or_unknown(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Thing(**wrong)  # type: ignore[arg-type] # what is tested


def test_a_value_with_named_fields_takes_none_by_place() -> None:
    with pytest.raises(TypeError):
        Thing("x")  # type: ignore[call-arg] # what is tested


@given(st.uuids(), st.text())
def test_an_id_is_that_of_its_name_in_its_namespace(space: uuid.UUID, name: str) -> None:
    found, usual = named(space.bytes, name.encode()), uuid.uuid5(space, name)
    assert (found, hash(found), str(found)) == (usual, hash(usual), str(usual))
    assert isinstance(found, uuid.UUID)
