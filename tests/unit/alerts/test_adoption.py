"""Who hears of a new case, and what becomes of the cases of people who have left."""

import pytest

from services.alerts.domain import ticket as life
from services.alerts.domain.model import Audience, Kind, Occasion, Owner
from shared.contracts.model import Persona, Tier
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer, snapshot


@pytest.mark.requirement("R62", "R82")
@pytest.mark.parametrize(
    ("persona", "tier", "told"),
    [
        (Persona.DECISION_MAKER, Tier.KEY, True),
        (Persona.DECISION_MAKER, Tier.PREMIUM, True),
        (Persona.DECISION_MAKER, Tier.SMALL, False),
        (Persona.DECISION_MAKER, None, False),
        (Persona.USER, Tier.KEY, False),
        (None, Tier.KEY, False),
    ],
)
def test_leadership_hears_at_once_of_one_who_decides_at_an_important_account(
    persona: Persona | None, tier: Tier | None, told: bool
) -> None:
    said = answer(snapshot=snapshot(persona=persona, tier=tier))
    (tell,) = life.open_(said, derive("ticket"), REP).tells
    assert (Audience.LEADERSHIP in tell.audiences) is told
    assert {Audience.OWNER, Audience.TEAM} <= tell.audiences


@pytest.mark.requirement("R72")
def test_a_case_of_one_who_left_keeps_its_clocks_and_tells_the_new_owner() -> None:
    ticket = life.open_(answer(), derive("ticket"), REP).ticket
    step = life.adopt(ticket, Owner(derive("user", "ola"), "is on call"), T0 + HOUR)
    assert step.ticket.run == ticket.run
    assert step.ticket.owner.user_id == derive("user", "ola")
    assert [entry.kind for entry in step.entries] == [Kind.ASSIGNED]
    assert [tell.occasion for tell in step.tells] == [Occasion.ASSIGNED]
    assert step.events == ()
