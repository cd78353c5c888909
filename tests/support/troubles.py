"""What goes wrong around the house in mid-flow: a broker that forgets, records that nobody can handle."""

from __future__ import annotations

from shared.bus.model import Headers, Outgoing
from shared.contracts.topics import Topic
from shared.runtime.failpoints import Died
from tests.support.house import House

LOOK_BACK_SECONDS = 3.0
"""Machine time after which everybody has looked whether the log is still the one they know."""


class Loss:
    """Loses everything from the given rounds on, as soon as events of ours are on their way through the log.

    What a backend wrote and trigger has not yet taken is the one thing that an in-memory broker can lose
    (README); here its events have been taken.
    """

    def __init__(self, *rounds: int, process_too: bool = False) -> None:
        self._left = sorted(rounds)
        self._process_too = process_too
        self.in_flight: list[int] = []

    async def __call__(self, house: House) -> None:
        if not self._left or house.rounds < self._left[0]:
            return
        if sum((await house.bus.lag("afterword.trigger", [Topic.TOUCHPOINTS.value])).values()):
            return
        if not (in_flight := await unread(house)):
            return
        self._left.pop(0)
        self.in_flight.append(in_flight)
        await house.log.lose()
        if self._process_too:
            raise Died
        await house.machine.advance(LOOK_BACK_SECONDS, house.admin)


async def unread(house: House) -> int:
    """How many events lie in the log that somebody has not read."""
    members = [member for one in house.running.values() for member in one.members]
    return sum([sum((await house.bus.lag(m.group, m.topics)).values()) for m in members])


BAD: tuple[tuple[bytes, Headers], ...] = tuple(
    (value, (("ce_id", number), ("ce_source", b"/crm"), ("ce_type", b"order.delivered")))
    for number, value in (
        (b"bad-1", b"{"),
        (b"bad-2", b'{"occurred_at": "2026-03-03T09:00:00Z", "contact": {"id": "zoe", "ref": "nonsense"}}'),
    )
)
"""Touchpoints of a faulty backend: one cannot be read, one names a contact that cannot be."""


class Trouble:
    """A faulty backend writes bad records, and later the broker loses everything.

    Args:
        rounds: how many a story without trouble takes.
    """

    def __init__(self, rounds: int) -> None:
        self._from = rounds // 8
        self._told = False
        self._loss = Loss(rounds // 3)

    async def __call__(self, house: House) -> None:
        if not self._told and house.rounds >= self._from:
            self._told = True
            topic = Topic.TOUCHPOINTS.value
            await house.bus.produce([Outgoing(topic, b"k", value, headers) for value, headers in BAD])
        await self._loss(house)
