from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.db.database import Database
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.dispatch import MailRoom, mail_room


@pytest.fixture
async def room(
    database: Callable[[str], Awaitable[Database]], sealer: Sealer, tokens: Tokens
) -> AsyncIterator[MailRoom]:
    async with mail_room(await database("dispatch"), sealer, tokens) as opened:
        yield opened
