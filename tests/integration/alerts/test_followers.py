"""What partners that keep a state of their own hear of a case, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from typing_extensions import override

from services.alerts.channels.port import Delivery
from services.alerts.domain.model import Refused
from services.alerts.domain.rooms import Rooms
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.worker import hand_over
from shared.errors import SendError
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0
from tests.support.made_notices import SITE, Postbox

DOWN = SendError("HTTP 503", permanent=False)


@pytest.fixture
def office(office: Office) -> Office:
    office.desk = replace(office.desk, rooms=Rooms(("slack", "pagerduty")), followers=("pagerduty",))
    return office


async def does(office: Office, action: Action, hours: float, cause: str = "", note: str = "") -> None:
    """Rita does something, so many hours after the answer."""
    office.clock.set(T0 + hours * HOUR)
    async with office.db.begin() as tx:
        (row,) = await tx.conn.fetch("select id from tickets")
        done = await act(
            office.desk, tx, row["id"], Wish(action, office.team.ids["rita"], cause=cause, note=note)
        )
    assert not isinstance(done, Refused)


async def told(office: Office, box: Postbox) -> list[str]:
    """What the partner hears now, in order."""
    before = len(box.taken)
    while await hand_over(office.desk, office.db, box, SITE):
        pass
    return [delivery.occasion.value for delivery in box.taken[before:]]


async def test_a_partner_hears_that_a_case_is_new_taken_and_over(office: Office) -> None:
    pager, room = Postbox("pagerduty", 1), Postbox("slack", 1)
    await office.hears(await office.says.answered("r1", 2, T0))
    assert await told(office, pager) == ["opened"]
    await does(office, Action.ACKNOWLEDGE, 1)
    assert await told(office, pager) == ["taken"]
    await does(office, Action.CONTACT, 2)
    assert await told(office, pager) == []
    await does(office, Action.RESOLVE, 3, cause="product_defect", note="Repaired.")
    assert await told(office, pager) == ["ended"]
    await does(office, Action.REOPEN, 4)
    assert await told(office, pager) == ["reopened"]
    assert {d.ticket_id for d in pager.taken} == {pager.taken[0].ticket_id}
    assert await told(office, room) == ["reopened"]


async def test_after_an_outage_nobody_is_woken_for_a_case_that_somebody_has(office: Office) -> None:
    pager = Postbox("pagerduty", 1, DOWN)
    await office.hears(await office.says.answered("r1", 2, T0))
    assert await told(office, pager) == []
    await does(office, Action.ACKNOWLEDGE, 1)
    office.machine.advance(60)
    pager.fails = None
    assert await told(office, pager) == ["taken"]


async def test_no_late_end_closes_what_began_anew(office: Office) -> None:
    pager = Postbox("pagerduty", 1)
    await office.hears(await office.says.answered("r1", 2, T0))
    await told(office, pager)
    pager.fails = DOWN
    await does(office, Action.CONTACT, 1)
    await does(office, Action.RESOLVE, 2, cause="product_defect", note="Repaired.")
    await told(office, pager)
    await does(office, Action.REOPEN, 3)
    office.machine.advance(60)
    pager.fails = None
    assert (await told(office, pager))[-1] == "reopened"
    assert await office.rows("select state from notices where occasion = 'ended'") == [("dropped",)]


async def test_what_is_in_flight_is_not_overtaken(office: Office) -> None:
    other = Postbox("pagerduty", 1)
    await office.hears(await office.says.answered("r1", 2, T0))

    class Slow(Postbox):
        @override
        async def send(self, delivery: Delivery) -> None:
            await does(office, Action.ACKNOWLEDGE, 1)
            assert await told(office, other) == []
            await super().send(delivery)

    assert await hand_over(office.desk, office.db, Slow("pagerduty", 1), SITE) == 1
    assert await told(office, other) == ["taken"]
