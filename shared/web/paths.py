"""Parts of addresses, as routes take them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from shared.wrong import NO_ZERO

PLAIN = NO_ZERO
"""Text without the one character that Postgres does not take."""

Key = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
"""A programme's key."""
