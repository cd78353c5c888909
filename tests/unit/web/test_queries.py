"""A parameter of an address that is none of its route is named, with the nearest that is."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import APIRouter, Depends, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from shared.web.app import web_app
from shared.web.paths import encoded
from shared.web.queries import refuse_unknown
from shared.web.routing import join
from tests.support.assembled import platform


class Span(BaseModel):
    """Parameters as a model, one of them under another name."""

    first: str = Field("", alias="from")
    last: str = ""


async def paged(after: str = "") -> str:
    return after


@pytest.fixture
async def web() -> httpx.AsyncClient:
    routes = APIRouter(dependencies=[Depends(refuse_unknown)])

    @routes.get("/v1/decisions")
    async def decisions(
        _after: Annotated[str, Depends(paged)], contact: str = "", limit: int = 1
    ) -> dict[str, Any]:
        return {"contact": contact, "limit": limit}

    @routes.get("/v1/days")
    async def days(_span: Annotated[Span, Query()]) -> str:
        return "ok"

    @routes.get("/v1/books")
    async def books() -> str:
        return "ok"

    @routes.delete("/v1/accounts/{ref}")
    async def remove(ref: str, people: str = "keep") -> str:
        return f"{ref} {people}"

    @routes.get("/page")
    async def page(tab: str = "") -> str:
        return tab

    app = web_app(platform("trigger").access, "http://test")
    join(app, routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    ("path", "field", "reason"),
    [
        ("/v1/decisions?contcat=c1", "contcat", "no such parameter; did you mean contact?"),
        ("/v1/decisions?contact=c1&limt=5", "limt", "no such parameter; did you mean limit?"),
        ("/v1/decisions?x=1", "x", "no such parameter; there are after, contact, limit"),
        ("/v1/days?first=2026-01-01", "first", "no such parameter; there are from, last"),
        ("/v1/books?limit=1", "limit", "no such parameter; there are none here"),
        ("/v1/decisions?%00%0Acontcat=c1", "contcat", "no such parameter; did you mean contact?"),
    ],
)
async def test_a_parameter_that_is_none_is_named(
    web: httpx.AsyncClient, path: str, field: str, reason: str
) -> None:
    refused = await web.get(path)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert refused.json()["field"] == field
    assert refused.json()["errors"] == [{"field": field, "reason": reason}]


async def test_each_of_several_is_named_once(web: httpx.AsyncClient) -> None:
    refused = await web.get("/v1/decisions?contcat=a&contcat=b&befor=1&limit=2")
    assert [one["field"] for one in refused.json()["errors"]] == ["contcat", "befor"]


async def test_what_would_be_deleted_otherwise_stays(web: httpx.AsyncClient) -> None:
    refused = await web.delete("/v1/accounts/a1?peeple=erase")
    assert refused.json()["errors"][0]["reason"] == "no such parameter; did you mean people?"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/decisions",
        "/v1/decisions?contact=c1&limit=2&after=x",
        "/v1/days?from=2026-01-01&last=2026-02-01",
        "/v1/books",
        "/page?tab=a&utm_source=news",
    ],
)
async def test_what_is_known_passes_and_pages_take_anything(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.get(path)).status_code == 200


async def test_a_name_is_not_given_back_at_any_length(web: httpx.AsyncClient) -> None:
    refused = await web.get(f"/v1/books?{'x' * 5000}=1")
    assert len(refused.json()["field"]) == 60


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_links_are_written_as_forms_send_them(parameters: dict[str, str | list[str]]) -> None:
    assert encoded(parameters) == urlencode(parameters, doseq=True)
