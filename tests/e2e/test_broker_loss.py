"""The broker loses all its data in mid-flow: nothing of ours is lost, and nothing has its effect twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.topics import Topic
from shared.runtime.failpoints import Died
from tests.e2e.conftest import START
from tests.support.databases import TestDatabase
from tests.support.house import House, opened
from tests.support.logs import TansuLog
from tests.support.story import Ending, live, same

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

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


@pytest.mark.parametrize("process_too", [False, True], ids=["the broker", "broker and services"])
@pytest.mark.parametrize("moment", [0.05, 0.3, 0.6])
async def test_a_broker_that_loses_everything_loses_nothing_of_ours(
    undisturbed: Ending, fresh_database: TestDatabase, moment: float, process_too: bool
) -> None:
    loss = Loss(int(moment * undisturbed.rounds), process_too=process_too)
    async with opened(fresh_database, START) as house:
        ending = await live(house, fault=loss)
    assert len(loss.in_flight) == 1
    same(ending, undisturbed)


async def test_it_may_lose_everything_again_and_again(
    undisturbed: Ending, fresh_database: TestDatabase
) -> None:
    loss = Loss(*range(5, undisturbed.rounds, max(1, undisturbed.rounds // 12)))
    async with opened(fresh_database, START) as house:
        ending = await live(house, fault=loss)
    assert len(loss.in_flight) >= 10
    same(ending, undisturbed)


@pytest.mark.timeout(300)
async def test_the_real_embedded_broker_is_killed_twice(
    undisturbed: Ending, fresh_database: TestDatabase, tmp_path: Path
) -> None:
    log = await TansuLog.begin(tmp_path)
    loss = Loss(undisturbed.rounds // 4, undisturbed.rounds // 2)
    try:
        async with opened(fresh_database, START, log) as house:
            ending = await live(house, fault=loss)
    finally:
        await log.down()
    assert len(loss.in_flight) == 2
    same(ending, undisturbed)
