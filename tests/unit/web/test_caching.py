"""JSON that somebody has already is not sent again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import StreamingResponse

from shared.web.caching import AskedAgain


@pytest.fixture
def said() -> dict[str, Any]:
    return {"n": 1}


@pytest.fixture
def web(said: dict[str, Any]) -> httpx.AsyncClient:
    router = APIRouter(route_class=AskedAgain)

    @router.get("/numbers")
    async def numbers() -> dict[str, Any]:
        return said

    @router.post("/numbers", status_code=201)
    async def more() -> dict[str, Any]:
        return said

    @router.get("/versions")
    async def versions(response: Response) -> dict[str, Any]:
        response.headers["ETag"] = f'"{said["n"]}"'
        return {"always": "the same"}

    @router.get("/file")
    async def file() -> StreamingResponse:
        return StreamingResponse(iter(["a,b"]))

    app = FastAPI()
    app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_who_has_it_already_hears_that_nothing_has_changed(
    web: httpx.AsyncClient, said: dict[str, Any]
) -> None:
    first = await web.get("/numbers")
    assert (first.status_code, first.json()) == (200, {"n": 1})
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    same = await web.get("/numbers", headers=known)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    said["n"] = 2
    new = await web.get("/numbers", headers=known)
    assert (new.status_code, new.json()) == (200, {"n": 2})


async def test_an_etag_of_its_own_is_kept(web: httpx.AsyncClient, said: dict[str, Any]) -> None:
    first = await web.get("/versions")
    assert first.headers["etag"] == '"1"'
    known = {"If-None-Match": 'W/"1"'}
    assert (await web.get("/versions", headers=known)).status_code == 304
    said["n"] = 2
    assert (await web.get("/versions", headers=known)).status_code == 200


async def test_what_is_written_and_what_is_streamed_has_none(web: httpx.AsyncClient) -> None:
    made = await web.post("/numbers", headers={"If-None-Match": "*"})
    assert (made.status_code, made.json()) == (201, {"n": 1})
    file = await web.get("/file")
    assert (file.text, "etag" in file.headers) == ("a,b", False)
