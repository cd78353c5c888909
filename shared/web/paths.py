"""Parts of addresses, as routes take them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote_plus, urlencode

from fastapi import Path

from shared.wrong import NO_ZERO

PLAIN = NO_ZERO
"""Text without the one character that Postgres does not take."""

Key = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
"""A programme's key."""


def encoded(parameters: Mapping[str, object]) -> str:
    """Parameters as they stand behind a question mark; of a list each value under the same name."""
    return urlencode(parameters, doseq=True, quote_via=_quoted)


@lru_cache(maxsize=8192)
def _quoted(text: str, safe: str = "", encoding: str | None = None, errors: str | None = None) -> str:
    """The links of a page name the same few things, a hundred times."""
    return quote_plus(text, safe, encoding, errors)
