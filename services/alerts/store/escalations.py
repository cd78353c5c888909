"""How far the steps of a case's escalation policy have come, as JSON with the case."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.alerts.domain.escalation import Escalation

_ESCALATION = TypeAdapter(Escalation)


def dump(escalation: Escalation | None) -> str | None:
    """As it is stored."""
    return None if escalation is None else _ESCALATION.dump_json(escalation).decode()


def load(text: str | None) -> Escalation | None:
    """As it was stored."""
    return None if text is None else _ESCALATION.validate_json(text)
