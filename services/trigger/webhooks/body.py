"""Reading a signed body: bounded in depth, every key once, and whatever is wrong is named with its path."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from shared.contracts.envelope import ZERO_BYTE, describe
from shared.contracts.touchpoints import Touchpoint
from shared.wrong import zero_byte_in

MAX_DEPTH = 20
MAX_TEXT = 320
MAX_ID = 200
_TOO_PRECISE = re.compile(r"(\.\d{6})\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadBodyError(ValueError):
    """A body cannot be used; the message names the field and the reason, never a value."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a JSON body that knows its path; a place that is not there holds None."""

    value: Any
    path: str = ""

    def wrong(self, why: str) -> BadBodyError:
        """The error that names this place."""
        return BadBodyError(f"{self.path or 'body'}: {why}")

    def at(self, *names: str) -> Node:
        """The place below, by the names of fields.

        Raises:
            BadBodyError: Something on the way is there and is no object.
        """
        here = self
        for name in names:
            if here.value is not None and not isinstance(here.value, dict):
                raise here.wrong("must be an object")
            path = f"{here.path}.{name}" if here.path else name
            here = Node(None if here.value is None else here.value.get(name), path)
        return here

    def items(self) -> list[Node]:
        """The places of a list; none when it is not there.

        Raises:
            BadBodyError: It is no list.
        """
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("must be a list")
        return [Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self, limit: int = MAX_TEXT) -> str:
        """A text, or a number as one; "" when it is not there.

        Raises:
            BadBodyError: It is something else, too long, or holds a NUL.
        """
        if self.value is None:
            return ""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise self.wrong("must be a text")
        found = str(self.value).strip()
        if len(found) > limit:
            raise self.wrong(f"longer than {limit} characters")
        if "\x00" in found:
            raise self.wrong("holds a NUL")
        return found

    def need(self, limit: int = MAX_ID) -> str:
        """A text that has to be there.

        Raises:
            BadBodyError: It is missing or is none.
        """
        found = self.text(limit)
        if not found:
            raise self.wrong("missing")
        return found

    def flag(self) -> bool:
        """Yes or no; no when it is not there.

        Raises:
            BadBodyError: It is something else.
        """
        if self.value is not None and not isinstance(self.value, bool):
            raise self.wrong("must be true or false")
        return self.value is True

    def instant(self) -> datetime:
        """An instant in ISO 8601, however precise; without a zone it is UTC.

        Raises:
            BadBodyError: It is missing or is none.
        """
        try:
            at = datetime.fromisoformat(_TOO_PRECISE.sub(r"\1", self.need()))
        except ValueError as error:
            if isinstance(error, BadBodyError):
                raise
            raise self.wrong("not an ISO 8601 time") from error
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def seconds(self, unit: float = 1.0) -> datetime:
        """An instant as a number of seconds since 1970, or of milliseconds with a `unit` of 0.001.

        Raises:
            BadBodyError: It is missing or is none.
        """
        wrong = f"not a time in {'seconds' if unit >= 1 else 'milliseconds'} since 1970"
        found = int(self.value) if isinstance(self.value, str) and self.value.isdigit() else self.value
        if found is None:
            raise self.wrong("missing")
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise self.wrong(wrong)
        try:
            return _EPOCH + timedelta(seconds=found * unit)
        except OverflowError as error:
            raise self.wrong(wrong) from error

    def day(self) -> date:
        """A calendar day, from a date, an instant or milliseconds since 1970.

        Raises:
            BadBodyError: It is missing or is none.
        """
        text = self.need()
        if text.isdigit():
            return self.seconds(0.001).date()
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise self.wrong("not a date") from error


def read_body(body: bytes) -> Node:
    """The whole of a JSON body.

    Raises:
        BadBodyError: It is no JSON, nests too deep, or holds a key twice.
    """
    try:
        found = json.loads(body, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadBodyError):
            raise
        raise BadBodyError("body: not readable as JSON in UTF-8") from error
    if _deeper_than(found, MAX_DEPTH):
        raise BadBodyError(f"body: nested deeper than {MAX_DEPTH} levels")
    return Node(found)


def read_object(body: bytes) -> Node:
    """The whole of a body that is a JSON object.

    Raises:
        BadBodyError: It is not one.
    """
    found = read_body(body)
    if not isinstance(found.value, dict):
        raise BadBodyError("body: must be a JSON object")
    return found


def touchpoint_of(node: Node, fields: dict[str, Any]) -> Touchpoint:
    """The touchpoint that a place tells of.

    Raises:
        BadBodyError: Some field of it breaks the contract.
    """
    try:
        made = Touchpoint.model_validate(fields)
    except ValidationError as error:
        raise node.wrong(describe(error)) from error
    if path := zero_byte_of(made):
        raise node.wrong(f"{path}: holds a zero byte")
    return made


def zero_byte_of(touchpoint: Touchpoint) -> str | None:
    """The path of a text that no table could hold; None where all can be held."""
    told = touchpoint.model_dump_json()
    return zero_byte_in(json.loads(told)) if ZERO_BYTE.decode() in told else None


def _deeper_than(value: object, limit: int) -> bool:
    """Whether lists and objects nest deeper; without recursion, which a sender could exhaust."""
    level: list[object] = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadBodyError("body: an object holds a key twice")
    return found


def _refuse_constant(name: str) -> None:
    raise BadBodyError(f"body: {name} is no JSON number")
