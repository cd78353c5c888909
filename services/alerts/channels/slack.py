"""Notices to a room of Slack, or of any chat that takes Slack's incoming webhooks."""

from __future__ import annotations

import re
from typing import Any

from services.alerts.channels.http import Poster
from services.alerts.channels.room import Room
from services.alerts.domain.alarm import Text

HEADER_CHARS = 150
SECTION_CHARS = 3000
FIELD_CHARS = 2000
FIELDS = 10
BUTTON_CHARS = 75
URL_CHARS = 3000
_MARKS = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})  # noqa: RUF001 - look alike, mean nothing there


def room(poster: Poster, name: str = "slack") -> Room:
    """A room that takes text and blocks, one after the other."""
    return Room(name, 1, poster, body)


def body(text: Text) -> dict[str, Any]:
    """The message: `text` for notifications and old clients, blocks for the rest, within Slack's limits."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(text.subject, HEADER_CHARS)},
        {
            "type": "section",
            "text": _marked(f"*{escape(text.headline)}*{_quoted(text.quote)}", SECTION_CHARS),
        },
    ]
    fields = [_marked(f"*{label}*\n{escape(value)}", FIELD_CHARS) for label, value in text.facts[:FIELDS]]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    if len(text.link) <= URL_CHARS:
        button = {
            "type": "button",
            "text": _plain(text.button, BUTTON_CHARS),
            "url": text.link,
            "style": "primary",
        }
        blocks.append({"type": "actions", "elements": [button]})
    blocks.append({"type": "context", "elements": [_marked(escape(text.action), FIELD_CHARS)]})
    return {"text": _cut(f"{escape(text.subject)}\n{escape(text.link)}", SECTION_CHARS), "blocks": blocks}


def escape(text: str) -> str:
    """Text that cannot mention anybody, link anywhere or be set in type: customers write it."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.translate(_MARKS)


def _quoted(quote: str) -> str:
    return "".join(f"\n> {escape(line)}" for line in quote.splitlines())


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _cut(" ".join(text.split()) or "…", limit), "emoji": False}


def _marked(text: str, limit: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": _cut(text, limit), "verbatim": True}


def _cut(text: str, limit: int) -> str:
    """Shorten without leaving half an escape behind."""
    return text if len(text) <= limit else re.sub(r"&\w{0,4}$", "", text[: limit - 1]) + "…"
