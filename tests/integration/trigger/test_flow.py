"""One plan's whole way on a real database: from a touchpoint to a request, a reminder and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.model import Person
from shared.contracts.surveys import SurveyClosed, SurveyReminderRequested, SurveyRequested
from tests.support.trigger import World

ANNA = {
    "id": "c1",
    "email": "anna@kund.example",
    "name": "Anna Berg",
    "locale": "sv",
    "zone": "Europe/Stockholm",
}
ACME = {
    "id": "a1",
    "name": "Acme",
    "tier": "key",
    "industry": "saas",
    "owner": "maria.lind@nordlicht.example",
}


@pytest.mark.requirement("R11")
async def test_a_sign_up_is_asked_two_weeks_later_in_the_window(world: World) -> None:
    await world.tell("customer.signed_up", contact=ANNA, account=ACME, product="Atlas")
    await world.later(days=13, hours=23)
    assert await world.said(SurveyRequested) == []
    await world.later(hours=2)
    (asked,) = await world.said(SurveyRequested)
    assert asked.snapshot.programme == "onboarding-ces"
    assert asked.snapshot.locale == "sv"
    assert asked.snapshot.account_name == "Acme"
    assert asked.snapshot.tier == "key"
    assert asked.slots["product"] == "Atlas"
    assert asked.letter.sender_email == "maria@nordlicht.example"
    assert asked.closes_at == datetime(2026, 4, 16, 9, tzinfo=UTC)  # 30 days by the clock on Anna's wall
    async with world.db.read() as conn:
        (person,) = await world.sealer.open(conn, [(UUID(asked.snapshot.contact_id), asked.person)], Person)
    assert person == Person(name="Anna Berg", email="anna@kund.example")
    books = await world.books()
    assert (books.planned, books.requested) == (1, 1)


@pytest.mark.requirement("R49")
async def test_reminders_follow_until_the_survey_closes(world: World) -> None:
    await world.tell("customer.signed_up", contact=ANNA, account=ACME)
    await world.later(days=14)
    start = world.clock.now()
    await world.until(start + timedelta(days=31))
    reminders = await world.said(SurveyReminderRequested)
    assert [r.step for r in reminders] == [1, 2]
    assert all(r.requested_at.astimezone(UTC).weekday() in {1, 2, 3} for r in reminders)
    assert reminders[0].requested_at >= start + timedelta(days=4)
    (closed,) = await world.said(SurveyClosed)
    assert closed.closed_at == start + timedelta(days=30, hours=-1)  # summer time began
    versions = [r.version for r in reminders] + [closed.version]
    assert versions == [2, 3, 4]


async def test_twice_is_once(world: World) -> None:
    for number in range(2):
        await world.tell(
            "order.delivered", id=f"e{number}", contact=ANNA, subject={"kind": "order", "id": "o1"}
        )
    assert [r for r in await world.reasons() if r[0] != "not_matched"] == [("planned", "")]
    assert ("not_matched", "duplicate") in await world.reasons()
    await world.until(world.clock.now() + timedelta(days=1))
    assert len(await world.said(SurveyRequested)) == 1


async def test_the_same_delivery_by_webhook_and_kafka_is_one(world: World) -> None:
    order = {"kind": "order", "id": "o1"}
    await world.tell("order.delivered", contact={"email": "anna@kund.example", "name": "Anna"}, subject=order)
    await world.tell("order.delivered", contact=ANNA, subject=order)
    assert (await world.books()).planned == 1


@pytest.mark.requirement("R12")
async def test_a_ticket_solved_reopened_and_solved_has_one_plan(world: World) -> None:
    ticket = {"kind": "ticket", "id": "77"}
    await world.tell("support_ticket.resolved", contact=ANNA, subject=ticket)
    await world.later(hours=3)
    await world.tell("support_ticket.reopened", contact=ANNA, subject=ticket)
    await world.later(days=2)
    assert await world.said(SurveyRequested) == []
    assert (await world.books()).cancelled == 1
    await world.tell("support_ticket.resolved", contact=ANNA, subject=ticket)
    await world.until(world.clock.now() + timedelta(days=2))
    assert len(await world.said(SurveyRequested)) == 1
    books = await world.books()
    assert (books.planned, books.requested, books.cancelled) == (1, 1, 0)


@pytest.mark.requirement("R35", "R59")
async def test_a_renewal_plan_follows_its_date_and_asks_decision_makers(world: World) -> None:
    boss = {"id": "c2", "email": "boss@kund.example", "persona": "decision_maker", "zone": "Europe/Stockholm"}
    user = {"id": "c3", "email": "user@kund.example", "persona": "user"}
    await world.tell("contact.updated", contacts=[boss, user], account=ACME)
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on="2026-07-01")
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on="2026-09-01")
    await world.until(datetime(2026, 7, 2, 12, tzinfo=UTC))
    assert await world.said(SurveyRequested) == []
    await world.until(datetime(2026, 7, 9, 12, tzinfo=UTC))
    (asked,) = await world.said(SurveyRequested)
    assert asked.snapshot.persona == "decision_maker"
    assert asked.snapshot.programme == "renewal-nps"
    assert asked.slots["renewal_date"] == "September 1, 2026"
    books = await world.books()
    assert (books.planned, books.requested) == (1, 1)
    refused = [e.decision for e in await world.ledger() if e.decision.reason == "not_in_audience"]
    assert len(refused) == 1


async def test_a_renewed_contract_is_asked_again_next_term(world: World) -> None:
    boss = {"id": "c2", "email": "boss@kund.example", "persona": "decision_maker"}
    await world.tell("contact.updated", contact=boss, account=ACME)
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on="2026-05-15")
    await world.until(datetime(2026, 3, 25, 12, tzinfo=UTC))
    assert len(await world.said(SurveyRequested)) == 1
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on="2027-05-15")
    books = await world.books()
    assert (books.planned, books.requested, books.pending) == (2, 1, 1)


async def test_the_directory_is_told_once_per_change(world: World) -> None:
    await world.tell("contact.updated", contact=ANNA, account=ACME)
    await world.tell("contact.updated", contact=ANNA, account=ACME)
    await world.tell("contact.updated", contact={**ANNA, "job_function": "admin"}, account={"id": "a1"})
    contacts, accounts = await world.said(ContactChanged), await world.said(AccountChanged)
    assert [c.version for c in contacts] == [1, 2]
    assert contacts[-1].job_function == "admin"
    assert contacts[-1].person
    assert [a.version for a in accounts] == [1]


async def test_an_old_event_only_fills_what_is_empty(world: World) -> None:
    await world.tell(
        "contact.updated", contact={**ANNA, "name": "Anna New"}, account={"id": "a1", "name": "New"}
    )
    old = world.clock.now() - timedelta(days=9)
    await world.tell(
        "contact.updated",
        contact={**ANNA, "name": "Old", "job_function": "ops"},
        account={"id": "a1", "name": "Old", "region": "SE"},
        occurred_at=old,
    )
    account = (await world.said(AccountChanged))[-1]
    assert (account.name, account.region) == ("New", "SE")
    contact = (await world.said(ContactChanged))[-1]
    assert contact.job_function == "ops"
    async with world.db.read() as conn:
        (person,) = await world.sealer.open(conn, [(UUID(contact.contact_id), contact.person)], Person)
    assert person is not None
    assert person.name == "Anna New"


async def test_an_event_from_the_future_or_too_old_is_recorded_not_acted_on(world: World) -> None:
    order = {"kind": "order", "id": "o9"}
    ahead = await world.tell(
        "order.delivered", contact=ANNA, subject=order, occurred_at=_plus(world, hours=2)
    )
    old = await world.tell("order.delivered", contact=ANNA, subject=order, occurred_at=_plus(world, days=-30))
    (future,) = await world.ledger(event_ids=(ahead,))
    (late,) = await world.ledger(event_ids=(old,))
    assert future.decision.reason == "filtered"
    assert late.decision.reason == "expired"
    assert (await world.books()).planned == 0


async def test_an_event_that_no_programme_wants_is_in_the_ledger(world: World) -> None:
    event = await world.tell("something.odd", contact=ANNA)
    (entry,) = await world.ledger(event_ids=(event,))
    assert (entry.decision.outcome, entry.decision.reason) == ("not_matched", "not_matched")


def _plus(world: World, **span: float) -> datetime:
    return world.clock.now() + timedelta(**span)
