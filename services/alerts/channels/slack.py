"""Notices to a room of Slack, or of any chat that takes Slack's incoming webhooks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.alerts.channels.port import Delivery
from services.alerts.domain.alarm import Text
from shared.errors import SendError

SECONDS = 10.0
HEADER_CHARS = 150
SECTION_CHARS = 3000
FIELD_CHARS = 2000
FIELDS = 10
BUTTON_CHARS = 75
URL_CHARS = 3000
_TOO_MANY = 429
_SERVER = 500
_MARKS = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})  # noqa: RUF001 - look alike, mean nothing there


class SlackChannel:
    """Posts each notice as text and blocks; the room's address is a secret and is never logged.

    Raises:
        ValueError: the address is not https (http is taken for this machine alone).
    """

    name = "slack"
    concurrency = 1  # Slack takes one message a second from a webhook

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = checked(url)
        self._client = client

    async def send(self, delivery: Delivery) -> None:
        """Post one notice.

        Raises:
            SendError: refused (4xx: for good, but 429: later), failed (5xx), or no answer in time.
        """
        try:
            answer = await self._client.post(
                self._url, json=body(delivery.text), timeout=SECONDS, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise SendError(f"webhook: {type(error).__name__}", permanent=False, uncertain=True) from error
        if answer.is_success:
            return
        later = answer.status_code == _TOO_MANY or answer.status_code >= _SERVER
        raise SendError(
            f"webhook: HTTP {answer.status_code}",
            permanent=not later,
            retry_after=_retry_after(answer) if later else None,
        )


def checked(url: str) -> str:
    """The address of a webhook, if it may be posted to."""
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.username or parts.scheme not in {"https", "http"}:
        raise ValueError("the webhook must be an https address without a user name")
    if parts.scheme == "http" and not local:
        raise ValueError("the webhook must be https; http is taken for this machine alone")
    return url


def body(text: Text) -> dict[str, Any]:
    """The message: `text` for notifications and old clients, blocks for the rest, within Slack's limits."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(text.subject, HEADER_CHARS)},
        {
            "type": "section",
            "text": _marked(f"*{escape(text.headline)}*{_quoted(text.quote)}", SECTION_CHARS),
        },
        {
            "type": "section",
            "fields": [
                _marked(f"*{label}*\n{escape(value)}", FIELD_CHARS) for label, value in text.facts[:FIELDS]
            ],
        },
    ]
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


def _retry_after(answer: httpx.Response) -> timedelta | None:
    given = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(given)) if given.isdigit() and len(given) <= 6 else None  # noqa: PLR2004


def client() -> httpx.AsyncClient:
    """The connection that webhooks are posted through; it trusts no proxy settings and follows nowhere."""
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS)
