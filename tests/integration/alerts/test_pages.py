"""Who may see and do what, and what is shown of whom: pages and API over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.alerts.domain.effect import SETTLES, SPAN
from services.alerts.domain.improvements import Plan
from services.alerts.handlers.actions import Action
from services.alerts.handlers.counting import count_effects
from services.alerts.handlers.improving import Action as Improving
from services.alerts.handlers.improving import Wish as Improve
from services.alerts.handlers.improving import act as improve
from services.alerts.handlers.improving import keep
from shared.contracts.directory import ContactErased
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.security.people import SignedIn
from shared.security.sealing import Sealer
from tests.support.alert_site import PASSWORD, Site, night, site
from tests.support.alerts import T0, event
from tests.support.databases import OpenDatabase

HTML = {"accept": "text/html"}


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    await night(made)
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HTML) as client:
        yield client


def come_in(web: httpx.AsyncClient, on: Site, who: str) -> None:
    web.cookies.set("afterword", on.tokens[who])


async def csrf(web: httpx.AsyncClient, path: str) -> dict[str, str]:
    page = (await web.get(path)).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return {"csrf": found[1]} | ({"version": version[1]} if version else {})


@pytest.mark.parametrize("path", ["/inbox", "/rota", "case"])
async def test_strangers_are_sent_to_sign_in_and_viewers_see_nobody(
    on: Site, web: httpx.AsyncClient, path: str
) -> None:
    wanted = f"/tickets/{await on.case_of('ana')}" if path == "case" else path
    assert (await web.get(wanted)).headers["location"].startswith("/signin?next=")
    come_in(web, on, "vera")
    seen = await web.get(wanted)
    assert seen.status_code == 403
    assert "Ana" not in seen.text


async def test_a_get_never_acts_and_a_form_from_elsewhere_is_refused(
    on: Site, web: httpx.AsyncClient
) -> None:
    come_in(web, on, "rita")
    path = f"/tickets/{await on.case_of('ana')}"
    assert (await web.get(f"{path}/acknowledge")).status_code == 405
    assert (await web.post(f"{path}/acknowledge")).status_code == 403
    assert (await web.post(f"{path}/acknowledge", data={"csrf": "guess"})).status_code == 403
    async with on.db.read() as conn:
        states = await conn.fetch("select state from tickets where id = $1", await on.case_of("ana"))
    assert states[0]["state"] == "open"


async def test_pressing_twice_is_once(on: Site, web: httpx.AsyncClient) -> None:
    come_in(web, on, "rita")
    path = f"/tickets/{await on.case_of('ana')}"
    form = await csrf(web, path)
    for _ in range(2):
        pressed = await web.post(f"{path}/acknowledge", data=form)
        assert (pressed.status_code, pressed.headers["location"]) == (303, f"{path}?done=acknowledge")
    async with on.db.read() as conn:
        taken = await conn.fetchval(
            "select count(*) from timeline where kind = 'acknowledged' and ticket_id = $1",
            await on.case_of("ana"),
        )
    assert taken == 1


async def test_of_an_erased_person_nothing_is_shown(on: Site, web: httpx.AsyncClient) -> None:
    come_in(web, on, "rita")
    async with on.db.begin() as tx:
        await on.desk.sealer.destroy(tx.conn, [derive("contact", "dee")])
    for seen in (await web.get(f"/tickets/{await on.case_of('dee')}"), await web.get("/inbox?view=team")):
        assert "Dee" not in seen.text
        assert "Erased contact" in seen.text
        assert "Voice mail" not in seen.text
    erased = ContactErased(contact_id=str(derive("contact", "dee")), version=9, erased_at=T0)
    await on.hears(event(erased, T0))
    assert "Dee" not in (await web.get(f"/tickets/{await on.case_of('dee')}")).text


async def test_what_customers_and_reps_write_is_text(on: Site, web: httpx.AsyncClient) -> None:
    come_in(web, on, "rita")
    evil = "<img src=x onerror=alert(1)>\u202e{{7*7}}"
    await on.hears(await on.says.answered("evil", 1, T0, account="evil", contact="mallory", words=evil))
    await on.does("rita", "evil", Action.NOTE, note=evil)
    for path in (f"/tickets/{await on.case_of('evil')}", "/inbox?view=team"):
        page = (await web.get(path)).text
        assert "<img src=x" not in page
        assert "{{7*7}}" in page


async def test_what_does_not_exist_is_said_plainly(on: Site, web: httpx.AsyncClient) -> None:
    come_in(web, on, "rita")
    missing = derive("nothing")
    assert (await web.get(f"/tickets/{missing}")).status_code == 404
    form = await csrf(web, "/inbox")
    assert (await web.post(f"/tickets/{missing}/note", data={**form, "note": "x"})).status_code == 404
    assert (
        await web.post(f"/inbox/unconfirmed/{missing}", data={**form, "verdict": "real"})
    ).status_code == 404
    assert (await web.post(f"/tickets/{missing}/explode", data=form)).status_code == 422


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hour": "24"}, "between 0 and 23"),
        ({"zone": "Mars/Olympus"}, "time zone"),
        ({"starts_on": "yesterday"}, "must be a date"),
        ({"version": "99"}, "Somebody else changed the rota"),
        ({"counts": "working", "opens": "9 o'clock", "closes": "17:00", "day-0": "1"}, "give both times"),
        ({"counts": "working", "opens": "09:00", "closes": "08:00", "day-0": "1"}, "must end after"),
        ({"counts": "working", "opens": "09:00", "closes": "17:00"}, "at least one day"),
        (
            {"counts": "working", "opens": "09:00", "closes": "17:00", "day-0": "1", "country": "XX"},
            "a code like SE",
        ),
    ],
)
async def test_a_wrong_rota_is_refused_with_the_field(
    on: Site, web: httpx.AsyncClient, change: dict[str, str], reason: str
) -> None:
    come_in(web, on, "mia")
    form = await csrf(web, "/rota")
    good = {
        f"place-{on.users['rita']}": "1",
        "starts_on": "2026-03-02",
        "hour": "7",
        "zone": "UTC",
        "version": "1",
    }
    refused = await web.post("/rota", data=form | good | change)
    assert refused.status_code == 409
    assert reason in refused.text
    # What was typed stands there still; after a change of somebody else it is what they wrote.
    assert ('value="7"' in refused.text) is not bool({"hour", "version"} & change.keys())
    assert ('value="24"' in refused.text) is ("hour" in change)
    assert ('name="day-0" value="1" checked' in refused.text) is ("counts" not in change or "day-0" in change)
    come_in(web, on, "rita")
    assert (await web.post("/rota", data=(await csrf(web, "/rota")) | good)).status_code == 403


@pytest.mark.requirement("R72")
async def test_a_team_may_promise_in_its_working_hours(on: Site, web: httpx.AsyncClient) -> None:
    come_in(web, on, "mia")
    hours = {"counts": "working", "opens": "09:00", "closes": "00:00", "country": "se"}
    order = {f"place-{on.users['rita']}": "1", "starts_on": "2026-03-02", "hour": "9"}
    form = {**order, "zone": "Europe/Stockholm", **hours}
    days = {f"day-{day}": "1" for day in range(5)}
    saved = await web.post("/rota", data=await csrf(web, "/rota") | form | days)
    assert saved.status_code == 303, saved.text
    come_in(web, on, "rita")
    assert "Mon, Tue, Wed, Thu, Fri from 09:00 to 24:00" in (await web.get("/rota")).text
    friday = datetime(2026, 3, 6, 20, tzinfo=UTC)
    on.clock.set(friday)
    await on.hears(await on.says.answered("late", 2, friday, account="fresh", contact="fresh"))
    async with on.db.read() as conn:
        due = await conn.fetchval(
            "select contact_due_at from tickets where id = $1", await on.case_of("late")
        )
    assert due == datetime(2026, 3, 10, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": "nobody"}, "Choose a person"),
        ({"ends_at": "2026-03-04T11:00"}, "after the start"),
        ({"user": str(derive("stranger"))}, "works on cases"),
    ],
)
async def test_a_wrong_stand_in_is_refused(
    on: Site, web: httpx.AsyncClient, change: dict[str, str], reason: str
) -> None:
    come_in(web, on, "mia")
    form = await csrf(web, "/rota")
    good = {"user": str(on.users["rita"]), "starts_at": "2026-03-04T12:00", "ends_at": "2026-03-04T13:00"}
    refused = await web.post("/rota/overrides", data=form | good | change)
    assert refused.status_code == 409
    assert reason in refused.text
    assert 'value="2026-03-04T12:00"' in refused.text, "nothing has to be typed again"


async def _key(on: Site, *scopes: Scope) -> dict[str, str]:
    ada = await on.access.user(on.users["ada"])
    assert ada is not None
    _, text = await on.access.create_key("helpdesk", set(scopes), None, ada)
    return {"authorization": f"Bearer {text}", "accept": "application/json"}


async def test_the_api_lists_what_breaches_first_page_by_page(on: Site, web: httpx.AsyncClient) -> None:
    headers = await _key(on, Scope.TICKETS_READ)
    whole = (await web.get("/v1/tickets", headers=headers)).json()["tickets"]
    assert [t["breaches_at"] for t in whole] == sorted(t["breaches_at"] for t in whole)
    paged, after = [], ""
    while True:
        part = (await web.get("/v1/tickets", params={"limit": 1, "after": after}, headers=headers)).json()
        paged += part["tickets"]
        after = part["next"]
        if not after:
            break
    assert [t["id"] for t in paged] == [t["id"] for t in whole]
    assert len(whole) == 4
    assert "Ana" not in str(whole)
    wrong = await web.get("/v1/tickets", params={"after": "%%"}, headers=headers)
    assert wrong.status_code == 422


async def test_the_api_acts_once_however_often_it_is_called(on: Site, web: httpx.AsyncClient) -> None:
    headers = await _key(on, Scope.TICKETS_READ, Scope.TICKETS_WRITE)
    path = f"/v1/tickets/{await on.case_of('ana')}"
    rita = {"user_id": str(on.users["rita"])}
    for action, more in (
        ("acknowledge", {}),
        ("contacted", {"via": "phone", "note": "Spoke."}),
        ("resolve", {"cause": "price", "note": "Refunded."}),
        ("reopen", {"note": "Came back."}),
    ):
        answers = [await web.post(f"{path}/{action}", json=rita | more, headers=headers) for _ in range(2)]
        assert [a.status_code for a in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
    seen = (await web.get(path, headers=headers)).json()
    assert seen["state"] == "open"
    kinds = [line["kind"] for line in seen["timeline"]]
    assert [kinds.count(k) for k in ("acknowledged", "contacted", "resolved", "reopened")] == [1, 1, 1, 1]
    assert "Spoke" not in str(seen)


async def test_the_api_says_what_is_missing(on: Site, web: httpx.AsyncClient) -> None:
    path = f"/v1/tickets/{await on.case_of('ana')}"
    assert (await web.get("/v1/tickets", headers={"accept": "application/json"})).status_code == 401
    reading = await _key(on, Scope.TICKETS_READ)
    assert (await web.post(f"{path}/acknowledge", headers=reading)).status_code == 403
    writing = await _key(on, Scope.TICKETS_WRITE)
    nobody = await web.post(f"{path}/acknowledge", headers=writing)
    assert (nobody.status_code, nobody.json()["field"]) == (422, "user_id")
    vera = {"user_id": str(on.users["vera"])}
    assert (await web.post(f"{path}/acknowledge", json=vera, headers=writing)).status_code == 422
    rita = {"user_id": str(on.users["rita"])}
    early = await web.post(f"{path}/resolve", json=rita | {"cause": "price", "note": "x"}, headers=writing)
    assert (early.status_code, "Log the contact" in early.json()["detail"]) == (409, True)
    assert (await web.post(f"{path}/explode", json=rita, headers=writing)).status_code == 404
    missing = await web.post(f"/v1/tickets/{derive('x')}/reopen", json=rita, headers=writing)
    assert missing.status_code == 404


async def test_the_api_tells_the_books(on: Site, web: httpx.AsyncClient) -> None:
    found = (await web.get("/v1/tickets/books", headers=await _key(on, Scope.TICKETS_READ))).json()
    assert (found["unhappy_without_ticket"], found["held_in_tickets"], found["overdue_untold"]) == (0, 0, 0)
    assert found["tickets"] == {"acknowledged": 2, "contacted": 1, "open": 1}


@pytest.mark.requirement("R76")
async def test_an_improvement_that_is_counted_for_good_says_so_and_offers_nothing_that_would_change_it(
    on: Site, web: httpx.AsyncClient
) -> None:
    rita, ident = on.users["rita"], derive("improvement", "i")
    plan = Plan("Exports never run empty", 5, 2, rita, T0.date(), "product_defect", "ticket-resolved")
    async with on.db.begin() as tx:
        await keep(on.desk, tx, ident, plan, rita)
        await improve(on.desk, tx, ident, Improve(Improving.SHIP, rita))
    come_in(web, on, "rita")
    path = f"/improvements/{ident}"
    page = (await web.get(path)).text
    for shown in ("Since", "Nothing can be said yet", 'id="f-theme"'):
        assert shown in page
    on.clock.advance(SPAN + SETTLES + timedelta(minutes=1))
    assert await count_effects(on.db) == 1
    session = await on.access.sign_in("rita@afterword.test", PASSWORD, None)
    assert isinstance(session, SignedIn)
    web.cookies.set("afterword", session.token)
    page = (await web.get(path)).text
    for shown in ("90 days after", "Too few answers", "stay: its effect was counted by them"):
        assert shown in page
    assert 'id="f-theme"' not in page
    changed = {"title": "Exports", "impact": "4", "effort": "2", "owner": str(rita), "due_on": "2026-04-01"}
    kept_as_it_was = {"theme": "product_defect", "programme": "ticket-resolved", "product": ""}
    for name, value in kept_as_it_was.items():
        assert f'name="{name}" value="{value}"' in page
    done = await web.post(path, data=await csrf(web, path) | changed | kept_as_it_was)
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=kept")
