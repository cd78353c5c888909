from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from shared.db.database import Database
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.dispatch import PUBLIC_URL, MailRoom, Site, mail_room, site_of


@pytest.fixture
async def room(
    database: Callable[[str], Awaitable[Database]], sealer: Sealer, tokens: Tokens
) -> AsyncIterator[MailRoom]:
    async with mail_room(await database("dispatch"), sealer, tokens) as opened:
        yield opened


@pytest.fixture
async def site(room: MailRoom) -> Site:
    """The service as its composition root builds it, inside the web application."""
    return await site_of(room)


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A recipient's browser."""
    transport = httpx.ASGITransport(app=site.app)
    async with httpx.AsyncClient(
        transport=transport, base_url=PUBLIC_URL, headers={"accept": "text/html"}
    ) as client:
        yield client


@pytest.fixture
async def api(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program with a key for all that dispatch shows."""
    transport = httpx.ASGITransport(app=site.app)
    headers = {"authorization": f"Bearer {await site.key()}"}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as client:
        yield client
