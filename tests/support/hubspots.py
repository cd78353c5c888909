"""HubSpot's own client, talking to a stand-in of HubSpot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import urllib3


class Pool:
    """What HubSpot's client makes its requests with."""

    def __init__(self, desk: Callable[[httpx.Request], httpx.Response]) -> None:
        self._desk = desk

    def request(
        self,
        method: str,
        url: str,
        body: str | None = None,
        fields: list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **_options: object,
    ) -> urllib3.HTTPResponse:
        asked = httpx.Request(method, url, content=body, params=dict(fields or []) or None, headers=headers)
        answer = self._desk(asked)
        return urllib3.HTTPResponse(answer.content, dict(answer.headers), answer.status_code)


def wired(api: Any, desk: Callable[[httpx.Request], httpx.Response]) -> Any:
    """One of the client's parts, talking to the stand-in."""
    api.api_client.rest_client.pool_manager = Pool(desk)
    return api
