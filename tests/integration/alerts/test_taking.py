"""Taking a case from a notice: one press, one person, one purpose; looking takes nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.alerts.handlers.actions import Action
from services.alerts.handlers.taking import VALID, link
from services.alerts.worker import hand_over
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.alert_site import Site, night, site
from tests.support.alerts import HOUR, T0
from tests.support.databases import OpenDatabase
from tests.support.made_notices import Postbox

HTML = {"accept": "text/html"}


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock, tokens: Tokens) -> Site:
    made = site(await database("alerts"), sealer, clock)
    made.desk = replace(made.desk, tokens=tokens, page_every=timedelta())
    await night(made)
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HTML) as client:
        yield client


async def path(on: Site, who: str = "rita", case: str = "ana") -> str:
    """The path of somebody's link to a case."""
    assert on.desk.tokens is not None
    ticket = await on.case_of(case)
    return link(on.desk.tokens, f"/tickets/{ticket}", ticket, on.users[who], on.clock.now())


async def states(on: Site) -> dict[str, int]:
    async with on.db.read() as conn:
        rows = await conn.fetch("select state, count(*) from tickets group by 1")
    return {row["state"]: row["count"] for row in rows}


async def press(web: httpx.AsyncClient, where: str) -> httpx.Response:
    field = re.search(r'name="form" value="([^"]+)"', (await web.get(where)).text)
    assert field is not None
    return await web.post(where, data={"form": field[1]}, headers={"origin": "http://127.0.0.1"})


@pytest.mark.requirement("R72")
async def test_a_mail_leads_to_a_page_that_takes_the_case_with_one_press(
    on: Site, web: httpx.AsyncClient
) -> None:
    await on.hears(await on.says.answered("zoe", 1, T0 + 27 * HOUR, account="new", contact="zoe"))
    box = Postbox()
    await hand_over(on.desk, on.db, box, "http://127.0.0.1")
    ticket = await on.case_of("zoe")
    told = next(delivery for delivery in box.taken if delivery.ticket_id == ticket)
    mine = told.text.take.removeprefix("http://127.0.0.1")
    assert "Take the case" in (await web.get(mine)).text
    done = await press(web, mine)
    assert done.status_code == 200
    assert f"The case is yours, {told.name}" in done.text
    async with on.db.read() as conn:
        row = await conn.fetchrow("select state, owner from tickets where id = $1", ticket)
    assert row is not None
    assert (row["state"], row["owner"]) == ("acknowledged", on.users[told.to.partition("@")[0]])


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_looking_takes_nothing_however_often(on: Site, web: httpx.AsyncClient, method: str) -> None:
    before = await states(on)
    for _ in range(5):
        await web.request(method, await path(on))
    assert await states(on) == before


async def test_a_scanner_that_presses_without_a_cookie_takes_nothing(
    on: Site, web: httpx.AsyncClient
) -> None:
    before, where = await states(on), await path(on)
    assert (await web.post(where, data={})).status_code == 403
    page = await web.get(where)
    web.cookies.clear()
    field = re.search(r'name="form" value="([^"]+)"', page.text)
    assert field is not None
    assert (await web.post(where, data={"form": field[1]})).status_code == 403
    assert await states(on) == before


async def test_a_second_press_changes_nothing(on: Site, web: httpx.AsyncClient) -> None:
    where = await path(on)
    form = await web.get(where)
    field = re.search(r'name="form" value="([^"]+)"', form.text)
    assert field is not None
    answers = [await web.post(where, data={"form": field[1]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    again = await web.get(where)
    assert "Nothing to take" in again.text


async def test_what_somebody_else_has_taken_is_said(on: Site, web: httpx.AsyncClient) -> None:
    where = await path(on, "ola")
    form = await web.get(where)
    await on.does("rita", "ana", Action.ACKNOWLEDGE)
    field = re.search(r'name="form" value="([^"]+)"', form.text)
    assert field is not None
    late = await web.post(where, data={"form": field[1]})
    assert late.status_code == 409
    assert "Somebody else has taken it already." in late.text


async def test_a_link_is_good_for_its_purpose_its_person_and_its_time_alone(
    on: Site, web: httpx.AsyncClient, clock: FixedClock
) -> None:
    where = await path(on)
    token = where.rpartition("/")[2]
    assert on.desk.tokens is not None
    ticket = await on.case_of("ana")
    other = on.desk.tokens.sign("answer", ticket, on.users["rita"].bytes + bytes(6))
    short = on.desk.tokens.sign("take", ticket, on.users["rita"].bytes)
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (other, short, swapped, "x", await _of(on, "vera")):
        assert (await web.get(f"/tickets/take/{wrong}")).status_code == 404
    clock.set(T0 + 27 * HOUR + VALID - timedelta(seconds=1))
    assert (await web.get(where)).status_code == 200
    clock.set(T0 + 27 * HOUR + VALID)
    assert (await web.get(where)).status_code == 404


async def _of(on: Site, who: str) -> str:
    return (await path(on, who)).rpartition("/")[2]


async def test_the_page_is_kept_by_nobody(on: Site, web: httpx.AsyncClient) -> None:
    headers = (await web.get(await path(on))).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_number_is_given_on_a_page(on: Site, web: httpx.AsyncClient) -> None:
    web.cookies.set("afterword", on.tokens["rita"])
    page = (await web.get("/inbox/reach-me")).text
    field = re.search(r'name="csrf" value="([^"]+)"', page)
    assert field is not None
    wrong = await web.post("/inbox/reach-me", data={"csrf": field[1], "number": "070 123"})
    assert wrong.status_code == 422
    assert "070 123" in wrong.text
    kept = await web.post("/inbox/reach-me", data={"csrf": field[1], "number": "+46 70-123 45 67"})
    assert kept.status_code == 303
    assert "+46701234567" in (await web.get("/inbox/reach-me")).text
    await web.post("/inbox/reach-me", data={"csrf": field[1], "number": ""})
    assert "+46701234567" not in (await web.get("/inbox/reach-me")).text
