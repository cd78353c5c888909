"""Notices to a program of the company's own, signed as Standard Webhooks 1.0 says."""

from __future__ import annotations

from typing import Any

from services.alerts.channels.http import Poster, odd
from services.alerts.channels.port import Delivery
from shared.partners.wire import as_json
from shared.runtime.clock import Machine
from shared.security.signatures import WebhookSecret, sign_standard


class WebhookChannel:
    """Posts each notice as JSON; any 2xx that is no web page means that it was taken.

    Args:
        secret: `whsec_` and base64, as the receiver has it.
        machine: Its wall clock dates the signature.

    Raises:
        ValueError: the secret is none.
    """

    name = "webhook"
    concurrency = 4

    def __init__(self, poster: Poster, secret: str, machine: Machine) -> None:
        self._poster = poster
        self._secret = WebhookSecret.standard(secret)
        self._machine = machine

    async def send(self, delivery: Delivery) -> None:
        """Post one notice; `webhook-id` is the same each time it is repeated. See `Channel.send`."""
        content = as_json(body(delivery))
        headers = sign_standard(str(delivery.id), self._machine.wall(), content, self._secret)
        answer = await self._poster.post(content, headers)
        if answer.is_page:
            raise odd()


def body(delivery: Delivery) -> dict[str, Any]:
    """The notice for programs: ids and codes beside the words for people."""
    text = delivery.text
    return {
        "type": f"ticket.notice.{delivery.occasion.value}",
        "timestamp": delivery.at.isoformat(),
        "data": {
            "ticket_id": str(delivery.ticket_id),
            "occasion": delivery.occasion.value,
            "priority": delivery.urgent,
            "subject": text.subject,
            "headline": text.headline,
            "quote": text.quote,
            "facts": [{"label": label, "value": value} for label, value in text.facts],
            "action": text.action,
            "link": text.link,
        },
    }
