"""Checking off the steps of a case: on its page, by API, on its timeline, counted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.contracts.model import Tier
from shared.contracts.surveys import CloseTheLoop
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from shared.security.sealing import Sealer
from tests.support.alert_site import Site, site
from tests.support.alerts import HOUR, T0, snapshot
from tests.support.databases import OpenDatabase


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    await made.sign_in_everybody()
    loop = CloseTheLoop(playbook="renewal-rescue")
    small = snapshot(contact="bo", tier=Tier.SMALL)
    await made.hears(
        await made.says.answered("ana", 2, T0, close_the_loop=loop),
        await made.says.answered("bo", 3, T0 + HOUR, contact="bo", snapshot=small, close_the_loop=loop),
        await made.says.answered("cy", 1, T0, account="nordlys", contact="cy"),
    )
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport, html = httpx.ASGITransport(on.app()), {"accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=html) as client:
        client.cookies.set("afterword", on.tokens["rita"])
        yield client


@pytest.mark.requirement("R91")
async def test_a_rep_offers_a_discount_and_writes_down_that_it_was_taken(
    on: Site, web: httpx.AsyncClient
) -> None:
    path = f"/tickets/{await on.case_of('ana')}"
    page = (await web.get(path)).text
    for offered in ("personal discount", "loyalty programme", "looks after them", "our executives"):
        assert offered in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    for _ in range(2):
        pressed = await web.post(f"{path}/steps/discount", data={"csrf": token[1], "state": "taken"})
        assert pressed.headers["location"] == f"{path}?done=step#playbook"
    told = "Offer a personal discount on the next term: they took it, says Rita Ek"
    assert (await web.get(path)).text.count(told) == 1
    for step, state, status in (("discount", "done", 409), ("none", "done", 409), ("discount", "gone", 422)):
        refused = await web.post(f"{path}/steps/{step}", data={"csrf": token[1], "state": state})
        assert refused.status_code == status
    assert (await web.post(f"{path}/steps/discount", data={"state": "open"})).status_code == 403
    assert "Playbook" not in (await web.get(f"/tickets/{await on.case_of('cy')}")).text


@pytest.mark.requirement("R91")
async def test_a_crm_checks_off_steps_and_counts_which_offers_are_taken(on: Site) -> None:
    _, key = await on.access.create_key("crm", {Scope.TICKETS_READ, Scope.TICKETS_WRITE}, None, None)
    headers, rita = {"authorization": f"Bearer {key}"}, str(on.users["rita"])
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as crm:
        address = f"/v1/tickets/{await on.case_of('ana')}"
        for step, state in (("loyalty", "refused"), ("success", "taken"), ("discount", "taken")):
            put = await crm.put(f"{address}/steps/{step}", json={"state": state, "user_id": rita})
            assert put.status_code == 200
        await crm.put(f"{address}/steps/discount", json={"state": "open", "user_id": rita})
        listed = {one["key"]: one["state"] for one in (await crm.get(address)).json()["playbook"]}
        assert listed == {
            "understand": "open",
            "executive": "open",
            "success": "taken",
            "discount": "open",
            "loyalty": "refused",
        }
        assert (await crm.get("/v1/tickets/offers")).json() == [
            {"offer": "loyalty", "made": 1, "taken": 0},
            {"offer": "success", "made": 1, "taken": 1},
        ]
        assert (await crm.put(f"{address}/steps/discount", json={"state": "taken"})).status_code == 422
