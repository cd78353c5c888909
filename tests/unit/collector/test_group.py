from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.collector.handlers.group import GroupCommit
from shared.errors import Unavailable


class Disk:
    """Writes slowly: each flush waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()
        self.broken = False

    async def flush(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        await self.gate.wait()
        if self.broken:
            raise ConnectionError
        return [item * 10 for item in group]


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_during_a_flush_is_taken_along_by_the_next() -> None:
    disk = Disk()
    group = GroupCommit(disk.flush, most=3)
    async with asyncio.TaskGroup() as tasks:
        writes = [tasks.create_task(group.write(number)) for number in range(6)]
        await settle_down()
        assert group.depth == 5
        disk.gate.set()
    assert disk.groups == [[0], [1, 2, 3], [4, 5]]
    assert [write.result() for write in writes] == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize("lanes", [1, 2, 5])
async def test_everybody_gets_the_result_of_his_own_item(lanes: int) -> None:
    under_way = most = 0

    async def flush(group: Sequence[int]) -> list[int]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(sum(group) % 7):
            await asyncio.sleep(0)
        under_way -= 1
        return [item * 10 for item in group]

    group = GroupCommit(flush, most=4, lanes=lanes)

    async def caller(first: int) -> list[int]:
        return [await group.write(number) for number in range(first, first + 20)]

    async with asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(caller(first)) for first in range(0, 400, 20)]
    assert [number for one in callers for number in one.result()] == [number * 10 for number in range(400)]
    assert most == lanes
    assert group.depth == 0


async def test_a_failed_group_tells_everybody_in_it_and_the_next_goes_on() -> None:
    disk = Disk()
    disk.broken = True
    group = GroupCommit(disk.flush)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(_caught(group, 0))
        await settle_down()
        others = [tasks.create_task(_caught(group, number)) for number in (1, 2)]
        await settle_down()
        disk.gate.set()
    assert isinstance(first.result(), ConnectionError)
    assert {type(other.result()) for other in others} == {ConnectionError, Unavailable}
    disk.broken = False
    assert await group.write(7) == 70


async def _caught(group: GroupCommit[int, int], item: int) -> int | Exception:
    try:
        return await group.write(item)
    except (ConnectionError, Unavailable) as error:
        return error


@pytest.mark.parametrize("leaver", [0, 1], ids=["the one who flushes leaves", "one who waits leaves"])
async def test_nobody_is_stranded_when_a_caller_goes_away(leaver: int) -> None:
    disk = Disk()
    group = GroupCommit(disk.flush, most=1)
    async with asyncio.TaskGroup() as tasks:
        writes = [tasks.create_task(_caught(group, number)) for number in range(4)]
        await settle_down()
        writes[leaver].cancel()
        await settle_down()
        disk.gate.set()
    done = [write.result() for number, write in enumerate(writes) if number != leaver]
    assert done == [number * 10 for number in range(4) if number != leaver]
    assert group.depth == 0


async def test_the_lead_is_passed_on_by_one_who_gets_it_as_he_leaves() -> None:
    tasks_: list[asyncio.Task[int]] = []
    groups: list[list[int]] = []

    async def flush(group: Sequence[int]) -> list[int]:
        groups.append(list(group))
        await settle_down()
        if group == [0]:
            # Runs after the lead was handed to the second caller and before that one wakes up.
            asyncio.get_running_loop().call_soon(tasks_[1].cancel)
        return list(group)

    group = GroupCommit(flush, most=1)
    async with asyncio.TaskGroup() as tasks:
        tasks_.extend(tasks.create_task(group.write(number)) for number in range(3))
    assert tasks_[1].cancelled()
    assert groups == [[0], [2]]
    assert await group.write(3) == 3
