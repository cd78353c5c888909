"""What differs between two sets of programmes, key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MISSING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a programme as a whole (no path), or a place in it; None = not there."""

    programme: str
    path: str
    before: str | None
    after: str | None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Differences between definitions by key, in order of programme and place."""
    for key in sorted(before.keys() | after.keys()):
        if key not in before or key not in after:
            yield Change(key, "", "there" if key in before else None, "there" if key in after else None)
        else:
            yield from _differences(key, (), before[key], after[key])


def _differences(key: str, path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain data
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _differences(key, (*path, str(name)), old.get(name, MISSING), new.get(name, MISSING))
    elif (was := _by_name(old)) and (now := _by_name(new)):
        yield from _differences(key, path, was, now)
        if list(was) != list(now) and was.keys() == now.keys():
            yield Change(key, ".".join((*path, "order")), ", ".join(was), ", ".join(now))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _differences(key, (*path, str(index)), left, right)
    elif old != new:
        yield Change(key, ".".join(path), _shown(old), _shown(new))


def _by_name(found: object) -> dict[str, Any]:
    """Parts of a list that have names, as questions do; empty where they have none."""
    parts = found if isinstance(found, list) else []
    named = {str(part["id"]): part for part in parts if isinstance(part, dict) and "id" in part}
    return named if len(named) == len(parts) else {}


def _shown(value: object) -> str | None:
    """A value as one writes it: a text as it is, the rest as JSON."""
    if value is MISSING:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
