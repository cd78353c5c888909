"""When a partner is slow, dead or asks to wait: the next way of the person, and nobody else waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from services.alerts.channels.port import Delivery
from services.alerts.domain.pace import Pace
from services.alerts.domain.ways import PATIENCE
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.handlers.opening import Number
from services.alerts.handlers.passing import pass_on
from services.alerts.store import journal, ways
from services.alerts.worker import hand_over
from shared.errors import SendError
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0
from tests.support.made_notices import SITE, Postbox

DOWN = SendError("SMTP 451", permanent=False)
REFUSED = SendError("SMTP 550: recipient refused", permanent=True)
NUMBER = "+46701234567"


@pytest.fixture
async def office(office: Office) -> Office:
    """Rita has a number and is given the case; nobody else is told at first."""
    office.desk = replace(office.desk, ways=("email", "sms"), page_every=timedelta())
    rita = office.team.ids["rita"]
    await office.hears(await office.says.answered("r1", 2, T0))
    async with office.db.begin() as tx:
        (sealed,) = await office.desk.sealer.seal(tx.conn, [(rita, Number(number=NUMBER))])
        await ways.save_number(tx.conn, rita, sealed)
        await tx.conn.execute("update notices set state = 'dropped'")
        (row,) = await tx.conn.fetch("select id from tickets")
        await act(office.desk, tx, row["id"], Wish(Action.ASSIGN, office.team.ids["mia"], to=rita))
        await tx.conn.execute("delete from notices where occasion <> 'assigned'")
    return office


async def tells(office: Office, box: Postbox) -> int:
    return await hand_over(office.desk, office.db, box, SITE)


async def pending(office: Office) -> set[tuple[str, str]]:
    rows = await office.rows("select channel, occasion from notices where state = 'pending'")
    return {(row[0], row[1]) for row in rows}


def wait(office: Office, time: timedelta) -> None:
    office.machine.advance(time.total_seconds())


@pytest.mark.requirement("R72")
async def test_when_mail_does_not_get_through_a_text_message_does(office: Office) -> None:
    mail, phone = Postbox(fails=DOWN), Postbox("sms")
    await tells(office, mail)
    wait(office, PATIENCE - timedelta(seconds=1))
    assert await pass_on(office.desk, office.db) == 0
    wait(office, timedelta(seconds=1))
    assert await pass_on(office.desk, office.db) == 1
    assert await pass_on(office.desk, office.db) == 0
    assert await tells(office, phone) == 1
    assert [delivery.to for delivery in phone.taken] == [NUMBER]
    mail.fails = None
    wait(office, timedelta(hours=1))
    assert await tells(office, mail) == 0
    (line,) = await office.rows("select data ->> 'next' from timeline where kind = 'passed_on'")
    assert line == ("sms",)


async def test_a_refused_address_is_passed_on_at_once(office: Office) -> None:
    phone = Postbox("sms")
    await tells(office, Postbox(fails=REFUSED))
    assert await pending(office) == {("sms", "assigned")}
    assert await tells(office, phone) == 1
    assert await pending(office) == set()


async def test_only_when_no_way_is_left_the_managers_are_told(office: Office) -> None:
    await tells(office, Postbox(fails=REFUSED))
    await tells(office, Postbox("sms", fails=SendError("HTTP 400", permanent=True)))
    assert await pending(office) == {("email", "unreachable"), ("slack", "unreachable")}


async def test_without_a_number_there_is_no_next_way(office: Office) -> None:
    async with office.db.begin() as tx:
        await ways.save_number(tx.conn, office.team.ids["rita"], "")
    await tells(office, Postbox(fails=DOWN))
    wait(office, PATIENCE)
    assert await pass_on(office.desk, office.db) == 1
    assert await pending(office) == {("email", "assigned")}
    assert await office.rows("select count(*) from timeline where kind = 'passed_on'") == [(0,)]


async def test_the_number_is_sealed(office: Office) -> None:
    (row,) = await office.rows("select number from numbers")
    assert NUMBER.removeprefix("+") not in row[0]


async def test_a_partner_that_asks_to_wait_is_left_alone_by_all_its_notices(office: Office) -> None:
    busy = SendError("HTTP 429", permanent=False, retry_after=timedelta(seconds=90))
    mail = Postbox(fails=busy, concurrency=1)
    await tells(office, mail)
    async with office.db.begin() as tx:
        (row,) = await tx.conn.fetch("select id from tickets")
        await act(
            office.desk,
            tx,
            row["id"],
            Wish(Action.ASSIGN, office.team.ids["rita"], to=office.team.ids["mia"]),
        )
    mail.fails = None
    wait(office, timedelta(seconds=89))
    assert await tells(office, mail) == 0
    wait(office, timedelta(seconds=1))
    assert await tells(office, mail) == 1


async def test_no_faster_than_the_pace(office: Office) -> None:
    office.desk = replace(office.desk, paces={"email": Pace(6, 2)})
    for n in range(5):
        await office.hears(
            await office.says.answered(f"x{n}", 1, T0 + HOUR, account=f"a{n}", contact=f"c{n}")
        )
    mail = Postbox(concurrency=8)
    went = [await tells(office, mail) for _ in range(2)]
    for _ in range(3):
        wait(office, timedelta(seconds=10))
        went.append(await tells(office, mail))
    assert went == [2, 0, 1, 1, 1]


async def test_a_partner_that_never_answers_delays_no_other_channel_and_no_clock(office: Office) -> None:
    started, ends = asyncio.Event(), asyncio.Event()

    class Stuck(Postbox):
        @override
        async def send(self, delivery: Delivery) -> None:
            started.set()
            await ends.wait()

    phone = Postbox("sms")
    async with asyncio.TaskGroup() as tasks:
        stuck = tasks.create_task(tells(office, Stuck()))
        await started.wait()
        wait(office, PATIENCE)
        assert await pass_on(office.desk, office.db) == 1
        assert await tells(office, phone) == 1
        office.clock.set(T0 + 24 * HOUR)
        assert await office.rings() > 0
        assert not stuck.done()
        ends.set()


async def test_every_attempt_is_in_the_log(office: Office) -> None:
    mail = Postbox(fails=DOWN)
    await tells(office, mail)
    wait(office, timedelta(seconds=5))
    mail.fails = None
    await tells(office, mail)
    (row,) = await office.rows("select id from tickets")
    assert isinstance(row[0], UUID)
    async with office.db.read() as conn:
        (logged,) = await journal.of_ticket(conn, row[0])
    assert [(one.attempt, one.outcome, one.detail) for one in logged.attempts] == [
        (1, "failed", "SMTP 451"),
        (2, "sent", ""),
    ]
