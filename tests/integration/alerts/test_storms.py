"""Storms: 500 unhappy answers in a minute are few pages, and none of them is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.store import books
from services.alerts.worker import hand_over, release_pages
from shared.contracts.envelope import Event
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event, snapshot
from tests.support.made_notices import SITE, Postbox

ACCOUNTS, ANSWERS = 60, 500
MINUTE = timedelta(minutes=1)


async def sends(office: Office, *boxes: Postbox) -> int:
    """Let everything go out that may."""
    sent = 0
    while any(found := [await hand_over(office.desk, office.db, box, SITE) for box in boxes]):
        sent += sum(found)
    return sent


async def answers_of(office: Office) -> list[Event[Any]]:
    """One answer of each account, sealed, and the others made of them."""
    first = [
        await office.says.answered(
            f"a{n}", 0, T0, account=f"account-{n}", contact=f"person-{n}",
            snapshot=snapshot(f"account-{n}", f"person-{n}", context={"incident_id": "INC-1"}),
        )
        for n in range(ACCOUNTS)
    ]  # fmt: skip
    return [_copy(first[n % ACCOUNTS], n) for n in range(ANSWERS)]


def _copy(one: Event[Any], number: int) -> Event[Any]:
    at = T0 + number * MINUTE / ANSWERS
    ids = {"response_id": str(derive("r", number)), "survey_id": str(derive("s", number))}
    return event(one.data.model_copy(update={**ids, "at": at, "received_at": at}), at)


@pytest.mark.requirement("R72", "R77")
async def test_500_detractors_of_one_incident_in_a_minute(office: Office) -> None:
    mail, room = Postbox(), Postbox("slack")
    storm = await answers_of(office)
    for start in range(0, ANSWERS, 100):
        await office.hears(*storm[start : start + 100])
        await sends(office, mail, room)
    assert await office.rows("select count(*), count(distinct (case_key, incident)) from tickets") == [
        (ACCOUNTS, ACCOUNTS)
    ]
    assert await office.rows("select count(*), count(distinct response_id) from voices") == [
        (ANSWERS, ANSWERS)
    ]
    async with office.db.read() as conn:
        assert (await books.books(conn, office.clock.now())).unhappy_without_ticket == 0
    assert len(room.taken) == 1
    assert sorted(delivery.to for delivery in mail.taken) == ["ada@afterword.test", "mia@afterword.test"]
    office.clock.set(T0 + 15 * MINUTE - timedelta(seconds=1))
    assert await release_pages(office.desk, office.db) == 0
    office.clock.set(T0 + 15 * MINUTE)
    assert await release_pages(office.desk, office.db) > 0
    await sends(office, mail, room)
    assert (len(room.taken), len(mail.taken)) == (2, 4)
    told = room.taken[1].text
    assert told.subject.startswith(f"{ACCOUNTS} cases: ")
    assert sum(label == "Also" for label, _ in told.facts) == 20
    assert ("And", f"{ACCOUNTS - 21} more in the inbox") in told.facts
    assert await office.rows("select count(*) from held_notices where state = 'held'") == [(0,)]


async def test_the_next_page_waits_for_what_waits_already(office: Office) -> None:
    room = Postbox("slack")
    for n in range(3):
        await office.hears(await office.says.answered(f"r{n}", 2, T0, account=f"a{n}", contact=f"c{n}"))
    office.clock.set(T0 + 15 * MINUTE)
    await office.hears(await office.says.answered("r9", 2, T0 + 15 * MINUTE, account="a9", contact="c9"))
    assert await sends(office, room) == 1
    await release_pages(office.desk, office.db)
    await sends(office, room)
    assert [d.text.subject.split(":")[0] for d in room.taken[1:]] == ["3 cases"]


async def test_a_page_for_a_case_that_is_taken_meanwhile_is_not_sent(office: Office) -> None:
    room = Postbox("slack")
    for n in range(2):
        await office.hears(await office.says.answered(f"r{n}", 2, T0, account=f"a{n}", contact=f"c{n}"))
    await sends(office, room)
    ((held,),) = await office.rows("select ticket_id from held_notices where channel = 'slack'")
    async with office.db.begin() as tx:
        await act(office.desk, tx, held, Wish(Action.ACKNOWLEDGE, office.team.ids["rita"]))
    office.clock.set(T0 + HOUR)
    await release_pages(office.desk, office.db)
    assert await sends(office, room) == 0
    assert await office.rows("select state from held_notices where channel = 'slack'") == [("dropped",)]


async def test_a_late_voice_of_an_incident_opens_its_ticket_again(office: Office) -> None:
    about = snapshot(context={"incident_id": "INC-1"})
    await office.hears(await office.says.answered("r1", 2, T0, snapshot=about))
    ((ticket_id,),) = await office.rows("select id from tickets")
    office.clock.set(T0 + HOUR)
    async with office.db.begin() as tx:
        wish = Wish(Action.RESOLVE, office.team.ids["rita"], cause="mistake", note="not them")
        await act(office.desk, tx, ticket_id, wish)
    await office.hears(await office.says.answered("r2", 1, T0 + 90 * HOUR, contact="bo", snapshot=about))
    await office.hears(await office.says.answered("r3", 1, T0 + 90 * HOUR, contact="cy"))
    assert await office.rows("select id, state, generation from tickets") == [(ticket_id, "open", 2)]
    assert await office.rows("select count(*) from voices") == [(3,)]


async def test_what_was_pressed_by_mistake_is_taken_back_in_the_database_too(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    ((ticket_id,),) = await office.rows("select id from tickets")
    rita = office.team.ids["rita"]
    office.clock.set(T0 + HOUR)
    before = await office.rows("select clock, level, due_at from timers order by 1")
    for action in (Action.CONTACT, Action.WATCH, Action.UNDO):
        async with office.db.begin() as tx:
            await act(office.desk, tx, ticket_id, Wish(action, rita, via="phone", note="oops"))
    assert await office.rows("select state, contacted_at, undo, watchers from tickets") == [
        ("open", None, None, f'["{rita}"]')
    ]
    assert await office.rows("select clock, level, due_at from timers order by 1") == before
    assert await office.emitted() == ["ticket.opened", "ticket.contacted", "ticket.reopened"]
