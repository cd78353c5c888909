"""The story on a real Apache Kafka: it ends as in memory, whatever happens to the broker or to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import START
from tests.support.databases import TestDatabase
from tests.support.house import House, opened
from tests.support.lanes import a_log
from tests.support.logs import Log
from tests.support.story import Ending, live, same
from tests.support.troubles import Loss

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(400)]


class Outage:
    """Kills the broker in given rounds; it starts again on its data while the house goes on without it."""

    def __init__(self, tasks: asyncio.TaskGroup, *rounds: int) -> None:
        self._tasks = tasks
        self._left = sorted(rounds)
        self.times = 0

    async def __call__(self, house: House) -> None:
        if self._left and house.rounds >= self._left[0]:
            self._left.pop(0)
            self.times += 1
            await house.log.down()
            self._tasks.create_task(house.log.up())


@pytest.fixture
async def kafka() -> AsyncIterator[Log]:
    async with a_log("kafka") as log:
        assert log is not None
        yield log


async def test_the_story_ends_on_kafka_as_in_memory(
    undisturbed: Ending, fresh_database: TestDatabase, kafka: Log
) -> None:
    async with opened(fresh_database, START, kafka) as house:
        ending = await live(house)
    same(ending, undisturbed)
    assert ending.events == undisturbed.events


async def test_the_broker_is_killed_and_comes_back(
    undisturbed: Ending, fresh_database: TestDatabase, kafka: Log
) -> None:
    async with opened(fresh_database, START, kafka) as house, asyncio.TaskGroup() as tasks:
        outage = Outage(tasks, undisturbed.rounds // 10, undisturbed.rounds // 2)
        ending = await live(house, fault=outage)
    assert outage.times == 2
    same(ending, undisturbed)


async def test_the_broker_loses_its_disk(
    undisturbed: Ending, fresh_database: TestDatabase, kafka: Log
) -> None:
    loss = Loss(undisturbed.rounds // 4)
    async with opened(fresh_database, START, kafka) as house:
        ending = await live(house, fault=loss)
    assert len(loss.in_flight) == 1
    same(ending, undisturbed)


async def test_we_die_with_records_handled_or_sent_and_start_again(
    undisturbed: Ending, fresh_database: TestDatabase, kafka: Log
) -> None:
    deaths = "relay.after_produce_before_mark:3:die,consumer.after_effect_before_offset:20:die"
    async with opened(fresh_database, START, kafka) as house:
        ending = await live(house, failpoint=deaths)
        assert house.crashes == 2
    assert not ending.uncertain
    same(ending, undisturbed)
