from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from services.dispatch.api.returns import forward_by
from services.dispatch.handlers.returns import Returns
from shared.contracts.model import Channel
from shared.db.database import Database
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.dispatch import PUBLIC_URL, MailRoom, Site, mail_room, site_of
from tests.support.returning import DOMAIN, Door
from tests.support.texting import Exchange, exchange_of


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


@pytest.fixture
async def door(room: MailRoom) -> AsyncIterator[Door]:
    """A mail room with a listener for what comes back."""
    desk = replace(room.postman.desk, return_domain=DOMAIN, replies=True)
    room.postman = replace(room.postman, desk=desk)
    returns = Returns(room.db, room.tokens, forward_by(room.postman.channels[Channel.EMAIL]))
    async with AsyncExitStack() as stack:
        opened = Door(room, returns, stack)
        opened.port = await opened.listen()
        yield opened


@pytest.fixture
async def exchange(room: MailRoom, site: Site) -> AsyncIterator[Exchange]:
    """A mail room with every channel but the webhook."""
    async with exchange_of(room, site) as opened:
        yield opened
