"""Teams with rotas of their own: whose case it is, who is on call, swaps, gaps; pages and API over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from icalendar import Calendar

from services.alerts.domain.layers import Override
from services.alerts.domain.rooms import Rooms
from services.alerts.domain.teams import Roster, read_roster
from services.alerts.handlers.warning import notice_gaps, send_warnings
from services.alerts.store import rota
from services.alerts.worker import adopt_orphans
from shared.errors import SendError
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.alert_site import Site, site
from tests.support.alerts import T0, Mailer, snapshot
from tests.support.databases import OpenDatabase

HTML = {"accept": "text/html"}
FILE = """
teams:
  nordic:
    name: Nordic care
    zone: Europe/Stockholm
    manager: mia@afterword.test
    rota:
      - name: weeks
        people: [rita@afterword.test, ola@afterword.test]
        first: 2026-03-02
        hours: {days: [mon, tue, wed, thu, fri, sat]}
routes:
  - when: {region: [nordic]}
    team: nordic
    owner_first: false
"""


def roster() -> Roster:
    found = read_roster(FILE).value
    assert found is not None
    return found


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock, tokens: Tokens) -> Site:
    made = site(await database("alerts"), sealer, clock)
    made.desk = replace(made.desk, roster=roster(), tokens=tokens)
    await made.sign_in_everybody()
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HTML) as client:
        yield client


async def seen(web: httpx.AsyncClient, on: Site, who: str, path: str = "/rota") -> str:
    web.cookies.set("afterword", on.tokens[who])
    found = await web.get(path)
    assert found.status_code == 200
    return found.text


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form that posts there."""
    found = re.search(rf'<form[^>]* method="post" action="{action}">(.*?)</form>', page, re.DOTALL)
    assert found is not None
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[1]))


@pytest.mark.requirement("R80", "R72")
async def test_a_case_goes_to_its_team_and_stays_there_when_its_owner_leaves(on: Site) -> None:
    made = await on.says.answered("r1", 2, T0, snapshot=snapshot("acme", region="nordic"))
    await on.hears(made)
    async with on.db.read() as conn:
        row = await conn.fetchrow("select team, owner, owner_reason from tickets")
    assert row is not None
    assert (row["team"], row["owner"]) == ("nordic", on.users["rita"])
    assert row["owner_reason"] == "is on call for Nordic care; cases like this go to the team first"
    async with on.db.begin() as tx:
        await tx.conn.execute("update access.users set disabled_at = $2 where id = $1", on.users["rita"], T0)
    assert await adopt_orphans(on.desk, on.db) == 1
    async with on.db.read() as conn:
        assert await conn.fetchval("select owner from tickets") == on.users["ola"]


@pytest.mark.requirement("R72")
async def test_steps_while_nobody_takes_a_case_are_said_before_and_stand_on_its_timeline(
    on: Site, web: httpx.AsyncClient
) -> None:
    page = await seen(web, on, "ola", "/rota/policies?team=nordic")
    assert "While nobody takes it" in page
    assert "next on call: Ola Nordmann now" in page
    assert "manager: Mia Sol" in page
    assert (
        "These steps are for urgent cases. All steps are gone through once more, each 30 min later." in page
    )
    await on.hears(await on.says.answered("r1", 0, T0, snapshot=snapshot("acme", region="nordic")))
    case = await seen(web, on, "ola", f"/tickets/{await on.case_of('r1')}")
    assert "If nobody takes it within 15 min, Ola Nordmann (next on call) is told." in case
    await on.moves(0.25)
    case = await seen(web, on, "ola", f"/tickets/{await on.case_of('r1')}")
    assert "Nobody took the case for 15 min (step 1): Ola Nordmann (next on call) told" in case


@pytest.mark.requirement("R72")
async def test_a_house_that_wants_no_steps_is_told_so(on: Site) -> None:
    found = read_roster("escalation: {steps: []}").value
    assert found is not None
    on.desk = replace(on.desk, roster=found)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(on.app()), base_url="http://127.0.0.1", headers=HTML
    ) as again:
        assert "has no steps" in await seen(again, on, "ola", "/rota/policies")


@pytest.mark.requirement("R72")
async def test_two_reps_swap_shifts_and_both_see_it(on: Site, web: httpx.AsyncClient) -> None:
    page = await seen(web, on, "rita")
    offered = await web.post("/rota/swaps", data=form_of(page, "/rota/swaps"))
    assert (offered.status_code, offered.headers["location"]) == (303, "/rota?team=nordic")
    mine, theirs = await seen(web, on, "rita"), await seen(web, on, "ola")
    for page in (mine, theirs):
        assert "<strong>Rita Ek</strong> gives" in page
        assert ">offered<" in page
    assert "Agree" not in mine
    agree = re.search(r'action="(/rota/swaps/[^"]+/agree)"', theirs)
    assert agree is not None
    web.cookies.set("afterword", on.tokens["rita"])
    refused = await web.post(agree[1], data=form_of(mine, agree[1].replace("/agree", "/end")))
    assert refused.status_code == 409
    assert "Only the other of the two can agree" in refused.text
    for _ in range(2):
        theirs = await seen(web, on, "ola")
        web.cookies.set("afterword", on.tokens["ola"])
        fields = form_of(theirs, "/rota/swaps/[^/]+/end")
        assert (await web.post(agree[1], data=fields)).status_code == 303
    async with on.db.read() as conn:
        stands = await conn.fetch("select user_id, starts_at from rota_overrides order by starts_at")
    given, taken = datetime(2026, 3, 8, 23, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert [tuple(row) for row in stands] == [(on.users["ola"], given), (on.users["rita"], taken)]
    assert ">agreed<" in await seen(web, on, "rita")
    web.cookies.set("afterword", on.tokens["rita"])
    fields = form_of(await seen(web, on, "rita"), "/rota/swaps/[^/]+/end")
    assert (await web.post(agree[1].replace("/agree", "/end"), data=fields)).status_code == 303
    async with on.db.read() as conn:
        assert await conn.fetchval("select count(*) from rota_overrides") == 0


async def test_a_swap_of_shifts_that_are_not_theirs_is_refused(on: Site, web: httpx.AsyncClient) -> None:
    fields = form_of(await seen(web, on, "rita"), "/rota/swaps")
    for wrong, why in (
        ({"user": str(on.users["mia"])}, "somebody else's now"),
        ({"user": str(derive("stranger"))}, "not active"),
        ({"user": str(on.users["rita"])}, "same person"),
        ({"given_from": "yesterday"}, "Choose both shifts"),
        ({"given_from": "2026-03-02T08:00:00"}, "Choose both shifts"),
        ({"given_from": "2026-03-02T08:00:00+00:00"}, "has begun"),
    ):
        refused = await web.post("/rota/swaps", data={**fields, **wrong})
        assert refused.status_code == 409
        assert why in refused.text.replace("&#39;", "'")


@pytest.mark.requirement("R72")
async def test_gaps_are_on_the_page_and_in_the_api(on: Site, web: httpx.AsyncClient) -> None:
    page = await seen(web, on, "mia", "/rota?team=nordic")
    assert "Nobody is on call at times of the next weeks" in page
    assert "no layer counts at these hours" in page
    _, text = await on.access.create_key("reader", {Scope.TICKETS_READ}, None, None)
    web.cookies.clear()
    headers = {"authorization": f"Bearer {text}"}
    nordic, shared = (await web.get("/v1/rota?weeks=1", headers=headers)).json()
    assert (nordic["key"], nordic["now"]["user_id"]) == ("nordic", str(on.users["rita"]))
    assert nordic["next"]["user_id"] == str(on.users["rita"])
    assert [(gap["starts_at"], gap["ends_at"]) for gap in nordic["gaps"]] == [
        ("2026-03-07T23:00:00Z", "2026-03-08T23:00:00Z")
    ]
    assert (shared["key"], shared["now"], shared["gaps"]) == ("", None, [])
    assert (await web.get("/v1/rota?weeks=99", headers=headers)).status_code == 422


async def test_a_stand_in_of_a_team_is_kept_in_its_own_time(on: Site, web: httpx.AsyncClient) -> None:
    page = await seen(web, on, "mia", "/rota?team=nordic")
    fields = form_of(page, "/rota/overrides") | {
        "user": str(on.users["mia"]),
        "starts_at": "2026-03-08T00:00",
        "ends_at": "2026-03-09T00:00",
    }
    assert (await web.post("/rota/overrides", data=fields)).headers["location"] == "/rota?team=nordic"
    assert "no layer counts" not in (await seen(web, on, "mia", "/rota?team=nordic")).partition("16 Mar")[0]
    async with on.db.read() as conn:
        row = await conn.fetchrow("select team, starts_at from rota_overrides")
    assert row is not None
    assert (row["team"], row["starts_at"]) == ("nordic", datetime(2026, 3, 7, 23, tzinfo=UTC))


@pytest.mark.requirement("R72")
async def test_a_gap_that_comes_is_told_to_the_teams_manager_once(on: Site) -> None:
    mail = Mailer(SendError("SMTP 451", permanent=False))
    assert await notice_gaps(on.desk, on.db) == 1  # next Sunday; the second is too far
    assert await notice_gaps(on.desk, on.db) == 0
    assert await send_warnings(on.desk, on.db, mail, "https://afterword.test") == 1
    assert await send_warnings(on.desk, on.db, mail, "https://afterword.test") == 0  # it waits
    machine = on.desk.machine
    assert isinstance(machine, FakeMachine)
    await machine.sleep(60)
    mail.trouble = None
    assert await send_warnings(on.desk, on.db, mail, "https://afterword.test") == 1
    ((_, to, text),) = mail.sent
    assert to == "mia@afterword.test"
    assert text.headline == (
        "Nobody is on call for Nordic care from Sun 08 Mar 2026, 00:00 to Mon 09 Mar 2026, 00:00."
    )
    assert text.link == "https://afterword.test/rota?team=nordic"
    monday, saturday, sunday = (T0 + timedelta(days=days) for days in (6, 10, 12))
    for at, new in ((monday, 1), (saturday, 0), (sunday, 1), (sunday, 0)):  # each gap a week before it comes
        on.clock.set(at)
        assert await notice_gaps(on.desk, on.db) == new


@pytest.mark.requirement("R72")
async def test_a_warning_that_cannot_be_sent_is_seen_and_somebody_else_is_told(
    on: Site, web: httpx.AsyncClient
) -> None:
    mail = Mailer(SendError("SMTP 451", permanent=False))
    await notice_gaps(on.desk, on.db)
    await send_warnings(on.desk, on.db, mail, "https://afterword.test")
    assert "Mia Sol is not told yet: one try failed" in await seen(web, on, "rita", "/rota?team=nordic")
    machine = on.desk.machine
    assert isinstance(machine, FakeMachine)
    await machine.sleep(60)
    mail.trouble = SendError("SMTP 550", permanent=True)
    await send_warnings(on.desk, on.db, mail, "https://afterword.test")
    page = await seen(web, on, "rita", "/rota?team=nordic")
    assert "Mia Sol could not be told by mail" in page
    assert "SMTP 550" in page
    assert "Ada Admin is being told by mail" in page, "all managers are told instead"
    assert "nobody is on call at times to come" in await seen(web, on, "rita", "/inbox")
    found = (await web.get("/v1/rota/warnings", params={"state": "failed"})).json()
    assert [(one["team"], one["user_id"], one["attempts"], one["detail"]) for one in found] == [
        ("nordic", str(on.users["mia"]), 2, "SMTP 550")
    ]
    mail.trouble = None
    await send_warnings(on.desk, on.db, mail, "https://afterword.test")
    assert [to for _, to, _ in mail.sent] == ["ada@afterword.test"]
    assert "nobody is on call at times to come" not in await seen(web, on, "rita", "/inbox")
    assert await notice_gaps(on.desk, on.db) == 0


@pytest.mark.requirement("R72")
async def test_a_gap_that_was_filled_since_alarms_nobody(on: Site, web: httpx.AsyncClient) -> None:
    await notice_gaps(on.desk, on.db)
    await send_warnings(
        on.desk, on.db, Mailer(SendError("SMTP 550", permanent=True)), "https://afterword.test"
    )
    assert "nobody is on call at times to come" in await seen(web, on, "ola", "/inbox")
    async with on.db.begin() as tx:
        ((starts_at, ends_at),) = await tx.conn.fetch("select distinct starts_at, ends_at from gap_warnings")
        stand_in = Override(derive("o"), on.users["ola"], starts_at, ends_at, team="nordic")
        await rota.add_override(tx.conn, stand_in)
    assert "nobody is on call at times to come" not in await seen(web, on, "ola", "/inbox")


@pytest.mark.requirement("R72", "R80")
async def test_each_team_is_told_in_its_own_room_and_no_room_holds_back_another(on: Site) -> None:
    on.desk = replace(on.desk, rooms=Rooms(("slack",), {"nordic": ("slack:nordic",)}))
    await on.hears(
        await on.says.answered("r1", 2, T0, snapshot=snapshot("acme", region="nordic")),
        await on.says.answered("r2", 2, T0, account="tiny", contact="eli"),
    )
    async with on.db.read() as conn:
        rows = await conn.fetch(
            "select t.team, n.channel, n.state from notices n join tickets t on t.id = n.ticket_id "
            "where n.channel like 'slack%' order by 1"
        )
    assert [tuple(row) for row in rows] == [("", "slack", "pending"), ("nordic", "slack:nordic", "pending")]


@pytest.mark.requirement("R72")
async def test_shifts_come_as_a_calendar_by_a_signed_address(on: Site, web: httpx.AsyncClient) -> None:
    page = await seen(web, on, "ola", "/rota?team=nordic")
    mine, whole = re.findall(r'href="(/rota/feed/[^"]+[.]ics)"', page)
    web.cookies.clear()
    found = await web.get(whole)
    assert found.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(found.content)
    events = calendar.walk("VEVENT")
    assert calendar["x-wr-calname"] == "Nordic care"
    starts = [event.decoded("dtstart") for event in events]
    names = {str(event["summary"]).partition(":")[0] for event in events}
    assert names == {"Rita Ek", "Ola Nordmann", "Nobody on call"}
    assert len({str(event["uid"]) for event in events}) == len(events)
    assert all(event.decoded("dtend") > event.decoded("dtstart") for event in events)
    assert datetime(2026, 3, 30, 7, tzinfo=UTC) in starts  # 09:00 in summer time
    own = Calendar.from_ical((await web.get(mine)).content).walk("VEVENT")
    assert {str(event["summary"]) for event in own} == {"Ola Nordmann: on call, Nordic care"}


async def test_a_calendar_is_dead_for_strangers_forgers_and_those_who_left(
    on: Site, web: httpx.AsyncClient
) -> None:
    page = await seen(web, on, "ola", "/rota?team=nordic")
    addresses = re.findall(r'href="(/rota/feed/[^"]+[.]ics)"', page)
    web.cookies.clear()
    assert (await web.get(addresses[0][:-6] + "xx.ics")).status_code == 404
    async with on.db.begin() as tx:
        await tx.conn.execute("update access.users set disabled_at = $2 where id = $1", on.users["ola"], T0)
    assert [(await web.get(path)).status_code for path in addresses] == [404, 404]


@pytest.mark.requirement("R78")
async def test_trouble_that_comes_again_goes_to_specialists(on: Site) -> None:
    file = (
        "teams: {expert: {name: Specialists, rota: [{people: [ola@afterword.test], first: 2026-03-02}]}}\n"
        "routes: [{repeated: {cases: 2, days: 30}, team: expert, owner_first: false}]"
    )
    found = read_roster(file).value
    assert found is not None
    on.desk = replace(on.desk, roster=found)
    # Two cases, then one too late for both, then two within the time before it.
    for name, days in (("a", 0), ("b", 10), ("c", 41), ("d", 45), ("e", 71), ("f", 72)):
        at = T0 + timedelta(days=days)
        on.clock.set(at)
        await on.hears(await on.says.answered(name, 2, at))
        async with on.db.begin() as tx:
            await tx.conn.execute(
                "update tickets set state = 'closed', ended_at = opened_at where state <> 'closed'"
            )
        await on.hears(await on.says.answered(f"{name}-other", 2, at, account="nordlys", contact="cy"))
    async with on.db.read() as conn:
        rows = await conn.fetch(
            "select v.response_id, t.team from tickets t join voices v on v.ticket_id = t.id"
        )
    teams = {row["response_id"]: row["team"] for row in rows}
    assert [teams[derive("response", name)] for name in "abcdef"] == ["", "", "", "", "expert", "expert"]
