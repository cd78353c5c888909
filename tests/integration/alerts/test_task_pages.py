"""Tasks and referrals over HTTP: pages for reps, API for programs, a file for spreadsheets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from shared.contracts.directory import ContactErased
from shared.contracts.responses import ResponseAmended
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.security.sealing import Sealer
from tests.support.alert_site import Site, content, site
from tests.support.alerts import HOUR, T0, event
from tests.support.databases import OpenDatabase

HTML = {"accept": "text/html"}


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    await content(made)
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HTML) as client:
        client.cookies.set("afterword", on.tokens["rita"])
        yield client


async def task(on: Site, kind: str) -> str:
    async with on.db.read() as conn:
        return str(await conn.fetchval("select id from tasks where kind = $1", kind))


async def form(web: httpx.AsyncClient, path: str, **fields: str) -> dict[str, str]:
    page = (await web.get(path)).text
    token, version = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("csrf", "version"))
    assert token is not None
    assert version is not None
    return {"csrf": token[1], "version": version[1], **fields}


@pytest.mark.requirement("R73", "R74")
async def test_each_finds_their_tasks_and_ends_one_with_what_came_of_it(
    on: Site, web: httpx.AsyncClient
) -> None:
    mine, team = (await web.get("/tasks")).text, (await web.get("/tasks?view=team")).text
    assert "Ask whom they would recommend us to" in mine
    assert "Ask how it has gone since" not in mine
    assert "Ask how it has gone since" in team
    assert "one is open for them already" in (await web.get("/tasks?view=left-out")).text
    path = f"/tasks/{await task(on, 'referral')}"
    page = (await web.get(path)).text
    assert "Ana Díaz Quintero" in page
    assert (await web.get(f"{path}/done")).status_code == 405
    assert (await web.post(f"{path}/done", data={"csrf": "guess"})).status_code == 403
    filled = await form(web, path, note="She wrote to two friends.")
    for _ in range(2):
        pressed = await web.post(f"{path}/done", data=filled)
        assert pressed.headers["location"] == f"{path}?done=done"
    page = (await web.get(path)).text
    assert page.count("Rita Ek did it") == 1
    assert "She wrote to two friends." in page
    assert "Ask whom they would recommend us to" in (await web.get("/tasks?view=done")).text


@pytest.mark.requirement("R74")
async def test_a_testimonial_is_done_with_consent_alone(on: Site, web: httpx.AsyncClient) -> None:
    path = f"/tasks/{await task(on, 'testimonial')}"
    refused = await web.post(f"{path}/done", data=await form(web, path, note="<b>She</b> said yes."))
    assert refused.status_code == 409
    assert "Say that they agreed" in refused.text
    assert "&lt;b&gt;She&lt;/b&gt; said yes." in refused.text
    agreed = await form(web, path, note="By mail, with her name.", agreed="1")
    assert (await web.post(f"{path}/done", data=agreed)).status_code == 303


@pytest.mark.requirement("R74", "R84")
async def test_words_that_may_be_quoted_stand_on_the_task_and_need_no_other_consent(
    on: Site, web: httpx.AsyncClient
) -> None:
    path = f"/tasks/{await task(on, 'testimonial')}"
    again: Mapping[str, Any] = {"version": 2, "model": ResponseAmended, "permissions": ("quote",)}
    await on.hears(await on.says.answered("ana", 10, T0, words="The best <b>support</b>.", **again))
    page = (await web.get(path)).text
    assert "The best &lt;b&gt;support&lt;/b&gt;." in page
    assert "They agreed that these words are published" in page
    assert "Their words may be published" in (await web.get("/tasks")).text
    (shown,) = (await web.get("/v1/tasks?kind=testimonial")).json()["tasks"]
    assert (shown["quotable"], shown["consented_at"]) == (True, None)
    assert (await web.post(f"{path}/done", data=await form(web, path))).status_code == 303


@pytest.mark.requirement("R74", "R84")
async def test_what_they_say_about_being_quoted_is_written_down_with_the_task(
    on: Site, web: httpx.AsyncClient
) -> None:
    path = f"/tasks/{await task(on, 'testimonial')}"
    again: Mapping[str, Any] = {"version": 2, "model": ResponseAmended}
    await on.hears(await on.says.answered("ana", 10, T0, words="The best <b>support</b>.", **again))
    page = (await web.get(path)).text
    assert "They have not agreed that these words are published" in page
    assert "They told us that they agree" in page
    refused = await web.post(f"{path}/quotable", data=await form(web, path, note=" "))
    assert (refused.status_code, "Write down how and when" in refused.text) == (409, True)
    agreed = await web.post(f"{path}/quotable", data=await form(web, path, note="On the phone today."))
    assert agreed.headers["location"] == f"{path}?done=quotable"
    page = (await web.get(path)).text
    for shown in ("They agreed that these words", "Rita Ek: they agree that", "On the phone today."):
        assert shown in page
    back = await web.post(f"{path}/unquotable", data=await form(web, path))
    assert back.headers["location"] == f"{path}?done=unquotable"
    page = (await web.get(f"{path}?done=unquotable")).text
    assert "Afterword publishes their words no longer" in page
    assert "They have not agreed" in page


@pytest.mark.requirement("R75")
async def test_referrals_are_written_down_by_hand_and_counted(on: Site, web: httpx.AsyncClient) -> None:
    path = f"/tasks/{await task(on, 'referral')}"
    first = await form(web, path, reference="one", state="sent", who="=Nordlys AS", on="2026-03-02")
    for _ in range(2):
        assert (await web.post(f"{path}/referrals", data=first)).status_code == 303
    await web.post(f"{path}/referrals", data=await form(web, path, reference="two", who="Bo & Co"))
    won = await form(web, path, reference="two", state="won")
    assert (await web.post(f"{path}/referrals", data=won)).status_code == 303
    late = await form(web, path, reference="three", who="X", on="2027-01-01")
    assert (await web.post(f"{path}/referrals", data=late)).status_code == 409
    page = (await web.get("/tasks?view=referrals")).text
    for shown in ("=Nordlys AS", "Bo &amp; Co", "50% of 2"):
        assert shown in page
    sums = (await web.get("/v1/referrals/sums")).json()
    assert (sums["sent"], sums["leads"], sums["won"], sums["conversion"]) == (2, 1, 1, 0.5)
    assert list(sums["programmes"]) == ["ticket-resolved"]
    file = (await web.get("/v1/referrals/table?format=csv")).text.splitlines()
    assert len(file) == 3
    assert file[0].endswith("id,task_id,contact_id,programme,reference,state,sent_at,lead_at,won_at,lost_at")
    assert "Nordlys" not in "".join(file)


@pytest.mark.requirement("R73", "R74", "R75")
async def test_a_crm_reads_tasks_and_reports_referrals_by_its_own_ids(on: Site) -> None:
    scopes = {Scope.TICKETS_READ, Scope.TICKETS_WRITE}
    _, key = await on.access.create_key("crm", scopes, None, None)
    headers = {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as crm:
        seen: list[dict[str, Any]] = []
        page = {"next": ""}
        while not seen or page["next"]:
            page = (await crm.get("/v1/tasks", params={"limit": 1, "after": page["next"]})).json()
            seen += page["tasks"]
        assert [one["kind"] for one in seen] == ["referral", "testimonial", "quarterly_follow_up"]
        address = f"/v1/tasks/{seen[0]['id']}"
        assert (await crm.post(f"{address}/done")).status_code == 422
        rita = str(on.users["rita"])
        told = {"state": "lead", "user_id": rita}
        for _ in range(2):
            put = await crm.put(f"{address}/referrals/crm-7", json=told)
            assert (put.status_code, put.json()["state"]) == (200, "lead")
        whole = (await crm.get(address)).json()
        assert [one["reference"] for one in whole["referrals"]] == ["crm-7"]
        assert [one["did"] for one in whole["timeline"]] == ["referred", "opened"]
        declined = await crm.post(f"{address}/decline", json={"user_id": rita})
        assert (declined.status_code, declined.headers["content-type"]) == (409, "application/problem+json")
        (left,) = (await crm.get("/v1/tasks/left-out")).json()
        assert (left["kind"], left["reason"]) == ("quarterly_follow_up", "open")
        assert (await crm.get("/v1/tasks", params={"after": "nonsense"})).status_code == 422
        assert (await crm.get(f"/v1/tasks/{derive('task', 'none')}")).status_code == 404


async def test_viewers_see_no_tasks_and_of_the_erased_nothing_is_shown(
    on: Site, web: httpx.AsyncClient
) -> None:
    path = f"/tasks/{await task(on, 'referral')}"
    async with on.db.begin() as tx:
        await on.desk.sealer.destroy(tx.conn, [derive("contact", "ana")])
    await on.hears(
        event(ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=T0), T0 + HOUR)
    )
    for wanted in (path, "/tasks?view=done"):
        page = (await web.get(wanted)).text
        assert "Ana" not in page
        assert "Erased contact" in page
    web.cookies.set("afterword", on.tokens["vera"])
    for wanted in (path, "/tasks"):
        assert (await web.get(wanted)).status_code == 403
