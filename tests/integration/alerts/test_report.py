"""The report over HTTP: how quickly, what was late, was it mended; by team and owner, also as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.alerts.domain.alarm import Text
from services.alerts.domain.teams import read_roster
from services.alerts.handlers.actions import Action
from services.alerts.handlers.leading import plan_reports, send_reports
from shared.errors import SendError
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Scope
from shared.security.people import SignedIn
from shared.security.sealing import Sealer
from tests.support.alert_site import PASSWORD, Site, night, site
from tests.support.alerts import HOUR, T0
from tests.support.databases import OpenDatabase

TEAMS = """
teams:
  nordic: {name: Nordic, zone: Europe/Oslo, rota: [{people: [ola@afterword.test], first: 2026-03-02}]}
routes: [{team: nordic, when: {tier: [premium]}}]
"""


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    """Four cases of one night: Ana's and Tiny's are Rita's, Nordlys' is Ola's, Blue Harbor's was taken."""
    made = site(await database("alerts"), sealer, clock)
    await night(made)
    return made


@pytest.fixture
async def web(on: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        client.cookies.set("afterword", on.tokens["rita"])
        yield client


async def lines(web: httpx.AsyncClient, **asked: Any) -> dict[tuple[str, str], dict[str, Any]]:
    answer = await web.get("/v1/tickets/report", params=asked)
    assert answer.status_code == 200, answer.text
    return {(one["by"], one["name"]): one for one in answer.json()["lines"]}


@pytest.mark.requirement("R72", "R83")
async def test_how_quickly_and_what_was_late_by_team_and_owner(on: Site, web: httpx.AsyncClient) -> None:
    found = await lines(web)
    whole, rita, ola = (
        found[key] for key in (("all", "All"), ("owner", "Rita Ek"), ("owner", "Ola Nordmann"))
    )
    assert (whole["cases"], whole["late"]) == (4, 1)
    assert (rita["cases"], rita["late"]) == (3, 1), "nobody has called Ana within 24 hours"
    assert ola["contacted"] == {"n": 1, "waiting": 0, "median_hours": 7.0, "p90_hours": None}
    assert rita["taken"]["n"] == 2
    assert rita["contacted"] == {"n": 0, "waiting": 3, "median_hours": None, "p90_hours": None}
    assert found["team", "The shared rota"]["cases"] == 4


async def test_a_case_that_was_denied_counts_again_and_as_not_mended(
    on: Site, web: httpx.AsyncClient
) -> None:
    await on.does("ola", "cy", Action.RESOLVE, cause="other", note="Replaced.")
    await on.moves(40)
    await on.does("ola", "cy", Action.DENY, note="Broken again.")
    await on.moves(41)
    ola = (await lines(web))["owner", "Ola Nordmann"]
    assert (ola["cases"], ola["opened_again"], ola["ended"], ola["not_mended"]) == (2, 1, 1, 1)
    assert ola["recovered"] == 0
    assert ola["resolved"] == {"n": 1, "waiting": 1, "median_hours": 14.0, "p90_hours": None}
    later = (T0 + 39 * HOUR).isoformat()
    assert (await lines(web, since=later))["all", "All"]["cases"] == 1, "the round that began since"
    assert (await lines(web, until=later))["all", "All"]["ended"] == 0, "the no came after that"


async def test_one_team_or_one_owner(on: Site, web: httpx.AsyncClient) -> None:
    roster = read_roster(TEAMS).value
    assert roster is not None
    on.desk = replace(on.desk, roster=roster)
    async with on.db.begin() as tx:
        await tx.conn.execute("update tickets set team = 'nordic' where id = $1", await on.case_of("cy"))
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as again:
        again.cookies.set("afterword", on.tokens["rita"])
        assert set(await lines(again, team="nordic")) == {
            ("all", "All"), ("team", "Nordic"), ("owner", "Ola Nordmann")
        }  # fmt: skip
        assert ("team", "Nordic") not in await lines(again, team="-")
        assert (await lines(again, owner="-"))["all", "All"]["cases"] == 0
        assert (await lines(again, owner=str(on.users["rita"])))["all", "All"]["cases"] == 3
        page = (await again.get("/inbox/report?team=nordic&by=owner", headers={"accept": "text/html"})).text
        assert "Ola Nordmann</b>" in page
        assert "Rita Ek</b>" not in page


async def test_the_page_has_its_filters_in_its_address_and_gives_the_same_as_a_file(
    web: httpx.AsyncClient,
) -> None:
    page = (await web.get("/inbox/report?days=7&from=2026-03-03&to=2026-03-04&by=owner")).text
    assert 'value="2026-03-03"' in page
    assert "of 4: nobody had called in time" in page
    (link,) = [part.split('"')[0] for part in page.split('href="') if "/report/table" in part[:40]]
    answer = await web.get(link.replace("&amp;", "&"))
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {(row["by"], row["name"]): row["cases"] for row in rows} == {
        ("all", "All"): "4", ("team", "The shared rota"): "4",
        ("owner", "Rita Ek"): "3", ("owner", "Ola Nordmann"): "1",
    }  # fmt: skip
    assert rows[0]["contacted_median_hours"] == ""


async def test_days_that_cannot_be_shown_are_named_and_spans_have_an_end(web: httpx.AsyncClient) -> None:
    page = await web.get("/inbox/report?from=yesterday")
    assert (page.status_code, "Write a day as 2026-03-31." in page.text) == (422, True)
    for wrong in ({"since": "2024-01-01T00:00:00Z"}, {"owner": "rita"}, {"since": "7"}):
        refused = await web.get("/v1/tickets/report", params=wrong)
        assert refused.status_code == 422, wrong
    empty = (await web.get("/inbox/report?from=2026-01-01&to=2026-01-02")).text
    assert "No case in this time" in empty
    assert (await web.get("/inbox/recovered")).headers["location"] == "/inbox/report"


async def test_programs_need_the_scope_of_tickets(on: Site) -> None:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as program:
        for scope, status in ((Scope.TICKETS_READ, 200), (Scope.SCORES_READ, 403)):
            _, key = await on.access.create_key("bi", {scope}, None)
            answer = await program.get("/v1/tickets/report", headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == status


@dataclass
class Letters:
    """Takes mails, or refuses them."""

    trouble: SendError | None = None
    sent: list[tuple[str, Text]] = field(default_factory=list)

    async def __call__(self, _id: UUID, to: str, _name: str, text: Text) -> None:
        if self.trouble:
            raise self.trouble
        self.sent.append((to, text))


@pytest.mark.requirement("R82", "R83")
async def test_leaders_and_managers_of_teams_get_it_each_month_once(on: Site, web: httpx.AsyncClient) -> None:
    roster = read_roster(TEAMS.replace("name: Nordic,", "name: Nordic, manager: mia@afterword.test,")).value
    assert roster is not None
    on.desk = replace(on.desk, roster=roster)
    async with on.db.begin() as tx:
        await tx.conn.execute("update tickets set team = 'nordic' where id = $1", await on.case_of("cy"))
    assert await plan_reports(on.desk, on.db) == 0, "a house that has just begun has nothing to report"
    on.clock.set(datetime(2026, 4, 1, 6, tzinfo=UTC))
    session = await on.access.sign_in("rita@afterword.test", PASSWORD, None)
    assert isinstance(session, SignedIn)
    web.cookies.set("afterword", session.token)
    letters = Letters(SendError("SMTP 451", permanent=False))
    assert await plan_reports(on.desk, on.db) == 2
    assert await plan_reports(on.desk, on.db) == 0
    assert await send_reports(on.desk, on.db, letters, "https://afterword.test") == 2
    assert await send_reports(on.desk, on.db, letters, "https://afterword.test") == 0
    page = (await web.get("/inbox/report?from=2026-03-01")).text
    assert mailed(page, "Ada Admin") == ("SMTP 451", "Is being sent")
    machine, letters.trouble = on.desk.machine, None
    assert isinstance(machine, FakeMachine)
    await machine.sleep(60)
    assert await send_reports(on.desk, on.db, letters, "https://afterword.test") == 2
    said = dict(letters.sent)
    assert said["ada@afterword.test"].headline.startswith("March had 4 cases; in")
    facts = said["ada@afterword.test"].facts
    assert dict(facts)["Nordic"].endswith("responsible: Mia Sol")
    assert [value.partition(",")[0] for label, value in facts if label == "To meet"] == [
        "Acme Robotics", "Nordlys Logistik Skandinavia", "Tiny Foods"
    ]  # fmt: skip
    assert said["mia@afterword.test"].subject.endswith("(Nordic)")
    page = (await web.get("/inbox/report?from=2026-03-01")).text
    assert "The report of March 2026 by mail" in page
    assert mailed(page, "Mia Sol") == ("", "Sent")


async def test_a_report_that_could_not_be_sent_says_why_and_to_which_address(
    on: Site, web: httpx.AsyncClient
) -> None:
    on.clock.set(datetime(2026, 4, 1, 6, tzinfo=UTC))
    session = await on.access.sign_in("rita@afterword.test", PASSWORD, None)
    assert isinstance(session, SignedIn)
    web.cookies.set("afterword", session.token)
    assert await plan_reports(on.desk, on.db) == 1
    letters = Letters(SendError("SMTP 550", permanent=True))
    assert await send_reports(on.desk, on.db, letters, "https://afterword.test") == 1
    page = (await web.get("/inbox/report?from=2026-03-01")).text
    assert mailed(page, "Ada Admin") == ("SMTP 550 (ada@afterword.test)", "Could not be sent")


def mailed(page: str, name: str) -> tuple[str, str]:
    """Why the mail of somebody did not go, and what the page says became of it."""
    found = re.search(rf"<li><span>{name}(.*?)</span></li>", page, re.DOTALL)
    assert found is not None
    texts = [text.strip() for text in re.split(r"<[^>]*>", found[1]) if text.strip()]
    return (texts[0] if len(texts) > 1 else "", texts[-1])
