"""Frozen values that are made and changed by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
Write = Callable[[Any, Any], None]


def quick(kind: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a constructor that writes its slots directly.

    The one that it has goes through `object.__setattr__` for each field, by name, which costs more than
    everything else about a small value. What is made is the same; nothing may be computed in `__post_init__`.
    """
    given: dict[str, Any] = {"missing": MISSING}
    arguments, lines = [], []
    for one in fields(kind):  # type: ignore[arg-type] # decorated below
        given[f"write_{one.name}"] = getattr(kind, one.name).__set__
        arguments.append(_argument(one, given))
        made = f"make_{one.name}() if {one.name} is missing else " if f"make_{one.name}" in given else ""
        lines.append(f"    write_{one.name}(self, {made}{one.name})")
    star = "*, " if all(one.kw_only for one in fields(kind)) else ""  # type: ignore[arg-type] # as above
    text = f"def __init__(self, {star}{', '.join(arguments)}):\n" + "\n".join(lines)
    exec(text, given)  # noqa: S102 - the names of our own fields, as dataclasses does it
    given["__init__"].__doc__ = kind.__init__.__doc__
    kind.__init__ = given["__init__"]  # type: ignore[method-assign] # on purpose
    return kind


def _argument(one: Field[Any], given: dict[str, Any]) -> str:
    if one.default_factory is not MISSING:
        given[f"make_{one.name}"] = one.default_factory
        return f"{one.name}=missing"
    if one.default is not MISSING:
        given[f"default_{one.name}"] = one.default
        return f"{one.name}=default_{one.name}"
    return one.name


def altered(value: T, **changes: object) -> T:
    """A frozen dataclass with slots, some of its fields changed.

    It is what `dataclasses.replace` gives for classes that compute nothing when they are made, for a third of
    the work: most fields of a value stay, and are copied without going through its constructor.

    Raises:
        TypeError: A change names no field.
    """
    kind: type[Any] = type(value)
    names, read, writers = _layout(kind)  # type: ignore[arg-type] # classes are hashable
    if not names >= changes.keys():
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(changes.keys() - names))}")
    made: T = object.__new__(kind)
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
