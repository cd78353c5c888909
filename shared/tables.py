"""Rows and columns of what is given away as a file, and what a spreadsheet may not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

Cell: TypeAlias = "str | int | float | bool | date | datetime | None"


class Kind(StrEnum):
    """Type of a column; a number is an answer on a scale, a count has no upper end."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    REAL = "real"
    TRUTH = "truth"
    DAY = "day"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the meaning is for documents and for the database's own comments."""

    name: str
    kind: Kind
    meaning: str = ""


def cells(item: Mapping[str, Any], shape: Sequence[Column]) -> list[Cell]:
    """The cells of an item that has one value under the name of each column."""
    return [item[column.name] for column in shape]


_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before what could begin one."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
