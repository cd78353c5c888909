"""Frozen values that are made and changed by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_FEW = 5
"""So few fields are written one by one sooner than by way of the open twin."""


def quick(kind: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a constructor that writes its slots directly.

    The one that it has goes through `object.__setattr__` for each field, by name, which costs more than
    everything else about a small value. A value of many fields is written as its open twin, and frozen when
    all is said. What is made is the same; nothing may be computed in `__post_init__`.
    """
    given: dict[str, Any] = {"missing": MISSING, "_kind": kind, "_become": object.__setattr__}
    many = len(fields(kind)) > _FEW  # type: ignore[arg-type] # decorated below
    arguments, lines = [], []
    for one in fields(kind):  # type: ignore[arg-type] # as above
        given[f"write_{one.name}"] = getattr(kind, one.name).__set__
        arguments.append(_argument(one, given))
        made = f"make_{one.name}() if {one.name} is missing else " if f"make_{one.name}" in given else ""
        value = f"{made}{one.name}"
        lines.append(f"    self.{one.name} = {value}" if many else f"    write_{one.name}(self, {value})")
    if many:
        given["_twin"] = _twin(kind)
        lines = ["    _become(self, '__class__', _twin)", *lines, "    self.__class__ = _kind"]
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


def _twin(kind: type[Any]) -> type[Any]:
    """A class with the same slots that is not frozen, so that the interpreter writes them by their place.

    Values of one can become values of the other, as both look the same in memory; so nothing may be
    inherited.
    """
    return type(f"Open{kind.__name__}", (), {"__slots__": tuple(one.name for one in fields(kind))})


def altered(value: T, **changes: object) -> T:
    """A frozen dataclass with slots, some of its fields changed.

    It is what `dataclasses.replace` gives for classes that compute nothing when they are made, for a fraction
    of the work: each combination of changes has a function of its own that copies the other fields.

    Raises:
        TypeError: A change names no field.
    """
    change = _changing(type(value), tuple(changes))  # type: ignore[arg-type] # classes are hashable
    made: T = change(value, changes)
    return made


@cache
def _changing(kind: type[Any], changed: tuple[str, ...]) -> Callable[[Any, dict[str, object]], Any]:
    """A function that copies a value as its open twin, with these fields from elsewhere, and freezes it."""
    names = [one.name for one in fields(kind)]
    if unknown := sorted(set(changed) - set(names)):
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    given: dict[str, Any] = {"new": object.__new__, "twin": _twin(kind), "kind": kind}
    values = [f"changes[{name!r}]" if name in changed else f"value.{name}" for name in names]
    lines = [f"    made.{name} = {value}" for name, value in zip(names, values, strict=True)]
    lines = ["    made = new(twin)", *lines, "    made.__class__ = kind", "    return made"]
    text = "def change(value, changes):\n" + "\n".join(lines)
    exec(text, given)  # noqa: S102 - the names of our own fields, as above
    change: Callable[[Any, dict[str, object]], Any] = given["change"]
    return change
