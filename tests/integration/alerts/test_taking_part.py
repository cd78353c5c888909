"""Inviting those who raised an improvement to take part in it, and what follows a yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.improvements import Improvement
from services.alerts.domain.model import Refused
from services.alerts.domain.taking_part import REST, Said
from services.alerts.handlers import joining
from services.alerts.handlers.actions import Action as CaseAction
from services.alerts.handlers.actions import Wish as CaseWish
from services.alerts.handlers.actions import act as act_on_case
from services.alerts.handlers.improving import Action
from services.alerts.store import improvements
from shared.contracts.directory import ContactErased
from shared.contracts.messages import MessageKind, MessageRequested
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.integration.alerts.test_improvements import ID, cases, does, kept, unhappy
from tests.support.alerts import T0, event

TEXT = {"en": "Half an hour with the new export.", "sv": "En halvtimme med nya exporten."}


async def raised(office: Office, *people: str, resolved: bool = True) -> None:
    await kept(office)
    await unhappy(office, *people)
    for ticket in await cases(office):
        await does(office, Action.LINK, ticket=ticket)
        if resolved:
            await resolves(office, ticket)


async def resolves(office: Office, ticket: UUID) -> None:
    rita = office.team.ids["rita"]
    for wish in (
        CaseWish(CaseAction.CONTACT, rita, via="phone", note="Spoke with them."),
        CaseWish(CaseAction.RESOLVE, rita, cause="product_defect", note="Done.", lesson="Test it."),
    ):
        async with office.db.begin() as tx:
            assert not isinstance(await act_on_case(office.desk, tx, ticket, wish), Refused)


async def invited(office: Office) -> list[MessageRequested]:
    rows = await office.rows("select value from outbox where headers like '%message.requested%' order by id")
    found = [MessageRequested.model_validate_json(row[0]) for row in rows]
    return [one for one in found if one.kind is MessageKind.INVITATION]


async def says(office: Office, message_id: str, said: Said) -> Any:
    async with office.db.begin() as tx:
        return await joining.answer(office.desk, tx, UUID(message_id), said)


@pytest.mark.requirement("R94")
async def test_each_is_invited_once_and_a_yes_is_one_task_for_the_owner(office: Office) -> None:
    await raised(office, "ana", "bo")
    assert isinstance(await does(office, Action.INVITE, words=TEXT), Improvement)
    assert isinstance(await does(office, Action.INVITE, words=TEXT), Improvement)
    first, second = await invited(office)
    assert {one.slots["text"] for one in (first, second)} == {TEXT["en"]}
    for _ in range(2):
        await says(office, first.message_id, Said.YES)
    await says(office, first.message_id, Said.NO)
    await says(office, second.message_id, Said.NO)
    found = await office.rows("select kind, owner, contact_id, state, touched from tasks")
    ana = UUID(first.snapshot.contact_id)
    assert found == [("take_part", office.team.ids["rita"], ana, "open", True)]
    await says(office, second.message_id, Said.YES)
    assert await office.rows("select said, count(*)::int from invitation_answers group by 1") == [("yes", 2)]
    assert await office.rows("select count(*)::int from tasks") == [(2,)]


@pytest.mark.requirement("R94")
async def test_who_has_an_open_case_or_was_invited_lately_is_left_alone(office: Office) -> None:
    await raised(office, "ana", resolved=False)
    await does(office, Action.INVITE, words=TEXT)
    assert await invited(office) == []
    for ticket in await cases(office):
        await resolves(office, ticket)
    await does(office, Action.INVITE, words=TEXT)
    assert len(await invited(office)) == 1
    # A second improvement for the same people.
    async with office.db.begin() as tx:
        one = await improvements.get(tx.conn, ID)
        assert one is not None
        await improvements.save(tx.conn, replace(one, id=derive("improvement", "second")))
        await tx.conn.execute(
            "insert into improvement_cases select $1::uuid, ticket_id, at, by_user from improvement_cases",
            derive("improvement", "second"),
        )
    for days, number in ((REST - timedelta(hours=1), 1), (REST + timedelta(hours=1), 2)):
        office.clock.set(T0 + days)
        await does(office, Action.INVITE, words=TEXT, improvement=derive("improvement", "second"))
        assert len(await invited(office)) == number


@pytest.mark.requirement("R94")
async def test_once_it_is_shipped_nobody_is_invited_and_no_yes_opens_a_task(office: Office) -> None:
    await raised(office, "ana")
    await does(office, Action.INVITE, words=TEXT)
    (mail,) = await invited(office)
    await does(office, Action.SHIP)
    assert isinstance(await does(office, Action.INVITE, words=TEXT), Refused)
    assert (await says(office, mail.message_id, Said.YES)).over
    assert await office.rows("select id from tasks") == []


@pytest.mark.requirement("R94")
async def test_the_erased_take_part_in_nothing(office: Office) -> None:
    await raised(office, "ana")
    await does(office, Action.INVITE, words=TEXT)
    (mail,) = await invited(office)
    await office.hears(event(ContactErased(contact_id=mail.snapshot.contact_id, version=9, erased_at=T0), T0))
    assert (await says(office, mail.message_id, Said.YES)).said is None
    assert await office.rows("select id from tasks") == []
