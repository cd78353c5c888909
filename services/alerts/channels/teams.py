"""Notices to a channel of Microsoft Teams, as an Adaptive Card posted to the webhook of a Workflow."""

from __future__ import annotations

from typing import Any

from services.alerts.channels.http import Poster
from services.alerts.channels.room import Room
from services.alerts.domain.alarm import Text
from shared.partners.wire import as_json

MOST_BYTES = 24_000
"""Teams takes about 28 KB; the rest is what a Workflow wraps around the card."""
VERSION = "1.4"
"""The newest version of Adaptive Cards that Teams shows on all its clients."""
TEXT_CHARS = 2000
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\*_[]`~#>"})


def room(poster: Poster, name: str = "teams") -> Room:
    """A room that takes cards."""
    return Room(name, 2, poster, body)


def body(text: Text) -> dict[str, Any]:
    """The message; where long words make the card too big they are cut, never the link."""
    for limit in (TEXT_CHARS, 500, 100):
        message = _message(card(text, limit))
        if len(as_json(message)) <= MOST_BYTES:
            return message
    return _message(card(Text(text.subject, text.headline, "", (), text.action, text.link, text.button), 100))


def card(text: Text, limit: int = TEXT_CHARS) -> dict[str, Any]:
    """The card: what happened, what they said, the facts, and one button."""
    blocks: list[dict[str, Any]] = [
        _block(text.subject, limit, size="Large", weight="Bolder"),
        _block(text.headline, limit),
    ]
    if text.quote:
        said = {"type": "Container", "style": "emphasis", "items": [_block(text.quote, limit)]}
        blocks.append(said)
    facts = [{"title": label, "value": escape(value)[:limit]} for label, value in text.facts]
    if facts:
        blocks.append({"type": "FactSet", "facts": facts})
    blocks.append(_block(text.action, limit, isSubtle=True))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": f"{text.subject}: {text.link}",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": text.button, "url": text.link}],
    }


def escape(text: str) -> str:
    """Text that is shown as it is: customers write it, and Teams reads Markdown in it."""
    return "\n\n".join(line.translate(_MARKS) for line in text.splitlines()) or "…"


def _block(text: str, limit: int, **look: object) -> dict[str, Any]:
    return {"type": "TextBlock", "text": escape(text[:limit]), "wrap": True, **look}


def _message(content: dict[str, Any]) -> dict[str, Any]:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}
