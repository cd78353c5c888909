"""Frozen values with some fields changed, whatever they are made of."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, cast

from shared.values import Value, altered

T = TypeVar("T")


def replace(value: T, **changes: object) -> T:
    """A dataclass, or a value of `shared.values`, with other fields."""
    if isinstance(value, Value):
        return cast("T", altered(value, **changes))
    return cast("T", dataclasses.replace(cast("Any", value), **changes))
