"""Reads side by side: each on a connection of its own, and none outlives the failure of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.db.database import Connection
from tests.integration.runtime.conftest import Probe

Read = Callable[[Connection], Awaitable[int]]


def waiting_for(other: asyncio.Event, own: asyncio.Event) -> Read:
    """A read that tells that it has begun, and ends only when another one has."""

    async def read(conn: Connection) -> int:
        own.set()
        await other.wait()
        return int(await conn.fetchval("select pg_backend_pid()"))

    return read


async def test_reads_go_on_side_by_side_each_on_a_connection_of_its_own(probe: Probe) -> None:
    one, other = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(30):
        found = await probe.db.at_once(waiting_for(other, one), waiting_for(one, other))
    assert len(set(found)) == 2


async def test_more_readers_than_connections_wait_for_each_other_without_end_for_none(probe: Probe) -> None:
    async def number(conn: Connection) -> int:
        return int(await conn.fetchval("select 1"))

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for _ in range(3 * probe.db.pool.get_max_size()):
            group.create_task(probe.db.at_once(number, number, number))


async def test_the_error_of_one_read_is_told_as_it_is_and_ends_the_others(probe: Probe) -> None:
    began, never = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def patient(_conn: Connection) -> int:
        began.set()
        try:
            await never.wait()
        finally:
            ended.append("patient")
        return 0

    async def broken(_conn: Connection) -> int:
        await began.wait()
        raise LookupError("there is no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await probe.db.at_once(patient, broken)
    assert ended == ["patient"]
    assert probe.db.pool.get_idle_size() == probe.db.pool.get_size(), "every connection was given back"
