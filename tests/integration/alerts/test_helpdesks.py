"""Cases and their copies in a helpdesk, kept in step over whatever happens on either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from typing_extensions import override

from services.alerts.connectors.zendesk import Zendesk
from services.alerts.domain.outside import Case
from services.alerts.handlers.actions import Action
from services.alerts.handlers.outside import HOLD, POLL, POLL_ENDED, sync
from shared.partners.api import Api
from tests.integration.alerts.beside import Beside
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0
from tests.support.made_notices import SITE

pytestmark = pytest.mark.requirement("R72")


@pytest.fixture
async def beside(office: Office) -> Beside:
    office.desk = replace(office.desk, helpdesks=("zendesk",))
    await office.hears(await office.says.answered("r1", 2, T0))
    return Beside(office)


async def test_a_case_is_put_into_the_helpdesk_with_who_and_what_they_said(beside: Beside) -> None:
    assert await beside.compares() == 1
    kept = beside.there.newest
    assert kept.fields["subject"] == "Ana (Acme) gave 2 of 10"
    assert kept.fields["requester"]["email"] == "ana@acme.test"
    assert "Nobody called back." in kept.said[0][1]
    assert f"{SITE}/tickets/" in kept.said[0][1]
    assert await beside.lines() == ["created"]
    assert await beside.compares() == 0
    assert await beside.later() == 1
    assert (len(beside.there.kept), await beside.lines()) == (1, ["created"])


async def test_what_reps_write_goes_over_once_and_solving_solves(beside: Beside) -> None:
    await beside.compares()
    await beside.does(Action.CONTACT, 1, note="They wait for a part.")
    await beside.compares()
    await beside.does(Action.RESOLVE, 2, note="Part sent.", cause="product_defect")
    await beside.compares()
    await beside.later(POLL_ENDED)
    said = [text.partition("\n")[0] for _, text in beside.there.newest.said[1:]]
    assert said == [
        "Rita spoke with the customer: They wait for a part.",
        "Rita resolved the case: Part sent.",
    ]
    assert beside.there.newest.status == "solved"


async def test_what_is_written_there_stands_on_the_case_sealed(beside: Beside) -> None:
    await beside.compares()
    beside.there.someone_writes("We ship tomorrow.", "Sam Agent")
    await beside.later()
    await beside.later()
    rows = await beside.office.rows(
        "select data ->> 'by', note from timeline where data ->> 'what' = 'comment'"
    )
    assert [row[0] for row in rows] == ["Sam Agent"]
    assert "ship" not in rows[0][1]


async def test_solved_there_alone_ends_nothing_here_and_is_shown_once(beside: Beside) -> None:
    await beside.compares()
    beside.there.newest.status = "solved"
    await beside.later()
    await beside.later()
    assert await beside.lines() == ["created", "solved_there"]
    assert await beside.office.rows("select state from tickets") == [("open",)]


async def test_opened_again_there_is_shown(beside: Beside) -> None:
    await beside.compares()
    await beside.does(Action.CONTACT, 1)
    await beside.does(Action.RESOLVE, 2, note="Done.", cause="product_defect")
    await beside.compares()
    beside.there.newest.status = "open"
    assert await beside.later(POLL) == 0
    assert await beside.later(POLL_ENDED) == 1
    assert await beside.lines() == ["created", "open_there"]


async def test_one_deleted_there_is_said_once_and_left_alone(beside: Beside) -> None:
    await beside.compares()
    beside.there.kept.clear()
    assert await beside.later() == 1
    assert await beside.later() == 0
    assert await beside.lines() == ["created", "gone"]


@pytest.mark.parametrize("status", [401, 503])
async def test_trouble_is_shown_once_and_ends(beside: Beside, status: int) -> None:
    beside.there.fails = [httpx.Response(status), httpx.Response(status)]
    await beside.compares()
    await beside.later(timedelta(hours=1))
    assert await beside.lines() == ["trouble"]
    await beside.later(timedelta(hours=1))
    assert await beside.lines() == ["trouble", "created"]
    assert len(beside.there.kept) == 1


async def test_after_a_lost_answer_or_a_death_there_is_one_copy(beside: Beside) -> None:
    beside.there.lose_answer = True
    await beside.compares()
    beside.there.fails = [KeyError("the process dies here")]
    with pytest.raises(ExceptionGroup):
        await beside.later()
    assert await beside.compares() == 0
    assert await beside.later(HOLD) == 1
    assert (len(beside.there.kept), await beside.lines()) == (1, ["trouble", "created"])


async def test_who_comes_back_after_the_lease_writes_nothing(beside: Beside) -> None:
    client = httpx.AsyncClient(base_url="https://help.test", transport=httpx.MockTransport(beside.there))
    fast = Zendesk(Api(client, beside.office.machine), "https://help.test")

    class Slow(Zendesk):
        @override
        async def create(self, case: Case) -> str:
            made = await super().create(case)
            await beside.later(HOLD)
            return made

    await sync(beside.office.desk, beside.office.db, Slow(fast._api, "https://help.test"), SITE)
    assert (len(beside.there.kept), await beside.lines()) == (1, ["created"])


async def test_each_note_goes_over_in_its_turn(beside: Beside) -> None:
    await beside.compares()
    await beside.does(Action.NOTE, 1, note="First.")
    await beside.compares()
    await beside.does(Action.NOTE, 2, note="Second.")
    assert await beside.compares() == 1
    assert [text.partition("\n")[0] for _, text in beside.there.newest.said[1:]] == [
        "Rita wrote: First.",
        "Rita wrote: Second.",
    ]
