"""In-app and link: nothing leaves the house. What is handed over waits to be fetched, or is told by event."""

from __future__ import annotations

from typing_extensions import override

from services.dispatch.channels.port import Channel, Outgoing


class InHouse(Channel):
    """The hand-over is the record of it, which the postman commits; there is no provider that could fail."""

    repeatable = True

    @override
    async def send(self, message: Outgoing) -> None:
        """Nothing to do; see `Channel.send`."""

    @override
    async def close(self) -> None:
        """Nothing to give back."""
