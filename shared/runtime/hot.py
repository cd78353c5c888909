"""Paths that carry the load are served before the framework, which costs more than the work itself."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class HotPaths:
    """Serves some POSTs by applications of their own; everything else goes on as usual.

    Args:
        app: The application below.
        posts: Path -> what serves a POST to it; it sets all headers and answers errors itself.
    """

    def __init__(self, app: ASGIApp, posts: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        hot = scope["type"] == "http" and scope["method"] == "POST" and self._posts.get(scope["path"])
        await (hot or self._app)(scope, receive, send)
