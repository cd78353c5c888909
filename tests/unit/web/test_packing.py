"""Pages travel packed and padded; data and what is streamed do not."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.web.packing import LEAST, PADDING, PackedPages, pack

TEXT = "<p>Was everything as it should be?</p>" * 100


async def page(_: Request) -> Response:
    return HTMLResponse(TEXT, headers={"Vary": "Cookie"})


async def short(_: Request) -> Response:
    return HTMLResponse("x" * (LEAST - 1))


async def data(_: Request) -> Response:
    return JSONResponse({"text": TEXT})


async def streamed(_: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for _ in range(3):
            yield TEXT

    return StreamingResponse(parts(), media_type="text/html")


APP = PackedPages(
    Starlette(routes=[Route(f"/{view.__name__}", view) for view in (page, short, data, streamed)])
)


async def ask(path: str, accepted: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://test") as client:
        return await client.request(method, path, headers={"accept-encoding": accepted})


async def test_a_page_is_packed_for_whoever_can_unpack_it() -> None:
    packed, plain = await ask("/page", "gzip, br"), await ask("/page", "identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(TEXT) / 10
    assert packed.headers["vary"] == "Cookie, Accept-Encoding"
    assert packed.text == plain.text == TEXT
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/short", "/data", "/streamed"])
async def test_short_pages_data_and_streams_go_out_as_they_are(path: str) -> None:
    answer = await ask(path, "gzip")
    assert "content-encoding" not in answer.headers
    assert answer.text == (await ask(path, "identity")).text


async def test_only_what_is_shown_is_packed() -> None:
    assert "content-encoding" not in (await ask("/page", "gzip", "HEAD")).headers


def test_the_length_of_a_packed_page_tells_nothing() -> None:
    lengths = [len(pack(TEXT.encode())) for _ in range(60)]
    assert max(lengths) - min(lengths) > PADDING / 2
    assert gzip.decompress(pack(TEXT.encode())).decode() == TEXT
