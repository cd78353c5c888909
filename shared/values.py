"""Frozen values, changed by copying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
Write = Callable[[Any, Any], None]


def altered(value: T, **changes: object) -> T:
    """A frozen dataclass with slots, some of its fields changed.

    It is what `dataclasses.replace` gives for classes that compute nothing when they are made, for a third of
    the work: most fields of a value stay, and are copied without going through its constructor.

    Raises:
        TypeError: A change names no field.
    """
    kind: type[Any] = type(value)
    names, read, writers = _layout(kind)
    if not names >= changes.keys():
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(changes.keys() - names))}")
    made: T = kind.__new__(kind)
    for (name, write), old in zip(writers, read(value), strict=True):
        write(made, changes.get(name, old))
    return made


@cache
def _layout(
    kind: type[Any],
) -> tuple[
    frozenset[str], Callable[[Any], tuple[Any, ...]], tuple[tuple[str, Callable[[Any, Any], None]], ...]
]:
    """Names of the fields, how all are read at once, and how each is written past the freeze."""
    names = [one.name for one in fields(kind)]
    return (
        frozenset(names),
        attrgetter(*names),
        tuple((name, getattr(kind, name).__set__) for name in names),
    )
