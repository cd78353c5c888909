"""Where a list goes on: what its order is by, as an opaque text for the address of the next page."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from shared.web.problems import Problem


def cursor_of(value: float, row: UUID) -> str:
    """The text for a row by which the next page begins; `value` is what the list is ordered by first."""
    return base64.urlsafe_b64encode(json.dumps([value, str(row)]).encode()).decode().rstrip("=")


def after_of(cursor: str) -> tuple[float, UUID] | None:
    """Read such a text; None for the first page, which has none.

    Raises:
        Problem: 422, it is none of ours.
    """
    if not cursor:
        return None
    try:
        value, row = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return float(value), UUID(row)
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise _not_ours() from error


_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def moment_cursor(at: datetime, row: UUID) -> str:
    """The text for a row of a list that is ordered by an instant and an id."""
    return cursor_of((at - _FIRST) // _TICK, row)


def after_moment(cursor: str) -> tuple[datetime, UUID] | None:
    """Read such a text; None for the first page, which has none.

    Raises:
        Problem: 422, it is none of ours.
    """
    after = after_of(cursor)
    try:
        return (_FIRST + int(after[0]) * _TICK, after[1]) if after else None
    except (OverflowError, ValueError) as error:
        raise _not_ours() from error


def text_cursor(*parts: str) -> str:
    """The text for a row of a list whose order is by these texts."""
    texts = json.dumps(parts, ensure_ascii=False)
    return base64.urlsafe_b64encode(texts.encode()).decode().rstrip("=")


def after_texts(cursor: str, parts: int) -> tuple[str, ...] | None:
    """Read such a text for a row of a list whose order is by so many texts; None for the first page.

    Raises:
        Problem: 422, it is none of ours.
    """
    if not cursor:
        return None
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise _not_ours() from error
    if not isinstance(texts, list) or len(texts) != parts or not all(isinstance(one, str) for one in texts):
        raise _not_ours()
    return tuple(texts)


def after_instant(cursor: str) -> tuple[datetime, str, str, str] | None:
    """Read such a text for a row of a list that is ordered by an instant and three texts.

    Raises:
        Problem: 422, it is none of ours.
    """
    if not cursor:
        return None
    try:
        at, *texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        first, second, third = map(str, texts)
        return datetime.fromisoformat(at).astimezone(UTC), first, second, third
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise _not_ours() from error


def after_day(cursor: str) -> tuple[date, UUID] | None:
    """Read the text for a row of a list that is ordered by days, which begin such a text as ordinals.

    Raises:
        Problem: 422, it is none of ours.
    """
    after = after_of(cursor)
    try:
        return (date.fromordinal(int(after[0])), after[1]) if after else None
    except (ValueError, OverflowError) as error:
        raise _not_ours() from error


def _not_ours() -> Problem:
    return Problem(422, "cursor: take it from `next` of the page before.", field="cursor")
