"""Browsers of people of ours who look at the pages of dispatch."""

from __future__ import annotations

import httpx

from shared.security.access import Role
from tests.support.dispatch import PUBLIC_URL, Site
from tests.support.score_pages import signed_in


async def somebody(site: Site, role: Role) -> httpx.AsyncClient:
    """The browser of somebody of this role; their forms carry the token."""
    token = await signed_in(site.access, role)
    session = await site.access.session(token)
    assert session is not None
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.app),
        base_url=PUBLIC_URL,
        headers={"accept": "text/html", "x-csrf-token": session.csrf},
    )
    client.cookies.set("__Host-afterword", token)
    return client
