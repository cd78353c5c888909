"""Notices to a room of a chat, by the address that it gave for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.alerts.channels.http import JSON, Poster, odd
from services.alerts.channels.port import Delivery
from services.alerts.domain.alarm import Text
from shared.partners.wire import as_json


@dataclass(slots=True)
class Room:
    """Posts each notice as JSON.

    Attributes:
        concurrency: how many notices it is given at once.
        poster: posts to the room's address, which is a secret.
        body: what the chat takes for the words of a notice.
    """

    name: str
    concurrency: int
    poster: Poster
    body: Callable[[Text], dict[str, Any]]

    async def send(self, delivery: Delivery) -> None:
        """Post one notice; see `Channel.send`."""
        answer = await self.poster.post(as_json(self.body(delivery.text)), JSON)
        if answer.is_page:
            raise odd()
