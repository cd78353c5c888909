"""What is wrong with a value, in plain words: what the models find, said as our own checks say it.

It is for what comes by wire, so it never quotes a value. Files of programmes and rules are quoted, with
advice: `shared.config.wording`.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORDS: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "there is no such field; check its spelling",
    "string_type": "must be a text",
    "string_unicode": "must be a text in UTF-8",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "finite_number": "not a number",
    "timezone_aware": "has no zone; write it as 2026-03-01T12:00:00Z",
}
_BEGINNINGS: Mapping[tuple[str, ...], str] = {
    ("int_", "float_", "decimal_"): "not a number",
    ("datetime_",): "not an instant, as 2026-03-01T12:00:00Z",
    ("date_",): "not a day, as 2026-03-01",
    ("uuid_",): "not an id (a UUID)",
    ("dict_", "model_", "mapping_"): "must be an object",
    ("list_", "tuple_", "set_", "iterable_"): "must be a list",
}
_LIMITS: Mapping[str, str] = {
    "string_too_long": "longer than {max_length} characters",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "too_long": "more than {max_length} of them",
    "too_short": "fewer than {min_length} of them",
}
NO_ZERO = r"^[^\x00]*$"
"""The pattern of a text that Postgres takes."""


def reason_of(error: Mapping[str, Any]) -> str:
    """One finding of pydantic, as `ValidationError.errors()` lists them; it never quotes the value."""
    kind, told = str(error["type"]), error.get("ctx") or {}
    if kind in {"enum", "literal_error"}:
        return f"must be {str(told['expected']).replace(chr(39), '')}"
    if kind == "string_too_short":
        few = told["min_length"]
        return "must not be empty" if few == 1 else f"shorter than {few} characters"
    if kind == "string_pattern_mismatch" and told.get("pattern") == NO_ZERO:
        return "holds a zero byte"
    if kind in _LIMITS:
        return _LIMITS[kind].format_map({name: _plain(limit) for name, limit in told.items()})
    beginning = next((words for begins, words in _BEGINNINGS.items() if kind.startswith(begins)), "")
    return _WORDS.get(kind) or beginning or str(error["msg"]).removeprefix("Value error, ")


def nearest(name: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """The known name that is most like one; "" where none is.

    Args:
        name: as somebody wrote it.
        known: names to choose from.
        alike: how much of both must be the same, from 0 to 1.
    """
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=alike)), "")


def zero_byte_in(value: object, path: str = "") -> str | None:
    """The path of the first text in a JSON value with a zero byte; "" of the value itself, None without."""
    if isinstance(value, str):
        return path if "\0" in value else None
    if isinstance(value, dict):
        if any("\0" in str(name) for name in value):
            return path
        parts = [(f"{path}.{name}" if path else str(name), inside) for name, inside in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}.{place}" if path else str(place), inside) for place, inside in enumerate(value)]
    else:
        return None
    return next((found for name, inside in parts if (found := zero_byte_in(inside, name)) is not None), None)


def _plain(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit
