"""Quarantine, budgets, holds, brakes, opt-outs and erasure on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.domain.model import Contact
from services.trigger.handlers.erasure import erase
from services.trigger.handlers.organisation import pull_brake, release_brake
from services.trigger.handlers.people import find_contact
from services.trigger.metrics import PLANS_PENDING
from services.trigger.store.brakes import Brake
from services.trigger.store.directory import get_contacts
from services.trigger.worker.due import DuePlans
from services.trigger.worker.gauges import Gauges
from shared.contracts.deliveries import (
    BounceKind,
    ContactUnsubscribed,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
    UnsubscribeScope,
)
from shared.contracts.directory import ContactErased, OrganisationChanged
from shared.contracts.forms import QuestionType
from shared.contracts.messages import MessageKind
from shared.contracts.model import Channel
from shared.contracts.programmes import ProgrammePublished
from shared.contracts.reasons import Reason
from shared.contracts.responses import Mood, ResponseSubmitted, Score
from shared.contracts.surveys import SurveyCancelled, SurveyReminderRequested, SurveyRequested
from shared.contracts.tickets import TicketOpened, TicketResolved, TicketState
from shared.runtime.ids import derive
from tests.support.databases import OpenDatabase
from tests.support.trigger import World

ACME = {"id": "a1", "name": "Acme"}


def person(number: int) -> dict[str, str]:
    return {"id": f"c{number}", "email": f"p{number}@kund.example", "zone": "Europe/Stockholm"}


def order(number: int) -> dict[str, str]:
    return {"kind": "order", "id": f"o{number}"}


async def deliver(world: World, number: int, who: int | None = None) -> None:
    told = person(number if who is None else who)
    await world.tell("order.delivered", contact=told, account=ACME, subject=order(number))


async def asked(world: World) -> list[SurveyRequested]:
    return await world.said(SurveyRequested)


async def contact_of(world: World, number: int) -> Contact:
    async with world.db.read() as conn:
        found = await find_contact(conn, world.sealer, f"c{number}")
        assert found is not None
        return (await get_contacts(conn, [found]))[found]


@pytest.mark.requirement("R53")
async def test_a_person_asked_lately_is_left_alone(world: World) -> None:
    await deliver(world, 1)
    await deliver(world, 2, who=1)
    await world.later(hours=2)
    assert len(await asked(world)) == 1
    books = await world.books()
    assert books.suppressed == {"quarantined": 1}
    await world.later(days=15)
    await deliver(world, 3, who=1)
    await world.later(hours=2)
    assert len(await asked(world)) == 2


async def test_an_account_is_asked_no_more_than_its_budget(world: World) -> None:
    for number in range(10):
        await deliver(world, number)
    await world.later(hours=2)
    assert len(await asked(world)) == 8
    assert (await world.books()).suppressed == {"account_budget": 2}


async def test_two_instances_never_exceed_a_cap(world: World, database: OpenDatabase) -> None:
    for number in range(30):
        await deliver(world, number)
    world.clock.advance(timedelta(hours=2))
    blind = world.sealer.blind
    loops = [DuePlans(await database("trigger"), blind) for _ in range(4)]

    async def turn(loop: DuePlans) -> None:
        for _ in range(5):
            await loop.run()

    async with asyncio.TaskGroup() as tasks:
        for loop in loops:
            tasks.create_task(turn(loop))
    await world.due()
    assert len(await asked(world)) == 8
    await world.books()


@pytest.mark.parametrize("event", ["failed", "suppressed", "bounced"])
async def test_what_never_arrived_gives_its_place_back(world: World, event: str) -> None:
    for number in range(8):
        await deliver(world, number)
    await world.later(hours=2)
    (first, *_) = await asked(world)
    base: dict[str, Any] = {
        "delivery_id": "d1", "version": 1, "survey_id": first.survey_id, "channel": Channel.EMAIL,
        "snapshot": first.snapshot, "at": world.clock.now(),
    }  # fmt: skip
    news = {
        "failed": DeliveryFailed(**base, reason=Reason.INVALID_ADDRESS),
        "suppressed": DeliverySuppressed(**base, reason=Reason.UNSENDABLE),
        "bounced": DeliveryBounced(**base, kind=BounceKind.HARD),
    }[event]
    await world.hear(news)
    await world.hear(news)
    await deliver(world, 20)
    await world.later(hours=2)
    assert len(await asked(world)) == 9


def message(world: World, told: SurveyRequested, kind: MessageKind) -> dict[str, Any]:
    """The fields of a delivery of a message that is no survey, to somebody who was asked something."""
    return {
        "delivery_id": f"d-{kind}", "version": 1, "survey_id": None, "message_kind": kind,
        "message_id": str(derive("message", kind)), "channel": Channel.EMAIL, "snapshot": told.snapshot,
        "at": world.clock.now(),
    }  # fmt: skip


@pytest.mark.requirement("R94")
async def test_an_invitation_takes_a_place_of_the_budget_until_it_comes_back(world: World) -> None:
    for number in range(6):
        await deliver(world, number)
    await world.later(hours=2)
    (first, *_) = await asked(world)
    await world.hear(DeliveryHandedOver(**message(world, first, MessageKind.THANKS)))
    invited = message(world, first, MessageKind.INVITATION)
    await world.hear(DeliveryHandedOver(**invited), DeliveryHandedOver(**invited))
    for number in range(6, 9):
        await deliver(world, number)
    await world.later(hours=2)
    assert len(await asked(world)) == 7, "six surveys, an invitation and one survey more are eight"
    assert (await world.books()).suppressed == {"account_budget": 2}
    await world.hear(DeliveryBounced(**invited, kind=BounceKind.HARD))
    await deliver(world, 20)
    await world.later(hours=2)
    assert len(await asked(world)) == 8


@pytest.mark.requirement("R94")
async def test_who_was_invited_is_left_alone_and_may_have_been_when_nobody_knows(world: World) -> None:
    await deliver(world, 1)
    await world.later(hours=2)
    (first,) = await asked(world)
    await world.later(days=15)
    await world.hear(DeliveryUncertain(**message(world, first, MessageKind.INVITATION)))
    await deliver(world, 2, who=1)
    await world.later(hours=2)
    assert (await world.books()).suppressed == {"quarantined": 1}
    await world.later(days=15)
    await deliver(world, 3, who=1)
    await world.later(hours=2)
    assert len(await asked(world)) == 2


async def test_a_dead_address_is_not_used_again(world: World) -> None:
    await deliver(world, 1)
    await world.later(hours=2)
    (first,) = await asked(world)
    await world.hear(
        DeliveryBounced(
            delivery_id="d1", version=2, survey_id=first.survey_id, channel=Channel.EMAIL,
            snapshot=first.snapshot,
            at=world.clock.now(), kind=BounceKind.HARD,
        )
    )  # fmt: skip
    await deliver(world, 2, who=1)
    await world.later(hours=2)
    assert (await world.books()).suppressed == {"bounced": 1}
    await world.tell("contact.updated", contact={**person(1), "email": "new@kund.example"})
    await deliver(world, 3, who=1)
    await world.later(hours=2)
    assert len(await asked(world)) == 2


@pytest.mark.parametrize(("scope", "asks"), [(UnsubscribeScope.ALL, 0), (UnsubscribeScope.PROGRAMME, 1)])
async def test_who_opted_out_is_not_asked(world: World, scope: UnsubscribeScope, asks: int) -> None:
    await world.tell("contact.updated", contact=person(1), account=ACME)
    contact = await contact_of(world, 1)
    told = ContactUnsubscribed(
        contact_id=str(contact.id),
        scope=scope,
        programme="support-csat",
        at=world.clock.now(),
        via="one_click",
    )
    await world.hear(told)
    await deliver(world, 1)
    await world.later(hours=2)
    assert len(await asked(world)) == asks


async def test_own_people_and_wrong_addresses_are_not_asked(world: World) -> None:
    for number, email in enumerate(["me@mail.nordlicht.example", "not an address", ""]):
        told = {**person(number), "email": email}
        await world.tell("order.delivered", contact=told, account=ACME, subject=order(number))
    await world.later(hours=2)
    assert (await world.books()).suppressed == {"own_company": 1, "invalid_address": 1, "no_channel": 1}


async def test_an_answer_stops_reminders(world: World) -> None:
    await deliver(world, 1)
    await world.later(hours=2)
    (first,) = await asked(world)
    await world.hear(
        ResponseSubmitted(
            response_id=str(UUID(int=1)), survey_id=first.survey_id, version=1, snapshot=first.snapshot,
            at=world.clock.now(), received_at=world.clock.now(), first_at=world.clock.now(), primary="csat",
            mood=Mood.HAPPY, low=2, scores=(Score(question="csat", type=QuestionType.CSAT, value=5),),
        )
    )  # fmt: skip
    await world.until(world.clock.now() + timedelta(days=8))
    assert await world.said(SurveyReminderRequested) == []
    assert (await world.books()).answered == 1


async def test_an_open_ticket_holds_a_person_and_its_end_lets_go(world: World) -> None:
    await world.tell("contact.updated", contact=person(1), account=ACME)
    await deliver(world, 7, who=2)
    await world.later(hours=2)
    (other,) = await asked(world)
    contact = await contact_of(world, 1)
    now = world.clock.now()
    base: dict[str, Any] = {
        "ticket_id": "t1", "snapshot": other.snapshot, "survey_ids": (), "contact_ids": (str(contact.id),),
        "opened_at": now, "contact_due_at": now, "at": now,
    }  # fmt: skip
    opened = TicketOpened(**base, version=1, state=TicketState.OPEN)
    await world.hear(opened)
    await deliver(world, 1)
    await world.later(hours=3)
    assert len(await asked(world)) == 1
    assert ("deferred", "held") in await world.reasons()
    await world.hear(TicketResolved(**base, version=2, state=TicketState.RESOLVED))
    await world.hear(opened)
    await world.due()
    assert len(await asked(world)) == 2


async def test_an_incident_holds_its_account(world: World) -> None:
    await world.tell("customer.signed_up", contact=person(1), account=ACME)
    world.clock.advance(timedelta(days=14))
    await world.tell("incident.opened", account=ACME, subject={"kind": "incident", "id": "i1"})
    await world.due()
    assert await asked(world) == []
    await world.later(days=1)
    await world.tell("incident.resolved", account=ACME, subject={"kind": "incident", "id": "i1"})
    await world.due()
    assert len(await asked(world)) == 1


@pytest.mark.parametrize("scope", ["all", "programme", "account"])
async def test_the_brake_holds_and_lets_go(world: World, scope: str) -> None:
    await deliver(world, 1)
    contact = await contact_of(world, 1)
    subject = {"all": "", "programme": "delivery-csat", "account": str(contact.account_id)}[scope]
    async with world.db.begin() as tx:
        assert await pull_brake(tx, Brake(scope, subject, tx.now, "Olga", ""))
    async with world.db.begin() as tx:
        assert not await pull_brake(tx, Brake(scope, subject, tx.now, "Olga", ""))
    await world.later(hours=5)
    assert await asked(world) == []
    assert (await world.books()).pending == 1
    async with world.db.begin() as tx:
        assert await release_brake(tx, scope, subject)
    await world.due()
    assert len(await asked(world)) == 1
    if scope == "programme":
        states = [p.state for p in await world.said(ProgrammePublished) if p.programme == "delivery-csat"]
        assert states == ["active", "paused", "active"]
    if scope == "all":
        assert [o.paused for o in await world.said(OrganisationChanged)] == [False, True, False]


async def test_a_pause_beyond_the_moment_is_why(world: World) -> None:
    await deliver(world, 1)
    async with world.db.begin() as tx:
        await pull_brake(tx, Brake("all", "", tx.now, "Olga", ""))
    await world.later(hours=5)
    await world.later(days=4)
    assert (await world.books()).suppressed == {"paused": 1}


async def test_erasure_calls_everything_off_for_good(world: World) -> None:
    await deliver(world, 1)
    await world.later(hours=2)
    await world.later(days=20)
    await deliver(world, 2, who=1)
    contact = await contact_of(world, 1)
    for _ in range(2):
        async with world.db.begin() as tx:
            await erase(tx, world.sealer, [contact.id])
    assert len(await world.said(ContactErased)) == 1
    assert [c.reason for c in await world.said(SurveyCancelled)] == ["erased"]
    assert (await world.books()).cancelled == 1
    await deliver(world, 3, who=1)
    await world.tell(
        "order.delivered", contact={"email": "P1@Kund.example", "name": "Again"}, subject=order(4)
    )
    await world.later(hours=2)
    assert len(await asked(world)) == 1
    assert ("not_matched", "erased") in await world.reasons()
    gone = await contact_of(world, 1)
    assert gone.person == ""
    assert gone.email_hash == ""


async def test_a_deleted_contact_is_erased(world: World) -> None:
    await deliver(world, 1)
    await world.tell("contact.deleted", contact={"id": "c1"})
    await world.later(hours=2)
    assert await asked(world) == []
    assert len(await world.said(ContactErased)) == 1


@pytest.mark.requirement("R53")
async def test_a_more_important_question_goes_first(world: World) -> None:
    boss = {**person(1), "persona": "decision_maker"}
    user = {**person(2), "persona": "user"}
    await world.tell("customer.signed_up", contact=boss, account=ACME)
    await world.tell("customer.signed_up", contact=user, account=ACME)
    renewal = (world.clock.now() + timedelta(days=78)).date()
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on=renewal)
    await world.until(world.clock.now() + timedelta(days=30))
    requests = [(s.snapshot.persona, s.snapshot.programme) for s in await asked(world)]
    assert requests == [("user", "onboarding-ces"), ("decision_maker", "renewal-nps")]
    assert (await world.books()).suppressed == {"outranked": 1}


async def test_when_the_more_important_question_falls_away_the_other_is_asked(world: World) -> None:
    boss = {**person(1), "persona": "decision_maker"}
    await world.tell("customer.signed_up", contact=boss, account=ACME)
    renewal = (world.clock.now() + timedelta(days=78)).date()
    await world.tell("contract.renewal_date_set", account=ACME, renewal_on=renewal)
    await world.until(world.clock.now() + timedelta(days=15))
    assert await asked(world) == []
    await world.tell("contract.renewed", account=ACME)
    await world.until(world.clock.now() + timedelta(days=3))
    assert [s.snapshot.programme for s in await asked(world)] == ["onboarding-ces"]


async def test_handing_over_is_remembered_so_that_a_recall_takes_back_only_what_is_unsent(
    world: World,
) -> None:
    ticket = {"kind": "ticket", "id": "1"}
    other = {"kind": "ticket", "id": "2"}
    await world.tell("support_ticket.resolved", contact=person(1), subject=ticket)
    await world.tell("support_ticket.resolved", contact=person(2), subject=other)
    await world.later(hours=24)
    first, second = await asked(world)
    await world.hear(
        DeliveryHandedOver(
            delivery_id="d", version=1, survey_id=first.survey_id, channel=Channel.EMAIL,
            snapshot=first.snapshot,
            at=world.clock.now(),
        )
    )  # fmt: skip
    for one in (first, second):
        subject = {"kind": "ticket", "id": one.snapshot.subject_id}
        who = person(1 if one.snapshot.subject_id == "1" else 2)
        await world.tell("support_ticket.reopened", contact=who, subject=subject)
    assert [c.survey_id for c in await world.said(SurveyCancelled)] == [second.survey_id]
    await world.until(world.clock.now() + timedelta(days=6))
    assert await world.said(SurveyReminderRequested) == []


@pytest.mark.requirement("R53")
@pytest.mark.parametrize("sent", [False, True])
async def test_a_recall_frees_whom_its_quarantine_kept_waiting_unless_it_was_sent(
    world: World, sent: bool
) -> None:
    first, second = ({"kind": "ticket", "id": str(number)} for number in (1, 2))
    await world.tell("support_ticket.resolved", contact=person(1), subject=first)
    await world.later(hours=24)
    (survey,) = await asked(world)
    if sent:
        gone = DeliveryHandedOver(
            delivery_id="d", version=1, survey_id=survey.survey_id, channel=Channel.EMAIL,
            snapshot=survey.snapshot, at=world.clock.now(),
        )  # fmt: skip
        await world.hear(gone)
    await world.later(days=12)
    await world.tell("support_ticket.resolved", contact=person(1), subject=second)
    await world.later(hours=24)
    assert len(await asked(world)) == 1
    await world.tell("support_ticket.reopened", contact=person(1), subject=first)
    await world.due()
    assert [s.snapshot.subject_id for s in await asked(world)] == (["1"] if sent else ["1", "2"])


@pytest.mark.requirement("R62")
async def test_an_erasure_frees_a_place_in_the_budget_for_a_colleague_who_waits(world: World) -> None:
    for number in range(8):
        await deliver(world, number)
    await world.later(hours=2)
    await world.later(days=28)
    await deliver(world, 20)
    await world.later(hours=2)
    assert len(await asked(world)) == 8, "the budget is used up for a day or two more"
    await world.tell("contact.deleted", contact=person(3))
    await world.due()
    assert len(await asked(world)) == 9


async def test_a_recall_that_came_too_late_keeps_the_place(world: World) -> None:
    await world.tell("support_ticket.resolved", contact=person(1), subject={"kind": "ticket", "id": "1"})
    await world.later(hours=24)
    (first,) = await asked(world)
    await world.tell("support_ticket.reopened", contact=person(1), subject={"kind": "ticket", "id": "1"})
    # The mail had left when the recall was decided; word of it comes only now.
    await world.hear(
        DeliveryHandedOver(
            delivery_id="d", version=1, survey_id=first.survey_id, channel=Channel.EMAIL,
            snapshot=first.snapshot, at=world.clock.now(),
        )
    )  # fmt: skip
    await deliver(world, 1)
    await world.later(hours=2)
    assert len(await asked(world)) == 1, "a person who got a mail is left alone, recalled or not"


async def test_one_delivery_heard_twice_at_the_same_moment_is_one_plan(
    world: World, database: OpenDatabase
) -> None:
    """By two instances, with two event ids and two ways of naming the same new person."""
    other = World(await database("trigger"), world.clock, world.sealer, world.publisher)
    mail_only = {"email": "p1@kund.example", "name": "P"}
    async with asyncio.TaskGroup() as tasks:
        for number in range(10):
            subject, kind = order(number), "order.delivered"
            both = {"account": ACME, "subject": subject}
            tasks.create_task(world.tell(kind, id=f"kafka{number}", contact=person(1), **both))
            tasks.create_task(other.tell(kind, id=f"hook{number}", contact=mail_only, **both))
    books = await world.books()
    assert books.planned == 10
    async with world.db.read() as conn:
        assert await conn.fetchval("select count(*) from contacts") == 1


async def test_gauges_count_what_waits(world: World) -> None:
    await deliver(world, 1)
    await Gauges(world.db).run()
    assert PLANS_PENDING.labels("")._value.get() == 1
    await world.later(hours=2)
    await Gauges(world.db).run()
    assert PLANS_PENDING.labels("")._value.get() == 0
