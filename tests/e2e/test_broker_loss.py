"""The broker loses all its data in mid-flow: nothing of ours is lost, and nothing has its effect twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import START
from tests.support.databases import TestDatabase
from tests.support.house import opened
from tests.support.logs import TansuLog
from tests.support.story import Ending, live, same
from tests.support.troubles import Loss

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


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
