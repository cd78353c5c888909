"""What differs between two sets of programmes, key by key."""

from __future__ import annotations

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
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _differences(key, (*path, str(index)), left, right)
    elif old != new:
        yield Change(key, ".".join(path), _shown(old), _shown(new))


def _shown(value: object) -> str | None:
    return None if value is MISSING else str(value)
