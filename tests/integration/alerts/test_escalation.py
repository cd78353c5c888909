"""Nobody takes a case, on a real database: steps, repeats, fall-backs, quiet hours, acknowledge and undo."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.model import Ticket
from services.alerts.domain.rota import Rota
from services.alerts.domain.teams import read_roster
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.store import cases, rota
from services.alerts.worker import hand_over, release_pages
from shared.contracts.responses import ResponseAmended
from shared.security.roles import Role
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, snapshot
from tests.support.made_notices import SITE, Postbox

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
USUAL = "teams: {}"
EVERY = "escalation: {steps: [{after: 10m, tell: [owner]}, {after: 20m, tell: [manager]}], repeat: 1}"


@pytest.fixture(autouse=True)
async def at_night(office: Office) -> None:
    """Rita is on call, Ola comes next, Mia is the manager; it is three in the morning."""
    office.clock.set(NIGHT)
    async with office.db.begin() as tx:
        await office.team.add(tx, "ola", Role.REP)
        members = (office.team.ids["rita"], office.team.ids["ola"])
        await rota.save(tx.conn, Rota(members, date(2026, 3, 2), 0))
    steps(office, USUAL)


def steps(office: Office, file: str) -> None:
    """What `alerts.yaml` says; no pages are held together, so that each is seen."""
    roster = read_roster(file).value
    assert roster is not None
    office.desk = replace(office.desk, roster=roster, page_every=timedelta())


async def unhappy(office: Office, name: str = "r1", score: int = 0, **more: Any) -> UUID:
    """A key account at the bottom of the scale: urgent, unless told otherwise."""
    said = await office.says.answered(name, score, NIGHT, account=name, contact=name, **more)
    await office.hears(said)
    ((ticket_id,),) = await office.rows(
        "select t.id from tickets t join voices v on v.ticket_id = t.id where v.response_id = $1",
        UUID(said.data.response_id),
    )
    assert isinstance(ticket_id, UUID)
    return ticket_id


async def rings_until(office: Office, minutes: int) -> None:
    """The clocks are looked at each minute."""
    while office.clock.now() < NIGHT + minutes * MINUTE:
        office.clock.set(office.clock.now() + MINUTE)
        await office.rings()


async def told(office: Office) -> list[tuple[int, str, str]]:
    """After how many minutes who was told at which step."""
    names = {str(user_id): name for name, user_id in office.team.ids.items()}
    rows = await office.rows(
        "select created_at, recipient, channel, step from notices where occasion = 'untaken'"
        " order by created_at, step, channel, recipient"
    )
    return [
        ((at - NIGHT) // MINUTE, names.get(recipient, channel), step) for at, recipient, channel, step in rows
    ]


async def does(office: Office, ticket_id: UUID, action: Action, who: str = "ola") -> None:
    async with office.db.begin() as tx:
        done = await act(office.desk, tx, ticket_id, Wish(action, office.team.ids[who]))
    assert isinstance(done, Ticket), done


@pytest.mark.requirement("R72")
async def test_an_urgent_case_at_three_in_the_morning_reaches_the_next_on_call_and_then_the_manager(
    office: Office,
) -> None:
    await unhappy(office)
    await rings_until(office, 120)
    assert sorted(await told(office)) == [
        (15, "ola", "untaken/1/1/15"),
        (30, "ada", "untaken/1/1/30"),
        (30, "mia", "untaken/1/1/30"),
        (45, "ola", "untaken/1/2/45"),
        (60, "ada", "untaken/1/2/60"),
        (60, "mia", "untaken/1/2/60"),
    ], "all managers, as the shared rota has none of its own"
    assert await office.rows(
        "select data ->> 'minutes', data ->> 'round', data ->> 'as' from timeline where kind = 'untaken'"
        " order by id"
    ) == [
        ("15", "1", "next_on_call"),
        ("30", "1", "manager manager"),
        ("45", "2", "next_on_call"),
        ("60", "2", "manager manager"),
    ]
    assert await office.rows("select clock from timers order by 1") == [("contact",), ("resolve",)]


@pytest.mark.requirement("R72")
async def test_the_promise_is_told_as_ever_beside_the_steps(office: Office) -> None:
    await unhappy(office)
    for hours in (12, 24, 48):
        office.clock.set(NIGHT + hours * HOUR)
        await office.rings()
    assert await office.rows(
        "select data ->> 'level', at from timeline where kind = 'escalated' order by id"
    ) == [("1", NIGHT + 12 * HOUR), ("2", NIGHT + 24 * HOUR), ("3", NIGHT + 48 * HOUR)]
    assert {minutes for minutes, _, _ in await told(office)} == {12 * 60}, "once, after the outage"


@pytest.mark.requirement("R72")
async def test_a_case_that_is_not_urgent_has_no_steps_until_it_becomes_so(office: Office) -> None:
    ticket_id = await unhappy(office, score=5)
    await rings_until(office, 20)
    assert await told(office) == []
    assert await office.rows("select count(*) from timers where clock = 'untaken'") == [(0,)]
    worse = await office.says.answered(
        "r2", 0, NIGHT + 20 * MINUTE, account="r1", contact="boss", snapshot=snapshot("r1", "boss")
    )
    await office.hears(worse)
    await rings_until(office, 36)
    assert await told(office) == [(35, "ola", "untaken/1/1/15")]
    async with office.db.read() as conn:
        found = await cases.ticket(conn, ticket_id)
    assert found is not None
    assert found.run.escalation is not None
    assert found.run.escalation.since == NIGHT + 20 * MINUTE


@pytest.mark.requirement("R72")
async def test_an_acknowledge_ends_the_steps_and_taking_it_back_lets_them_go_on(office: Office) -> None:
    ticket_id = await unhappy(office)
    mail = Postbox()
    await hand_over(office.desk, office.db, mail, SITE)
    opened = len(mail.taken)
    await rings_until(office, 15)
    await does(office, ticket_id, Action.ACKNOWLEDGE)
    assert await hand_over(office.desk, office.db, mail, SITE) == 0, "what was on its way wakes nobody"
    await rings_until(office, 24)
    assert await told(office) == [(15, "ola", "untaken/1/1/15")]
    await does(office, ticket_id, Action.UNDO)
    await all_handed_over(office, mail)
    assert [one.to for one in mail.taken[opened:]] == ["ola@afterword.test"]
    assert "Nobody has taken this case for 24 min" in mail.taken[-1].text.headline
    await rings_until(office, 31)
    assert [(minutes, step) for minutes, _, step in await told(office)][1:] == [(30, "untaken/1/1/30")] * 2


@pytest.mark.requirement("R72")
async def test_two_workers_at_once_and_a_restart_tell_each_step_once(office: Office) -> None:
    for number in range(6):
        await unhappy(office, f"r{number}")
    office.clock.set(NIGHT + 15 * MINUTE)
    async with asyncio.TaskGroup() as tasks:
        rounds = [tasks.create_task(office.rings()) for _ in range(3)]
    assert sum(task.result() for task in rounds) == 6
    assert await office.rings() == 0
    assert await office.rows("select count(*) from timeline where kind = 'untaken'") == [(6,)]
    assert len(await told(office)) == 6
    office.clock.set(NIGHT)  # the clock of the machine was set back
    assert await office.rings() == 0


@pytest.mark.requirement("R72")
async def test_a_case_that_has_ended_has_no_steps(office: Office) -> None:
    await unhappy(office)
    better = await office.says.answered(
        "r1", 9, NIGHT + 5 * MINUTE, account="r1", contact="r1", model=ResponseAmended, version=2
    )
    await office.hears(better)
    await rings_until(office, 60)
    assert await told(office) == []


@pytest.mark.requirement("R72")
async def test_in_quiet_hours_steps_of_a_normal_case_wait_for_the_morning(
    office: Office,
) -> None:
    steps(office, EVERY + '\nquiet_hours: {from: "22:00", to: "07:00"}')
    small = snapshot("calm", "calm", tier=None)
    ticket_id = await unhappy(office, "calm", 5, snapshot=small)
    await rings_until(office, 10)
    assert await told(office) == []
    assert await office.rows("select step, due_at, state from held_notices where occasion = 'untaken'") == [
        ("untaken/1/1/10", NIGHT.replace(hour=7), "held")
    ]
    await does(office, ticket_id, Action.ACKNOWLEDGE)
    office.clock.set(NIGHT.replace(hour=7))
    await release_pages(office.desk, office.db)
    assert await told(office) == [], "somebody has taken it by then"


async def test_a_notice_that_was_held_and_dropped_is_told_when_the_acknowledge_is_taken_back(
    office: Office,
) -> None:
    steps(office, EVERY + '\nquiet_hours: {from: "22:00", to: "03:20"}')
    ticket_id = await unhappy(office, "calm", 5, snapshot=snapshot("calm", "calm", tier=None))
    await rings_until(office, 10)
    office.clock.set(NIGHT + 19 * MINUTE)
    await does(office, ticket_id, Action.ACKNOWLEDGE)
    office.clock.set(NIGHT + 21 * MINUTE)
    await release_pages(office.desk, office.db)
    assert await told(office) == []
    await does(office, ticket_id, Action.UNDO)
    await release_pages(office.desk, office.db)
    assert [(who, step) for _, who, step in await told(office)] == [("rita", "untaken/1/1/10")]


@pytest.mark.requirement("R72")
async def test_a_step_that_reaches_nobody_is_told_to_the_manager_else_to_leadership(office: Office) -> None:
    async with office.db.begin() as tx:
        await tx.conn.execute(
            "update access.users set disabled_at = $2 where id = $1", office.team.ids["ola"], NIGHT
        )
    fall_back = "fall_back: [leadership, manager]"
    steps(office, f"escalation: {{steps: [{{after: 15m, tell: [next_on_call]}}], {fall_back}}}")
    await unhappy(office)
    await rings_until(office, 16)
    assert await told(office) == [(15, "ada", "untaken/1/1/15")], "administrators are the leadership here"
    assert await office.rows("select data ->> 'as' from timeline where kind = 'untaken'") == [
        ("leadership/next_on_call",)
    ]


@pytest.mark.requirement("R72")
async def test_of_a_storm_nobody_is_forgotten_when_the_case_that_leads_its_page_is_taken(
    office: Office,
) -> None:
    office.desk = replace(office.desk, page_every=15 * MINUTE)
    mail, every = Postbox(), {await unhappy(office, f"r{number}") for number in range(3)}
    await rings_until(office, 15)
    await all_handed_over(office, mail)
    office.clock.set(NIGHT + 30 * MINUTE)
    await release_pages(office.desk, office.db)
    ((leading,),) = await office.rows(
        "select ticket_id from notices where occasion = 'untaken' and state = 'pending'"
    )
    await does(office, leading, Action.ACKNOWLEDGE)
    await all_handed_over(office, mail)
    await release_pages(office.desk, office.db)
    await all_handed_over(office, mail)
    woken = [one.ticket_id for one in mail.taken if one.to == "ola@afterword.test"]
    assert len(woken) == 2
    assert set(woken) == every - {leading}


async def all_handed_over(office: Office, mail: Postbox) -> None:
    """Everything that is on its way arrives."""
    while await hand_over(office.desk, office.db, mail, SITE):
        pass


async def test_cases_from_before_there_were_policies_have_no_steps(office: Office) -> None:
    ticket_id = await unhappy(office)
    async with office.db.begin() as tx:
        await tx.conn.execute("update tickets set escalation = null where id = $1", ticket_id)
        await tx.conn.execute("delete from timers where clock = 'untaken'")
    await rings_until(office, 60)
    assert await told(office) == []
