"""Notices to a service of PagerDuty: one incident for each case, by Events API v2."""

from __future__ import annotations

from typing import Any

from services.alerts.channels.http import JSON, Poster, odd
from services.alerts.channels.port import Delivery
from services.alerts.domain.model import Occasion
from shared.partners.wire import as_json

SUMMARY_CHARS = 1024
ENQUEUE = "/v2/enqueue"
_ACTIONS = {Occasion.TAKEN: "acknowledge", Occasion.ENDED: "resolve"}
_GRAVE = frozenset({Occasion.LATE, Occasion.LEADERSHIP, Occasion.UNREACHABLE})
_SEVERITIES = {"urgent": "critical", "high": "error", "normal": "warning"}


class PagerDutyChannel:
    """Triggers, acknowledges and resolves; PagerDuty decides whom it wakes.

    Args:
        routing_key: The integration key of the service; a secret.
        name: Another one for a service that is of one team.
    """

    concurrency = 2

    def __init__(self, poster: Poster, routing_key: str, name: str = "pagerduty") -> None:
        self.name = name
        self._poster = poster
        self._key = routing_key

    async def send(self, delivery: Delivery) -> None:
        """Post one event; see `Channel.send`."""
        answer = await self._poster.post(as_json(body(delivery, self._key)), JSON)
        if answer.object().get("status") != "success":
            raise odd()


def body(delivery: Delivery, routing_key: str) -> dict[str, Any]:
    """The event: later notices of a case update its incident, they open no second one."""
    action = _ACTIONS.get(delivery.occasion, "trigger")
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(delivery),
    }
    if action != "trigger":
        return event
    text = delivery.text
    severity = "critical" if delivery.occasion in _GRAVE else _SEVERITIES.get(delivery.urgent, "warning")
    return event | {
        "client": "Afterword",
        "client_url": text.link,
        "links": [{"href": text.link, "text": text.button}],
        "payload": {
            "summary": " ".join(text.subject.split())[:SUMMARY_CHARS] or "An unhappy customer",
            "source": "afterword",
            "severity": severity,
            "timestamp": delivery.at.isoformat(),
            "component": "tickets",
            "class": delivery.occasion.value,
            "custom_details": {
                "headline": text.headline,
                "said": text.quote,
                "what_to_do": text.action,
                **{label.lower(): value for label, value in text.facts},
            },
        },
    }


def dedup_key(delivery: Delivery) -> str:
    """The same for all that is told about a case."""
    return f"afterword-ticket-{delivery.ticket_id}"
