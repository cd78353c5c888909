"""Frozen values that are made and changed by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import cache
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
    """A function that copies a value slot by slot, past the freeze, with these fields from elsewhere."""
    names = [one.name for one in fields(kind)]
    if unknown := sorted(set(changed) - set(names)):
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    given: dict[str, Any] = {"new": object.__new__, "kind": kind}
    given |= {f"write_{name}": getattr(kind, name).__set__ for name in names}
    values = [f"changes[{name!r}]" if name in changed else f"value.{name}" for name in names]
    lines = [f"    write_{name}(made, {value})\n" for name, value in zip(names, values, strict=True)]
    text = f"def change(value, changes):\n    made = new(kind)\n{''.join(lines)}    return made\n"
    exec(text, given)  # noqa: S102 - the names of our own fields, as above
    change: Callable[[Any, dict[str, object]], Any] = given["change"]
    return change
