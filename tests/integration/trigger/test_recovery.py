"""A case that was resolved is asked about, by the gate; what is decided about it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.store import directory
from shared.contracts.cases import QuestionDecided
from shared.contracts.deliveries import ContactUnsubscribed, UnsubscribeScope
from shared.contracts.surveys import SurveyCancelled, SurveyRequested
from shared.contracts.tickets import TicketReopened, TicketResolved, TicketState
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.ids import derive
from tests.support.trigger import World

ACME = {"id": "a1", "name": "Acme", "tier": "key"}
ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg", "zone": "Europe/Stockholm"}
TICKET = str(derive("ticket", "one"))


async def unhappy(world: World) -> SurveyRequested:
    """Anna is asked after a delivery; her answer is what the case is about."""
    await world.tell("order.delivered", contact=ANNA, account=ACME, subject={"kind": "order", "id": "7"})
    await world.later(days=1)
    (first,) = await world.said(SurveyRequested)
    assert isinstance(first, SurveyRequested)
    return first


async def resolves(world: World, first: SurveyRequested, *, run: int = 1, **more: Any) -> None:
    """A rep resolves the case; its touchpoint comes back over the log."""
    fields = told(world, first, run=run, version=10 * run, state=TicketState.RESOLVED)
    resolved = TicketResolved.model_validate(fields | {"how": "person", "contacted": True, **more})
    await world.hear(resolved)
    await world.relayed()


def told(world: World, first: SurveyRequested, **more: Any) -> dict[str, Any]:
    now = world.clock.now()
    base = {
        "ticket_id": TICKET, "snapshot": first.snapshot, "survey_ids": (first.survey_id,),
        "contact_ids": (first.snapshot.contact_id,), "opened_at": now, "contact_due_at": now, "at": now,
    }  # fmt: skip
    return base | more


async def decisions(world: World) -> list[tuple[str, str]]:
    return [(one.outcome.value, one.reason or "") for one in await world.said(QuestionDecided)]


@pytest.mark.requirement("R72")
async def test_a_resolved_case_is_asked_about_a_day_later_whatever_the_quarantine(world: World) -> None:
    first = await unhappy(world)
    await resolves(world, first)
    (planned,) = await world.said(QuestionDecided)
    assert (planned.outcome, planned.ticket_id, planned.run) == ("planned", TICKET, 1)
    await world.later(hours=23)
    assert len(await world.said(SurveyRequested)) == 1
    await world.until(world.clock.now() + timedelta(days=4))
    _, asked = await world.said(SurveyRequested)
    assert (asked.snapshot.programme, asked.snapshot.context["case"]) == ("recovery", TICKET)
    assert asked.snapshot.contact_id == first.snapshot.contact_id
    requested = (await world.said(QuestionDecided))[-1]
    assert (requested.outcome, requested.question_id) == ("requested", asked.survey_id)
    assert requested.until == asked.closes_at
    await world.books()


async def test_whoever_opted_out_is_not_asked_and_the_case_hears_why(world: World) -> None:
    first = await unhappy(world)
    await resolves(world, first)
    await world.hear(
        ContactUnsubscribed(
            contact_id=first.snapshot.contact_id,
            scope=UnsubscribeScope.ALL,
            at=world.clock.now(),
            via="page",
        )
    )
    await world.until(world.clock.now() + timedelta(days=8))
    assert len(await world.said(SurveyRequested)) == 1
    assert (await decisions(world))[-1] == ("suppressed", "opted_out")
    assert ("suppressed", "opted_out") in await world.reasons()


async def test_a_case_without_a_contact_is_not_asked_about_and_says_so(world: World) -> None:
    first = await unhappy(world)
    await resolves(world, first, contacted=False)
    assert await decisions(world) == [("not_matched", "filtered")]
    await resolves(world, first, run=2, how="amended")
    assert len(await decisions(world)) == 1, "what ended by itself is no work of ours to judge"


@pytest.mark.requirement("R78")
async def test_a_case_that_is_open_again_is_not_asked_about_until_its_next_end(world: World) -> None:
    first = await unhappy(world)
    await resolves(world, first)
    again = told(world, first, run=2, version=11, state=TicketState.OPEN)
    await world.hear(TicketReopened.model_validate(again))
    await world.relayed()
    assert (await decisions(world))[-1] == ("cancelled", "cancelled")
    await world.later(days=2)
    assert len(await world.said(SurveyRequested)) == 1
    await resolves(world, first, run=2)
    await world.until(world.clock.now() + timedelta(days=4))
    asked = (await world.said(SurveyRequested))[1:]
    assert [one.snapshot.context["run"] for one in asked] == ["2"]
    assert await world.said(SurveyCancelled) == []


async def test_the_question_tells_the_directory_nothing_new(world: World) -> None:
    first = await unhappy(world)
    who = UUID(first.snapshot.contact_id)
    async with world.db.read() as conn:
        before = (await directory.get_contacts(conn, [who]))[who]
    await resolves(world, first)
    async with world.db.read() as conn:
        after = (await directory.get_contacts(conn, [who]))[who]
    assert (after.version, after.person, after.account_id) == (
        before.version,
        before.person,
        before.account_id,
    )
    touched = [one for one in await world.said(Touchpoint) if one.subject and one.subject.kind == "ticket"]
    assert all(person.email == person.name == "" for one in touched for person in one.people)
