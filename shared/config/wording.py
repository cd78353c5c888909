"""What is wrong with a value of a file, in words of the one who wrote it: never those of the library.

A file is its author's own, so values are quoted, with advice. What comes by wire never is: `shared.wrong`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from shared.config.documents import Location
from shared.wrong import nearest

_DAYS = ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")
_SHAPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "mapping_type": "a mapping of keys",
    **dict.fromkeys(_DAYS, "a day, as 2026-01-31"),
}
"""What was wanted, by the library's name of the complaint."""

_CHOICES = frozenset({"literal_error", "enum"})
_BOUNDS = {
    "greater_than": ("not more than {gt:g}", "more than {gt:g}"),
    "greater_than_equal": ("less than {ge:g}", "{ge:g} or more"),
    "less_than": ("not less than {lt:g}", "less than {lt:g}"),
    "less_than_equal": ("more than {le:g}", "{le:g} at most"),
}
"""What is wrong with a number, and what was wanted, by the library's name of the complaint."""

_MANY = 2
_SHOWN = 40
_NAME = re.compile(r"\^\[a-z\]\[a-z0-9([_-]+)\]\{\d+,(\d+)\}\$")
_QUOTED = re.compile(r"'([^']+)'")


def telling(details: Sequence[ErrorDetails]) -> Iterator[tuple[Location, list[ErrorDetails]]]:
    """Complaints by place; where one says more than another about a choice's alternatives, that one alone.

    At least one is left of any.
    """
    places: dict[Location, list[ErrorDetails]] = {}
    for detail in details:
        places.setdefault(_place(detail), []).append(detail)
    for where, found in places.items():
        exact = [one for one in found if not _vague(one)]
        for one in exact:
            yield where, [one]
        if not exact and not any(other != where and other[: len(where)] == where for other in places):
            # An alternative of the right shape that is only too short says most.
            yield where, [one for one in found if one["type"] == "too_short"] or found


def _place(detail: ErrorDetails) -> Location:
    """Where a complaint is in the file; a key that is not known stands there as it was written."""
    loc = detail["loc"]
    own = 1 if detail["type"] == "extra_forbidden" else 0
    return (*filter(_real, loc[: len(loc) - own]), *loc[len(loc) - own :])


def misspelt(detail: ErrorDetails) -> tuple[str, str]:
    """Reason and advice for a text that does not fit its pattern; no advice ("") on what is no name."""
    found = _NAME.fullmatch(detail["ctx"]["pattern"])
    advice = ""
    if found:
        signs = ["digits", *str(found[1])]
        either = f"{', '.join(signs[:-1])} or {signs[-1]}"
        advice = f"Write up to {int(found[2]) + 1} lower-case letters, {either}, a letter first."
    return f"{_shown(detail['input'])} is not written as it must be", advice


def unfit(details: Sequence[ErrorDetails]) -> tuple[str, str] | None:
    """Reason and advice for a value that is none of what was wanted; None for other complaints."""
    first = details[0]
    shown, limits = _shown(first["input"]), first.get("ctx", {})
    if first["type"] in _BOUNDS:
        wrong, right = (words.format(**limits) for words in _BOUNDS[first["type"]])
        return f"{shown} is {wrong}", f"Write {right}."
    if first["type"] in {"too_short", "string_too_short"}:
        return "is empty", f"Write at least {limits['min_length']}."
    if first["type"] in {"too_long", "string_too_long"}:
        return "is too long", f"Write {limits['max_length']} at most."
    if not _vague(first):
        return None
    wanted = list(dict.fromkeys(_wanted(one) for one in details))
    if len(wanted) > _MANY:
        return f"{shown} is none of these: {', '.join(wanted)}", "Write one of them."
    return f"{shown} is not {' or '.join(wanted)}", _advice(first["input"], details, wanted)


def meant(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant by a name that is not known."""
    names = sorted(known)
    close = nearest(name, names)
    return f"Did you mean {close!r}?" if close else f"Known are: {', '.join(names)}."


def keys_at(schema: Mapping[str, Any], where: Location) -> list[str]:
    """The keys that fit at a place, by a model's JSON Schema; whatever alternatives there are."""
    here = list(_alternatives(schema, schema))
    for step in where:
        inner = (found for one in here for found in _inside(one, step))
        here = [one for found in inner for one in _alternatives(found, schema)]
    return sorted({name for one in here for name in one.get("properties", {})})


def _inside(part: Mapping[str, Any], step: str | int) -> Iterator[Mapping[str, Any]]:
    if isinstance(step, int):
        found = [part.get("items")]
    else:
        found = [part.get("properties", {}).get(step, part.get("additionalProperties"))]
        found += part.get("patternProperties", {}).values()
    yield from (one for one in found if isinstance(one, dict))


def _alternatives(part: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in part:
        part = root["$defs"][str(part["$ref"]).rpartition("/")[2]]
    yield part
    for choice in (*part.get("anyOf", ()), *part.get("allOf", ())):
        yield from _alternatives(choice, root)


def _vague(detail: ErrorDetails) -> bool:
    return detail["type"] in _SHAPES or detail["type"] in _CHOICES or detail["type"] == "too_short"


def _wanted(detail: ErrorDetails) -> str:
    known = _SHAPES.get(detail["type"])
    return known or str(detail.get("ctx", {}).get("expected", "what fits here"))


def _advice(given: object, details: Sequence[ErrorDetails], wanted: Sequence[str]) -> str:
    names = [name for one in details if one["type"] in _CHOICES for name in _QUOTED.findall(_wanted(one))]
    if isinstance(given, str) and (close := nearest(given, names)):
        return f"Did you mean {close!r}?"
    if wanted == ["a list"] and isinstance(given, str | int | float):
        return f"Write it in brackets: [{given}]."
    if wanted == ["a mapping of keys"]:
        return "Write keys with their values under it."
    return "Write one of these." if len(names) > 1 or len(wanted) > 1 else f"Write {wanted[0]}."


def _shown(given: object) -> str:
    match given:
        case None:
            return "nothing"
        case dict():
            return "a mapping of keys"
        case list() | tuple():
            return "a list"
        case bool():
            return str(given).lower()
        case str() if len(given) > _SHOWN:
            return repr(given[:_SHOWN] + "…")
        case _:
            return repr(given)


def _real(part: str | int) -> bool:
    """Pydantic names the tried alternative of a union in the path; readers know only their own keys."""
    return isinstance(part, int) or not (
        part in {"str", "bool", "int", "float", "[key]"}
        or part[:1].isupper()
        or part.startswith(("literal[", "list[", "dict[", "function-", "constrained"))
    )
