"""The office with a helpdesk beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from services.alerts.connectors.zendesk import Zendesk
from services.alerts.domain.model import Refused
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.handlers.outside import POLL, sync
from shared.partners.api import Api
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0
from tests.support.helpdesks import ZendeskDesk
from tests.support.made_notices import SITE


@dataclass
class Beside:
    """The office, with a Zendesk beside it; `hooks` run before each of its answers."""

    office: Office
    there: ZendeskDesk = field(default_factory=ZendeskDesk)
    hooks: list[Callable[[httpx.Request], Awaitable[None]]] = field(default_factory=list)

    async def compares(self) -> int:
        """Let what is due be compared."""
        client = httpx.AsyncClient(
            base_url="https://help.test",
            transport=httpx.MockTransport(self.there),
            event_hooks={"request": list(self.hooks)},
        )
        of = Zendesk(Api(client, self.office.machine), "https://help.test")
        return await sync(self.office.desk, self.office.db, of, SITE)

    async def later(self, wait: timedelta = POLL) -> int:
        self.office.machine.advance(wait.total_seconds())
        return await self.compares()

    async def does(self, action: Action, hours: float = 1, note: str = "", cause: str = "") -> None:
        self.office.clock.set(T0 + hours * HOUR)
        async with self.office.db.begin() as tx:
            (row,) = await tx.conn.fetch("select id from tickets")
            wish = Wish(action, self.office.team.ids["rita"], note=note, cause=cause, via="phone")
            assert not isinstance(await act(self.office.desk, tx, row["id"], wish), Refused)

    async def lines(self) -> list[str]:
        """What the timeline says of the helpdesk."""
        rows = await self.office.rows(
            "select data ->> 'what' from timeline where kind = 'outside' order by id"
        )
        return [row[0] for row in rows]
