"""Answers that may be a machine's: nobody is woken, nobody is lost."""

import pytest

from services.alerts.domain import unconfirmed
from services.alerts.domain.model import Answer, Standing
from services.alerts.domain.unconfirmed import Item, ItemState
from shared.contracts.responses import Mood
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, T0, answer

HELD = answer(standing=Standing.HELD, spoken=False)
RITA = derive("user", "rita")


def waiting() -> Item:
    item = unconfirmed.judge(None, HELD)
    assert item is not None
    return item


def test_a_held_unhappy_answer_waits_with_a_clock_of_its_own() -> None:
    assert waiting().is_waiting
    assert waiting().due_at == T0 + 24 * HOUR
    assert unconfirmed.judge(waiting(), HELD) == waiting()


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param(answer(), id="not held"),
        pytest.param(answer(score=9, standing=Standing.HELD), id="held but happy"),
        pytest.param(answer(standing=Standing.HELD, wants_ticket=False), id="the programme wants no ticket"),
    ],
)
def test_others_do_not_wait(quiet: Answer) -> None:
    assert unconfirmed.judge(None, quiet) is None


@pytest.mark.parametrize(
    ("then", "state"),
    [
        pytest.param(answer(version=2, spoken=False), ItemState.RELEASED, id="released"),
        pytest.param(answer(score=9, version=2), ItemState.IMPROVED, id="better"),
        pytest.param(answer(version=2, standing=Standing.WITHDRAWN), ItemState.WITHDRAWN, id="withdrawn"),
        pytest.param(
            answer(version=2, mood=Mood.PASSIVE, standing=Standing.HELD),
            ItemState.IMPROVED,
            id="held, better",
        ),
    ],
)
def test_a_later_verdict_settles_it(then: Answer, state: ItemState) -> None:
    settled = unconfirmed.judge(waiting(), then)
    assert settled is not None
    assert settled.state is state
    assert unconfirmed.judge(settled, then) == settled


def test_what_a_person_decided_stays_until_it_is_held_again() -> None:
    dismissed = unconfirmed.decide(waiting(), ItemState.DISMISSED, RITA, T0 + HOUR)
    assert (dismissed.state, dismissed.by) == (ItemState.DISMISSED, RITA)
    assert unconfirmed.decide(dismissed, ItemState.CONFIRMED, RITA, T0 + HOUR) == dismissed
    again = unconfirmed.judge(dismissed, answer(standing=Standing.HELD, version=3, at=T0 + 9 * HOUR))
    assert again is not None
    assert again.due_at == T0 + 33 * HOUR
