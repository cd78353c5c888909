"""`/v1/tickets/stream`: cases as they stand, and as people and clocks change them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.alerts.handlers.actions import Action
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import CUSTOMERS, Site, night, site
from tests.support.alerts import HOUR, T0
from tests.support.databases import OpenDatabase
from tests.support.serving import served
from tests.support.streaming import Stream, streamed


@dataclass(frozen=True)
class Desk:
    """The served night, and the stream as somebody opens it."""

    site: Site
    url: str

    def cookies(self, who: str = "rita") -> dict[str, str]:
        return {"afterword": self.site.tokens[who]}


@pytest.fixture
async def desk(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> AsyncIterator[Desk]:
    on = site(await database("alerts"), sealer, clock)
    await night(on)
    async with served(on.app()) as url:
        yield Desk(on, f"{url}/v1/tickets/stream")


async def _next(stream: Stream) -> dict[str, Any]:
    told = await stream.event()
    assert told.kind == "ticket.changed"
    found: dict[str, Any] = json.loads(told.data)
    return found


async def test_open_cases_come_first_and_then_what_people_do(desk: Desk) -> None:
    async with desk.site.db.read() as conn:
        rows = await conn.fetch("select id from tickets where ended_at is null order by breach_at, id")
    async with streamed(desk.url, cookies=desk.cookies()) as stream:
        first = [await _next(stream) for _ in rows]
        assert [one["id"] for one in first] == [str(row["id"]) for row in rows]
        ana = str(await desk.site.case_of("ana"))
        before = next(one for one in first if one["id"] == ana)
        assert (before["state"], before["level"]) == ("open", 2)
        await desk.site.does("ola", "ana", Action.ACKNOWLEDGE)
        taken = await _next(stream)
        assert (taken["id"], taken["state"]) == (ana, "acknowledged")
        assert taken["version"] > before["version"]
        await desk.site.does("ola", "ana", Action.CONTACT, via="phone")
        await desk.site.does("ola", "ana", Action.RESOLVE, cause="product_defect", note="Repaired.")
        while (last := await _next(stream))["state"] != "resolved":
            pass
        assert last["ended_at"]


async def test_clocks_and_new_answers_are_told_to_who_comes_back(desk: Desk) -> None:
    async with streamed(desk.url, cookies=desk.cookies()) as stream:
        last = await stream.up_to_date()
    says = desk.site.says
    await desk.site.hears(
        await says.answered("gus", 2, T0 + 27 * HOUR, account="gusto", contact="dee", words="Empty again.")
    )
    new = str(await desk.site.case_of("gus"))
    async with streamed(desk.url, last=last, cookies=desk.cookies()) as stream:
        told = await _next(stream)
        assert (told["id"], told["state"], told["level"]) == (new, "open", 0)
        await desk.site.moves(27 + 13)
        while (told := await _next(stream))["id"] != new:
            pass
        assert told["level"] == 1


async def test_it_says_nothing_personal_and_is_not_for_viewers(desk: Desk) -> None:
    async with streamed(desk.url, params={"seconds": "0"}, cookies=desk.cookies()) as stream:
        everything = "".join(told.data for told in await stream.rest())
    for person in CUSTOMERS.values():
        assert person.name not in everything
        assert "@" not in everything
    async with httpx.AsyncClient(cookies=desk.cookies("vera")) as viewer:
        assert (await viewer.get(desk.url)).status_code == 403
