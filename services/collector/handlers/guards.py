"""How often links and addresses may come, in this process."""

from __future__ import annotations

from services.collector.domain.limits import Buckets, Rate
from shared.runtime.clock import Machine


class Guards:
    """Limits by link and by address."""

    def __init__(self, machine: Machine, link: Rate, address: Rate) -> None:
        self._machine = machine
        self._links = Buckets(link)
        self._addresses = Buckets(address)

    def wait(self, link: str, address: str) -> float:
        """Seconds to wait; 0 when the request may pass. An empty address is not counted."""
        now = self._machine.monotonic()
        of_address = self._addresses.wait(address, now) if address else 0.0
        return max(self._links.wait(link, now), of_address)
