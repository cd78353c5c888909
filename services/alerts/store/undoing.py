"""The last action of a ticket as JSON, so that it can be taken back after a restart too."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.alerts.domain.model import Undo

_UNDO = TypeAdapter(Undo)


def dump(undo: Undo | None) -> str | None:
    """As it is stored."""
    return None if undo is None else _UNDO.dump_json(undo).decode()


def load(text: str | None) -> Undo | None:
    """As it was stored."""
    return None if text is None else _UNDO.validate_json(text)
