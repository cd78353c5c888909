"""A notice as channels are given it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.alerts.channels.port import Delivery
from services.alerts.domain.alarm import Text
from shared.errors import SendError
from shared.runtime.ids import derive

SITE = "https://afterword.test"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = Text(
    subject="Ana Diaz (Acme) gave 2 of 10 (23 h left)",
    headline="Ana Diaz is unhappy. Contact them within 24 h.",
    quote="Nobody called back.\nTwice!",
    facts=(("Who", "Ana Diaz, operations"), ("Phone", "+46 70 123 45 67"), ("E-mail", "ana@acme.test")),
    action="Call +46 70 123 45 67, then log the contact in the case.",
    link="https://afterword.test/tickets/1",
    button="Open the case",
)
DELIVERY = Delivery(
    derive("notice"),
    TEXT,
    "rita@afterword.test",
    "Rita Ek",
    ticket_id=derive("ticket"),
    urgent="urgent",
    at=datetime(2026, 3, 3, 9, 0, tzinfo=UTC),
)


@dataclass
class Postbox:
    """A channel that takes what it is given, or fails as told."""

    name: str = "email"
    concurrency: int = 4
    fails: SendError | None = None
    taken: list[Delivery] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> None:
        """Take it, or fail."""
        if self.fails is not None:
            raise self.fails
        self.taken.append(delivery)
