"""The proxy breaks links as it is told, and only those."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.proxy import Link, Trouble, TroubleKind

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.read(65_536):
            writer.write(line)
            await writer.drain()
    except OSError:
        pass  # the proxy cut us off
    finally:
        writer.close()


@pytest.fixture
async def link() -> AsyncIterator[tuple[Link, int]]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    link = Link(server.sockets[0].getsockname()[1])
    yield link, await link.listen(0)
    await link.close()
    server.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def say(streams: Streams, text: bytes) -> bytes:
    streams[1].write(text)
    return await streams[0].readexactly(len(text))


async def test_bytes_pass_both_ways(link: tuple[Link, int]) -> None:
    async with connected(link[1]) as streams:
        assert await say(streams, b"x" * 300_000) == b"x" * 300_000
        streams[1].write_eof()
        assert await streams[0].read() == b""


async def test_a_reset_is_seen_as_a_reset(link: tuple[Link, int]) -> None:
    async with connected(link[1]) as streams:
        await say(streams, b"hello")
        assert link[0].strike(Trouble(TroubleKind.RESET)) == 1
        with pytest.raises(ConnectionResetError):
            await streams[0].readexactly(1)


async def test_a_cut_leaves_half_a_frame(link: tuple[Link, int]) -> None:
    async with connected(link[1]) as streams:
        await say(streams, b"hello")
        link[0].strike(Trouble(TroubleKind.CUT))
        streams[1].write(b"12345678")
        assert await streams[0].read() == b""  # half of the question went on, none of the answer came back
    async with connected(link[1]) as streams:
        link[0].heal()
        assert await say(streams, b"again") == b"again"


async def test_a_black_hole_holds_back_and_then_lets_go(link: tuple[Link, int]) -> None:
    async with connected(link[1]) as streams:
        await say(streams, b"hello")
        link[0].strike(Trouble(TroubleKind.BLACK_HOLE))
        streams[1].write(b"late")
        answer = asyncio.timeout(0.2)
        with pytest.raises(TimeoutError):
            async with answer:
                await streams[0].readexactly(4)
        link[0].heal()
        assert await streams[0].readexactly(4) == b"late"


async def test_a_refusal_turns_newcomers_away_too(link: tuple[Link, int]) -> None:
    link[0].strike(Trouble(TroubleKind.REFUSE))
    async with connected(link[1]) as streams:
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await streams[0].readexactly(1)


@pytest.mark.parametrize("kind", [TroubleKind.DELAY, TroubleKind.DRIP])
async def test_a_slow_link_loses_nothing(link: tuple[Link, int], kind: TroubleKind) -> None:
    async with connected(link[1]) as streams:
        link[0].strike(Trouble(kind, seconds=0.001))
        assert await say(streams, bytes(range(256)) * 8) == bytes(range(256)) * 8


async def test_a_share_hits_some_connections(link: tuple[Link, int]) -> None:
    async with (
        connected(link[1]) as one,
        connected(link[1]) as two,
        connected(link[1]) as three,
        connected(link[1]) as four,
    ):
        for streams in (one, two, three, four):
            await say(streams, b"hello")
        hit = link[0].strike(Trouble(TroubleKind.RESET, share=0.5))
    assert 0 < hit < 4


async def test_a_dead_target_is_a_refusal() -> None:
    async with connected_to_nothing() as (reader, _):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


@asynccontextmanager
async def connected_to_nothing() -> AsyncIterator[Streams]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    link = Link(port)
    async with connected(await link.listen(0)) as streams:
        yield streams
    await link.close()
