"""Streams on a real PostgreSQL and a real port: from where on, for whom, how many, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI

from shared.db.database import Connection, Database
from shared.db.notify import place_now, ring, since
from shared.runtime.feed import Change, Feed, News
from shared.runtime.host import _serve, _Server
from shared.security.access import Access, Role, Scope
from shared.security.people import SignedIn
from shared.web.app import web_app
from shared.web.routing import join
from shared.web.streams import Events, EventSourceResponse, Streams, watching
from tests.support.serving import served
from tests.support.streaming import PATIENCE, Told, streamed
from tests.support.visitors import BASE, PASSWORD, address_of, settle
from tests.support.waiting import until

PATH = "/v1/things/stream"
LONGER_THAN_THE_TEST = 600


@dataclass
class Things:
    """A service with a table whose changes are streamed."""

    db: Database
    access: Access
    streams: Streams
    key: str
    read: int = 0

    @property
    def keyed(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def news(self, conn: Connection, place: str) -> News:
        self.read += 1
        now = await place_now(conn)
        condition, given = (since("changed_in", "$1"), [place]) if place else ("true", [])
        rows = await conn.fetch(f"select name, n from things where {condition} order by name", *given)
        return News([Change(row["name"], "changed", f"{row['name']}={row['n']}") for row in rows], now)

    def app(self) -> FastAPI:
        app, router = web_app(self.access, BASE, self.streams), APIRouter()
        opened = Depends(watching(Feed("things", self.db, self.news), Scope.SCORES_READ))

        @router.get(PATH, response_class=EventSourceResponse)
        async def stream(events: Events = opened) -> Events:
            async for event in events:
                yield event

        join(app, router)
        return app

    async def put(self, name: str, n: int, conn: Connection | None = None) -> None:
        if conn is None:
            async with self.db.begin() as tx:
                await self.put(name, n, tx.conn)
            return
        await conn.execute(
            "insert into things values ($1, $2, pg_current_xact_id())"
            " on conflict (name) do update set n = excluded.n, changed_in = excluded.changed_in",
            name,
            n,
        )
        await ring(conn, "things")


@pytest.fixture
async def things(access_db: Database, access: Access) -> Things:
    async with access_db.read() as conn:
        await conn.execute("create table things (name text primary key, n int, changed_in xid8)")
    _, key = await access.create_key("reader", [Scope.SCORES_READ])
    return Things(access_db, access, Streams(most=30), key)


@pytest.fixture
async def url(things: Things) -> AsyncIterator[str]:
    async with served(things.app()) as address:
        yield address + PATH


def said(told: list[Told]) -> list[str]:
    return [one.data for one in told]


async def test_first_comes_how_it_is_and_then_what_others_commit(things: Things, url: str) -> None:
    await things.put("a", 1)
    await things.put("b", 1)
    async with streamed(url, headers=things.keyed) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert [(await stream.event()).data for _ in range(2)] == ["a=1", "b=1"]
        await things.put("b", 2)
        changed = await stream.event()
        assert (changed.kind, changed.data) == ("changed", "b=2")
        assert changed.id


async def test_a_stream_goes_on_where_it_was_cut(things: Things, url: str) -> None:
    await things.put("a", 1)
    async with streamed(url, headers=things.keyed) as stream:
        last = await stream.up_to_date()
    await things.put("b", 1)
    async with streamed(url, last=last, headers=things.keyed) as stream:
        assert (await stream.event()).data == "b=1"
        await things.put("c", 1)
        assert (await stream.event()).data == "c=1"


async def test_what_is_committed_late_is_told_although_a_later_one_was_told_before(
    things: Things, url: str
) -> None:
    async with streamed(url, headers=things.keyed) as stream:
        await stream.up_to_date()
        async with things.db.begin() as slow:
            await things.put("slow", 1, slow.conn)
            await things.put("fast", 1)
            assert (await stream.event()).data == "fast=1"
            last = stream.last
        assert (await stream.event()).data == "slow=1"
    async with streamed(url, last=last, params={"seconds": "0"}, headers=things.keyed) as again:
        assert said(await again.rest()) == ["slow=1"]


@pytest.mark.parametrize("last", ["no place", "99999999:99999999:", "5:3:", "1:2:" + "9" * 900, "'; --"])
async def test_who_comes_from_a_place_that_is_not_known_is_told_everything(
    things: Things, url: str, last: str
) -> None:
    await things.put("a", 1)
    async with streamed(url, last=last, params={"seconds": "0"}, headers=things.keyed) as stream:
        assert said(await stream.rest()) == ["a=1"]


async def test_rows_of_a_database_that_was_replaced_are_told_at_the_start_alone(
    things: Things, url: str
) -> None:
    async with things.db.read() as conn:
        await conn.execute("insert into things values ('old', 1, '99999999'::xid8)")
    async with streamed(url, headers=things.keyed) as stream:
        assert (await stream.event()).data == "old=1"
        await things.put("a", 1)
        await things.put("b", 1)
        assert {(await stream.event()).data for _ in range(2)} == {"a=1", "b=1"}


async def test_a_program_may_ask_for_what_is_new_without_staying(things: Things, url: str) -> None:
    await things.put("a", 1)
    asked: dict[str, Any] = {"params": {"seconds": "0"}, "headers": things.keyed}
    async with streamed(url, **asked) as stream:
        assert said(await stream.rest()) == ["a=1"]
        last = stream.last
    async with streamed(url, last=last, **asked) as stream:
        assert await stream.rest() == []
        assert stream.last
    await things.put("b", 1)
    async with streamed(url, params={"seconds": "0", "after": last}, headers=things.keyed) as stream:
        assert said(await stream.rest()) == ["b=1"]


async def test_a_stream_ends_in_time(things: Things, url: str) -> None:
    async with streamed(url, params={"seconds": "0.01"}, headers=things.keyed) as stream:
        assert await stream.rest() == []
        assert stream.last


async def test_a_change_is_read_once_for_all_and_silence_is_not_read(things: Things, url: str) -> None:
    async with AsyncExitStack() as all_of_them:
        opened = [
            await all_of_them.enter_async_context(streamed(url, headers=things.keyed)) for _ in range(10)
        ]
        for stream in opened:
            await stream.up_to_date()
        assert things.read == 11  # each its beginning, and the one who reads for all
        await things.put("a", 1)
        for stream in opened:
            assert (await stream.event()).data == "a=1"
        assert things.read == 12
    await until(lambda: _nobody_listens(things))
    await things.put("a", 2)
    assert things.read == 12


async def _nobody_listens(things: Things) -> bool:
    return things.db.pool.get_idle_size() == things.db.pool.get_size()


async def test_a_comment_keeps_a_silent_stream_alive(
    things: Things, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.01)
    async with streamed(url, headers=things.keyed) as stream:
        await stream.up_to_date()
        told = await stream.block()
        assert told is not None
        assert told.comment == "ping"


async def test_a_lost_line_to_the_database_loses_no_change(things: Things, url: str) -> None:
    async with streamed(url, headers=things.keyed) as stream:
        await stream.up_to_date()
        async with things.db.begin() as tx:
            await things.put("a", 1, tx.conn)
            killed = await tx.conn.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        assert killed
        assert (await stream.event()).data == "a=1"
        await things.put("b", 1)
        assert (await stream.event()).data == "b=1"


async def test_too_many_are_refused_with_what_to_do(things: Things) -> None:
    things.streams = Streams(most=1)
    async with served(things.app()) as address:
        async with streamed(address + PATH, headers=things.keyed) as first:
            await first.up_to_date()
            async with streamed(address + PATH, headers=things.keyed) as second:
                body = await second.response.aread()
            assert (second.response.status_code, second.response.headers["retry-after"]) == (503, "30")
            assert b"seconds=0" in body
            # Who only asks takes no place.
            async with streamed(address + PATH, params={"seconds": "0"}, headers=things.keyed) as asking:
                assert asking.response.status_code == 200
        await until(lambda: _opens(address, things))


async def _opens(address: str, things: Things) -> bool:
    async with streamed(address + PATH, headers=things.keyed) as stream:
        return stream.response.status_code == 200


async def test_a_stream_is_for_those_who_may_read(things: Things, url: str) -> None:
    _, other = await things.access.create_key("writer", [Scope.BRAKE_WRITE])
    async with httpx.AsyncClient(headers={"Accept": "text/event-stream"}) as client:
        nobody = await client.get(url)
        stranger = await client.get(url, headers={"Authorization": f"Bearer {other}"})
        seconds = await client.get(url, params={"seconds": "301"}, headers=things.keyed)
    assert [one.status_code for one in (nobody, stranger, seconds)] == [401, 403, 422]
    token = await _signed_in(things.access, Role.VIEWER)
    async with streamed(url, cookies={"afterword": token}) as stream:
        assert stream.response.status_code == 200


async def test_who_may_not_watch_any_longer_is_refused_when_the_stream_is_opened_anew(
    things: Things, url: str
) -> None:
    token = await _signed_in(things.access, Role.VIEWER)
    async with streamed(url, params={"seconds": "0.01"}, cookies={"afterword": token}) as stream:
        await stream.rest()
    await things.access.sign_out(token)
    async with streamed(url, last=stream.last, cookies={"afterword": token}) as stream:
        assert stream.response.status_code == 401


async def test_a_rolling_restart_does_not_wait_for_open_streams(things: Things) -> None:
    stop = asyncio.Event()
    config = uvicorn.Config(
        things.app(),
        port=0,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=LONGER_THAN_THE_TEST,
    )
    server = _Server(config)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(_serve(server, stop, 0, things.streams))
        await until(lambda: _started(server))
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with streamed(address + PATH, headers=things.keyed) as stream:
            await stream.up_to_date()
            stop.set()
            assert await stream.rest() == []  # to its very end: nothing was cut off
            await server.finished.wait()
    assert await _nobody_listens(things)


async def _signed_in(access: Access, role: Role) -> str:
    await settle(access, role)
    session = await access.sign_in(address_of(role), PASSWORD, None)
    assert isinstance(session, SignedIn)
    return session.token


async def _started(server: uvicorn.Server) -> bool:
    return server.started
