"""Answers become tickets, in the database as in the rules."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.alerts.domain.model import Refused, Ticket
from services.alerts.handlers.actions import Action, Wish, act, settle
from services.alerts.handlers.responses import hear_all
from services.alerts.store import answers, books, cases
from shared.contracts.directory import AccountChanged, ContactErased
from shared.contracts.forms import QuestionType
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event

TICKETS = "select state, how, generation, version from tickets order by opened_at, id"


async def ticket_of(office: Office) -> Ticket:
    (row,) = await office.rows("select id from tickets where ended_at is null or true")
    async with office.db.read() as conn:
        found = await cases.ticket(conn, row[0])
    assert found is not None
    return found


async def do(office: Office, ticket: Ticket, action: Action, **more: Any) -> Ticket | Refused:
    wish = Wish(action, office.team.ids["rita"], **more)
    async with office.db.begin() as tx:
        return await act(office.desk, tx, ticket.id, wish)


@pytest.mark.requirement("R72", "R95")
@pytest.mark.parametrize(
    ("scale", "score", "opened"),
    [
        (QuestionType.NPS, 6, 1),
        (QuestionType.NPS, 7, 0),
        (QuestionType.CSAT, 2, 1),
        (QuestionType.CSAT, 3, 0),
        (QuestionType.CES, 3, 1),
        (QuestionType.CES, 4, 0),
    ],
)
async def test_an_unhappy_answer_of_any_scale_opens_one_ticket(
    office: Office, scale: QuestionType, score: int, opened: int
) -> None:
    office.says.scale = scale
    said = await office.says.answered("r1", score, T0)
    await office.hears(said)
    assert len(await office.rows(TICKETS)) == opened
    assert await office.emitted() == ["ticket.opened"] * opened


async def test_the_same_answer_twice_is_once(office: Office) -> None:
    said = await office.says.answered("r1", 2, T0)
    await office.hears(said)
    before = await office.rows("select * from timeline")
    await office.hears(said)
    await office.hears(said, said)
    assert await office.rows(TICKETS) == [("open", "", 1, 1)]
    assert await office.rows("select * from timeline") == before
    assert await office.emitted() == ["ticket.opened"]


async def test_what_happened_in_one_batch_is_folded_in_order(office: Office) -> None:
    await office.hears(
        await office.says.answered("r1", 2, T0),
        await office.says.answered("r2", 3, T0 + HOUR, contact="bo"),
        await office.says.answered("r1", 9, T0 + 2 * HOUR, model=ResponseAmended, version=2),
        await office.says.answered("r2", 10, T0 + 3 * HOUR, model=ResponseAmended, version=2, contact="bo"),
        await office.says.answered("r3", 0, T0 + 4 * HOUR, contact="cy"),
    )
    assert await office.rows(TICKETS) == [("closed", "amended", 1, 5), ("open", "", 1, 1)]
    assert await office.emitted() == ["ticket.opened", "ticket.joined", "ticket.resolved", "ticket.opened"]
    assert await office.rows("select count(*) from timers") == [(2,)]


async def test_an_older_version_that_comes_late_changes_nothing(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 9, T0 + HOUR, model=ResponseAmended, version=2))
    await office.hears(await office.says.answered("r1", 2, T0, version=1))
    assert await office.rows(TICKETS) == []


async def test_a_withdrawal_that_overtakes_its_answer_keeps_it_out(office: Office) -> None:
    await office.hears(office.says.withdrawn("r1", T0, version=2))
    await office.hears(await office.says.answered("r1", 2, T0, version=1))
    assert await office.rows(TICKETS) == []


async def test_customers_without_an_account_have_a_case_each(office: Office) -> None:
    await office.hears(
        await office.says.answered("r1", 2, T0, account=None, contact="ana"),
        await office.says.answered("r2", 2, T0, account=None, contact="bo"),
        await office.says.answered("r3", 2, T0, account=None, contact="bo"),
    )
    assert await office.rows("select count(*) from voices group by ticket_id order by 1") == [(1,), (2,)]


async def test_a_held_answer_waits_unconfirmed_and_pages_nobody(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, model=ResponseHeld))
    assert await office.rows(TICKETS) == []
    assert await office.rows("select state, due_at from unconfirmed") == [("waiting", T0 + 24 * HOUR)]
    office.clock.set(T0 + 24 * HOUR)
    assert await office.rings() == 1
    assert await office.rings() == 0
    assert await office.rows("select late_at is not null from unconfirmed") == [(True,)]
    assert await office.rows("select * from notices") == []
    assert await office.emitted() == []


async def test_a_released_answer_becomes_a_ticket_whose_clock_starts_then(office: Office) -> None:
    held = await office.says.answered("r1", 2, T0, model=ResponseHeld)
    freed = await office.says.answered("r1", 2, T0, model=ResponseReleased, version=2)
    later = freed.data.model_copy(update={"at": T0 + 5 * HOUR})
    await office.hears(held)
    await office.hears(event(later, T0 + 5 * HOUR))
    assert (await ticket_of(office)).run.contact_due_at == T0 + 29 * HOUR
    assert await office.rows("select state from unconfirmed") == [("released",)]


async def test_a_rep_can_take_an_unconfirmed_answer_for_real(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, model=ResponseHeld))
    office.clock.set(T0 + 3 * HOUR)
    for _ in range(2):
        async with office.db.begin() as tx:
            await settle(office.desk, tx, derive("response", "r1"), office.team.ids["rita"], real=True)
    assert (await ticket_of(office)).run.contact_due_at == T0 + 27 * HOUR
    assert await office.rows("select state from unconfirmed") == [("confirmed",)]
    assert await office.emitted() == ["ticket.opened"]


async def test_a_rep_can_put_a_machines_answer_away(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0, model=ResponseHeld))
    async with office.db.begin() as tx:
        await settle(office.desk, tx, derive("response", "r1"), office.team.ids["rita"], real=False)
    assert await office.rows("select state from unconfirmed") == [("dismissed",)]
    assert await office.rows(TICKETS) == []


async def test_a_verdict_of_machine_takes_the_ticket_back(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    await office.hears(office.says.withdrawn("r1", T0 + HOUR, version=2))
    assert await office.rows(TICKETS) == [("closed", "withdrawn", 1, 3)]
    assert await office.rows("select * from timers") == []


async def test_unreadable_answers_are_put_aside_one_by_one(office: Office) -> None:
    good = await office.says.answered("r1", 2, T0)
    data = good.data.model_copy(update={"response_id": "r-2"})
    scoreless = good.data.model_copy(update={"response_id": str(derive("r3")), "scores": ()})
    async with office.db.begin() as tx:
        await hear_all(office.desk, [event(data, T0), good, event(scoreless, T0)], tx)
        assert [reason for _, reason in tx.rejected] == [
            "field response_id: not a UUID",
            "field scores: the primary question has no score",
        ]
    assert len(await office.rows(TICKETS)) == 1


@pytest.mark.requirement("R72")
async def test_the_owner_of_the_account_gets_it_as_the_directory_knows_them_now(office: Office) -> None:
    account = AccountChanged(
        account_id=str(derive("account", "acme")), version=1, name="Acme", owner="Rita@afterword.test"
    )
    await office.hears(event(account, T0), await office.says.answered("r1", 2, T0))
    assert (await ticket_of(office)).owner.user_id == office.team.ids["rita"]
    assert await office.rows("select occasion, channel, recipient from notices order by channel") == [
        ("opened", "email", str(office.team.ids["rita"])),
        ("opened", "slack", "team"),
    ]


async def test_without_owner_and_rota_all_managers_are_asked(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    ticket = await ticket_of(office)
    assert ticket.owner.user_id is None
    told = {row[0] for row in await office.rows("select recipient from notices where channel = 'email'")}
    assert told == {str(office.team.ids["mia"]), str(office.team.ids["ada"])}


@pytest.mark.requirement("R72")
async def test_the_levels_come_in_turn_each_once(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    for hour in (11, 12, 13, 24, 30, 48, 60):
        office.clock.set(T0 + hour * HOUR)
        await office.rings()
    assert await office.rows(
        "select data ->> 'level', at from timeline where kind = 'escalated' order by id"
    ) == [("1", T0 + 12 * HOUR), ("2", T0 + 24 * HOUR), ("3", T0 + 48 * HOUR)]
    assert await office.emitted() == ["ticket.opened", *["ticket.escalated"] * 3]
    occasions = await office.rows("select distinct occasion from notices order by 1")
    assert occasions == [("late",), ("leadership",), ("opened",), ("reminder",)]


async def test_after_an_outage_only_the_highest_level_is_told(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    office.clock.set(T0 + 20 * timedelta(days=1))
    assert await office.rings() == 1
    assert await office.rows(
        "select data ->> 'clock', data ->> 'level' from timeline where kind = 'escalated'"
    ) == [
        ("contact", "3"),
        ("resolve", "2"),
    ]
    assert await office.rings() == 0
    assert await office.rows("select * from timers") == []


async def test_two_workers_at_once_tell_it_once(office: Office) -> None:
    for number in range(6):
        await office.hears(await office.says.answered(f"r{number}", 2, T0, account=f"a{number}"))
    office.clock.set(T0 + 12 * HOUR)
    async with asyncio.TaskGroup() as tasks:
        rounds = [tasks.create_task(office.rings()) for _ in range(3)]
    assert sum(task.result() for task in rounds) == 6
    assert await office.rows("select count(*) from timeline where kind = 'escalated'") == [(6,)]


@pytest.mark.requirement("R72")
async def test_from_acknowledged_to_resolved(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    ticket = await ticket_of(office)
    office.clock.set(T0 + HOUR)
    assert isinstance(await do(office, ticket, Action.RESOLVE, cause="price", note="x"), Refused)
    await do(office, ticket, Action.ACKNOWLEDGE)
    await do(office, ticket, Action.ATTEMPT, via="phone", note="no answer")
    await do(office, ticket, Action.CONTACT, via="phone", note="Spoke with Ana: invoice was wrong.")
    await do(office, ticket, Action.CONTACT, via="phone")
    done = await do(office, ticket, Action.RESOLVE, cause="price", note="Sent a corrected invoice.")
    assert isinstance(done, Ticket)
    assert (done.state, done.cause) == ("resolved", "price")
    assert await office.emitted() == [
        "ticket.opened",
        "ticket.acknowledged",
        "ticket.contacted",
        "ticket.resolved",
    ]
    kinds = [row[0] for row in await office.rows("select kind from timeline order by id")]
    assert kinds == ["opened", "assigned", "acknowledged", "attempted", "contacted", "resolved"]
    office.clock.set(T0 + 100 * HOUR)
    assert await office.rings() == 0


async def test_notes_are_sealed_and_go_dark_with_the_contact(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    ticket = await ticket_of(office)
    await do(office, ticket, Action.NOTE, note="Ana is in hospital")
    ((note, contact_id),) = await office.rows("select note, note_contact from timeline where note <> ''")
    assert "hospital" not in note
    assert contact_id == derive("contact", "ana")


async def test_an_erased_contact_leaves_nothing_readable(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=T0)
    await office.hears(event(erased, T0))
    assert await office.rows("select words, person from answers") == [("", "")]


async def test_an_answer_that_comes_after_the_erasure_leaves_nothing_readable(office: Office) -> None:
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=9, erased_at=T0)
    await office.hears(event(erased, T0))
    await office.hears(await office.says.answered("r1", 2, T0))
    assert await office.rows("select words, person from answers") == [("", "")]


async def test_whoever_looked_at_an_older_version_is_told(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    seen = await ticket_of(office)
    await office.hears(await office.says.answered("r2", 0, T0 + HOUR, contact="bo"))
    refused = await do(office, seen, Action.ACKNOWLEDGE, seen=seen.version)
    assert isinstance(refused, Refused)
    assert "changed" in refused.why


async def test_an_escalation_meanwhile_stops_nobody(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    seen = await ticket_of(office)
    office.clock.set(T0 + 12 * HOUR)
    await office.rings()
    assert isinstance(await do(office, seen, Action.ACKNOWLEDGE, seen=seen.version), Ticket)


async def test_a_case_is_not_opened_beside_another_open_one(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    first = await ticket_of(office)
    await do(office, first, Action.RESOLVE, cause="mistake", note="not them")
    await office.hears(await office.says.answered("r2", 2, T0 + HOUR))
    assert isinstance(await do(office, first, Action.REOPEN), Refused)


async def test_the_books_balance(office: Office) -> None:
    await office.hears(
        await office.says.answered("r1", 2, T0),
        await office.says.answered("r2", 2, T0, contact="bo"),
        await office.says.answered("r3", 2, T0, account="other"),
        await office.says.answered("r4", 9, T0),
        await office.says.answered("r5", 1, T0, model=ResponseHeld, account="third"),
    )
    office.clock.set(T0 + 25 * HOUR)
    await office.rings()
    async with office.db.read() as conn:
        found = await books.books(conn, office.clock.now())
        assert len(await answers.load(conn, {derive("response", "r4")})) == 1
    assert (found.unhappy, found.unhappy_without_ticket, found.held_in_tickets) == (3, 0, 0)
    assert found.tickets == {"open": 2}
    assert found.breaches == {"contact": 2}
    assert found.unconfirmed == {"waiting": 1}
    assert found.overdue_untold == 0
