"""Routes of parts, put together."""

from __future__ import annotations

from typing import Protocol

from starlette.routing import BaseRoute


class _Routed(Protocol):
    @property
    def routes(self) -> list[BaseRoute]: ...


def join(whole: _Routed, *parts: _Routed) -> None:
    """Take over the routes of parts as they are.

    FastAPI's `include_router` analyses every route anew at every level on which it is included, to add what
    the levels bring: prefixes, tags, dependencies. Our parts bring their own, so that would only make each
    start slower: a start spent most of its time there.
    """
    for part in parts:
        whole.routes.extend(part.routes)
