"""One suite over every helpdesk that cases are kept in step with, each against its documented API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from services.alerts.connectors.freshdesk import Freshdesk
from services.alerts.connectors.hubspot import HubSpot
from services.alerts.connectors.jira import Jira
from services.alerts.connectors.salesforce import Salesforce
from services.alerts.connectors.zendesk import Zendesk
from services.alerts.domain.helpdesk import Helpdesk
from services.alerts.domain.outside import Case, Note, mark
from shared.errors import SendError
from shared.partners.api import Api
from shared.runtime.clock import FakeMachine
from shared.runtime.ids import derive
from tests.support.crmdesks import FreshdeskDesk, HubSpotDesk, SalesforceDesk
from tests.support.helpdesks import Desk, JiraDesk, ZendeskDesk

pytestmark = pytest.mark.requirement("R72")
TICKET = derive("ticket")
SAID = "Nobody called back. *Twice* [x](javascript:1) {panel} <img src=x onerror=alert(1)>"
CASE = Case(
    TICKET,
    "Ana Diaz (Acme) gave 2 of 10",
    f"{SAID}\n\nhttps://afterword.test/tickets/1",
    "urgent",
    "ana@acme.test",
    "Ana Diaz",
    "https://afterword.test/tickets/1",
)
SITE = "https://help.test"


@dataclass
class Bench:
    """A connector in front of a helpdesk."""

    of: Helpdesk
    desk: Desk


def zendesk(api: Api) -> Helpdesk:
    return Zendesk(api, SITE)


def jira(api: Api) -> Helpdesk:
    return Jira(api, SITE, "CARE", "Task")


def freshdesk(api: Api) -> Helpdesk:
    return Freshdesk(api, SITE)


def hubspot(api: Api) -> Helpdesk:
    return HubSpot(api, "0")


def salesforce(api: Api) -> Helpdesk:
    return Salesforce(api, SITE)


BENCHES: dict[str, tuple[type[Desk], Callable[[Api], Helpdesk]]] = {
    "zendesk": (ZendeskDesk, zendesk),
    "jira": (JiraDesk, jira),
    "freshdesk": (FreshdeskDesk, freshdesk),
    "hubspot": (HubSpotDesk, hubspot),
    "salesforce": (SalesforceDesk, salesforce),
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    kind, build = BENCHES[request.param]
    desk = kind()
    client = httpx.AsyncClient(base_url=SITE, transport=httpx.MockTransport(desk))
    return Bench(build(Api(client, FakeMachine())), desk)


async def failure(bench: Bench) -> SendError:
    with pytest.raises(SendError) as caught:
        await bench.of.create(CASE)
    return caught.value


async def test_a_case_is_put_there_with_its_words_and_found_again(bench: Bench) -> None:
    assert await bench.of.find(TICKET) is None
    made = await bench.of.create(CASE)
    assert await bench.of.find(TICKET) == made
    assert await bench.of.find(derive("other")) is None
    seen = await bench.of.read(made)
    assert seen is not None
    assert (seen.id, seen.solved, seen.url.startswith(SITE)) == (made, False, True)
    assert SAID in bench.desk.newest.said[0][1]


async def test_after_a_lost_answer_the_case_is_found_and_not_made_twice(bench: Bench) -> None:
    bench.desk.lose_answer = True
    assert (await failure(bench)).uncertain
    assert await bench.of.find(TICKET) == bench.desk.newest.id
    assert len(bench.desk.kept) == 1


async def test_notes_go_over_with_their_mark_and_comments_come_back_with_their_author(bench: Bench) -> None:
    made = await bench.of.create(CASE)
    await bench.of.comment(made, Note("17", "Rita: called, they wait for a part."))
    bench.desk.someone_writes("We ship tomorrow.")
    seen = await bench.of.read(made)
    assert seen is not None
    *_, ours, theirs = seen.comments
    assert mark("17") in ours.text
    assert (theirs.text, theirs.by) == ("We ship tomorrow.", "Sam Agent")
    assert len({comment.id for comment in seen.comments}) == len(seen.comments)


async def test_it_is_solved_and_opened_again(bench: Bench) -> None:
    made = await bench.of.create(CASE)
    for solved in (True, False, True):
        await bench.of.settle(made, solved=solved)
        seen = await bench.of.read(made)
        assert seen is not None
        assert seen.solved is solved
    assert bench.desk.newest.status == bench.desk.solved


async def test_one_that_was_deleted_there_is_gone(bench: Bench) -> None:
    made = await bench.of.create(CASE)
    bench.desk.kept.clear()
    assert await bench.of.read(made) is None


@pytest.mark.parametrize(
    ("answer", "permanent", "wait"),
    [
        pytest.param(httpx.Response(401), True, None, id="refused"),
        pytest.param(httpx.Response(422, json={"error": "x"}), True, None, id="not as they want it"),
        pytest.param(httpx.Response(429, headers={"retry-after": "30"}), False, 30, id="too many"),
        pytest.param(httpx.Response(409), False, None, id="somebody else is writing"),
        pytest.param(httpx.Response(503), False, None, id="broken"),
        pytest.param(httpx.Response(200, text="<html>"), False, None, id="a page"),
        pytest.param(httpx.Response(200, json=[1]), False, None, id="no object"),
        pytest.param(httpx.Response(200, json={}), False, None, id="says nothing"),
        pytest.param(httpx.ReadTimeout("slow"), False, None, id="silent"),
        pytest.param(httpx.ConnectError("down"), False, None, id="down"),
        pytest.param(httpx.RemoteProtocolError("garbage"), False, None, id="garbage"),
    ],
)
async def test_a_failure_says_whether_to_come_again(
    bench: Bench, answer: httpx.Response | Exception, permanent: bool, wait: int | None
) -> None:
    await bench.of.find(TICKET)
    bench.desk.fails_writing = [answer]
    error = await failure(bench)
    assert error.permanent is permanent
    assert error.retry_after == (timedelta(seconds=wait) if wait else None)
    assert "ana@" not in str(error)


@pytest.mark.parametrize("odd", ["../../users/1", "7?x=1", "7/../8", "%2e%2e"])
async def test_no_id_leads_elsewhere(bench: Bench, odd: str) -> None:
    assert await bench.of.read(odd) is None
    assert "users" not in bench.desk.asked[-1].url.path.split("/")[2:4]


@pytest.mark.parametrize(
    "shape",
    [{"tickets": 7}, {"issues": [7]}, {"tickets": [{"id": {}}]}, {"issues": None}, {"id": [7], "Id": {}}],
)
async def test_an_answer_of_another_shape_finds_nothing(bench: Bench, shape: object) -> None:
    await bench.of.find(TICKET)
    bench.desk.fails = [httpx.Response(200, json=shape)]
    if isinstance(bench.desk, FreshdeskDesk):
        with pytest.raises(SendError, match="no JSON list"):
            await bench.of.find(UUID(int=1))
    else:
        assert await bench.of.find(UUID(int=1)) is None
