"""What ends a customer ends what is planned there; a hold ends by what its events name."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.trigger.domain.explain import sentence
from shared.contracts.reasons import Reason
from shared.contracts.surveys import SurveyCancelled, SurveyRequested
from tests.support.trigger import ROOT, World

ACME, OTHER = {"id": "a1", "name": "Acme"}, {"id": "a2", "name": "Other"}


@pytest.fixture
def programmes(tmp_path: Path) -> Path:
    """The presets, of which several begin with a person and end with the contract of a company."""
    folder = tmp_path / "programmes"
    folder.mkdir()
    for name in ("saas", "fintech", "groups"):
        text = (ROOT / "programmes" / "presets" / f"{name}.yaml").read_text("utf-8")
        (folder / f"{name}.yaml").write_text(text)
    return folder


def person(number: int) -> dict[str, str]:
    return {
        "id": f"c{number}", "email": f"p{number}@kund.example", "persona": "user", "zone": "Europe/Stockholm"
    }  # fmt: skip


async def asked(world: World) -> list[tuple[str, str]]:
    return [(s.snapshot.programme, s.snapshot.subject_id) for s in await world.said(SurveyRequested)]


async def signed_up(world: World) -> None:
    for number, account in enumerate((ACME, ACME, OTHER)):
        await world.tell("customer.signed_up", contact=person(number), account=account, product="Pay")


@pytest.mark.requirement("R11", "R23")
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(("account.churned", {}), id="of the customer, naming nobody"),
        pytest.param(
            ("contract.ended", {"contact": person(0), "subject": {"kind": "contract", "id": "sub_1"}}),
            id="of the contract, as Stripe tells it",
        ),
    ],
)
async def test_nobody_of_a_lost_customer_is_asked_about_onboarding_or_use(
    world: World, end: tuple[str, dict[str, Any]]
) -> None:
    await signed_up(world)
    kind, told = end
    world.clock.advance(timedelta(days=1))
    event = await world.tell(kind, account=ACME, **told)
    lines = [e.decision for e in await world.ledger(event_ids=(event,)) if e.decision.plan_id]
    assert {d.reason for d in lines} == {Reason.CANCELLED}
    assert {d.programme for d in lines} >= {"saas-onboarding", "fintech-usage"}
    assert all("a later event called it off" in sentence(d) for d in lines)
    await world.until(world.clock.now() + timedelta(days=200))
    people = {s.snapshot.account_id for s in await world.said(SurveyRequested)}
    assert len(people) == 1, "the other company is asked as ever"
    await world.books()


async def test_what_was_asked_and_not_sent_is_taken_back_from_all_of_the_company(world: World) -> None:
    await signed_up(world)
    await world.until(world.clock.now() + timedelta(days=20))
    first = await world.said(SurveyRequested)
    ours = {s.survey_id for s in first if s.snapshot.programme == "saas-onboarding"}
    assert len(ours) == 3
    await world.tell("account.churned", account=ACME)
    taken = {c.survey_id for c in await world.said(SurveyCancelled)}
    homes = Counter(s.snapshot.account_id for s in first if s.survey_id in taken & ours)
    assert list(homes.values()) == [2], "both of the company, nobody of the other"


@pytest.mark.parametrize(
    ("begins", "ends", "over"),
    [
        ({"id": "7"}, {"id": "7"}, True),
        ({"id": "7"}, {"id": "8"}, False),
        ({"id": "7"}, None, True),
        (None, {"id": "7"}, True),
        (None, None, True),
    ],
)
async def test_a_hold_ends_by_what_its_events_name(
    world: World, begins: dict[str, str] | None, ends: dict[str, str] | None, *, over: bool
) -> None:
    await signed_up(world)
    await world.tell("incident.opened", account=ACME, subject=begins and {"kind": "incident", **begins})
    await world.until(world.clock.now() + timedelta(days=16))
    assert {s.snapshot.contact_id for s in await world.said(SurveyRequested)} != set()
    before = len(await asked(world))
    await world.tell("incident.resolved", account=ACME, subject=ends and {"kind": "incident", **ends})
    await world.until(world.clock.now() + timedelta(days=4))
    assert (len(await asked(world)) > before) is over
