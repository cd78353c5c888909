"""Edges of the gate: families, the person's calendar, exempt asks, waits, hours of the night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.domain.facts import Brakes, Rival
from services.trigger.domain.gate import decide
from services.trigger.domain.model import Hold
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import Span
from services.trigger.domain.when import HoldKind
from shared.contracts.model import Family
from shared.contracts.programmes import ProgrammeState
from tests.support.changed import replace
from tests.unit.trigger.support import ANNA, NOW, ask, edition, facts, plan

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def outcome(of: Edition, given: Any = None, **changes: Any) -> tuple[str, str, datetime | None]:
    found = decide(plan(of, **changes), of, given or facts())
    return found.outcome.value, str(found.reason or ""), found.until


@pytest.mark.parametrize(
    ("days_ago", "family", "expected"),
    [
        pytest.param(30, Family.TRANSACTIONAL, ("requested", "", None), id="as it ends"),
        pytest.param(29.999, Family.TRANSACTIONAL, ("deferred", "quarantined"), id="just before"),
        pytest.param(27, Family.TRANSACTIONAL, ("suppressed", "quarantined"), id="beyond freshness"),
        pytest.param(1, Family.RELATIONSHIP, ("requested", "", None), id="another family, own span over"),
        pytest.param(0.999, Family.RELATIONSHIP, ("deferred", "quarantined"), id="another family, own span"),
    ],
)
def test_the_quarantine_of_a_family_at_its_edges(
    days_ago: float, family: Family, expected: tuple[str, ...]
) -> None:
    of = edition(quarantine={"contact": "1d", "family": "30d"})
    found = outcome(of, facts(asks=[ask(days_ago=days_ago, family=family)]))
    assert found[: len(expected)] == expected


def test_of_two_quarantines_the_longer_one_is_waited_for() -> None:
    of = edition(quarantine={"contact": "2d", "family": "10d"})
    asks = [ask(1, days_ago=1), ask(2, days_ago=9)]
    assert outcome(of, facts(asks=asks[1:]))[2] == NOW + DAY
    assert outcome(of, facts(asks=[replace(asks[0], family=Family.RELATIONSHIP), asks[1]]))[2] == NOW + DAY
    assert outcome(of, facts(asks=asks))[:2] == ("suppressed", "quarantined"), (
        "nine days more, fresh for three"
    )


@pytest.mark.parametrize("early", [timedelta(0), SECOND])
def test_a_quarantine_ends_by_the_clock_of_the_person(early: timedelta) -> None:
    """Clocks in Stockholm went forward between: fourteen days are an hour less than 336 hours."""
    asked = datetime(2026, 3, 20, 9, tzinfo=UTC)
    now = datetime(2026, 4, 3, 8, tzinfo=UTC) - early
    found = outcome(
        edition(), facts(now=now, asks=[replace(ask(), asked_at=asked)]), stale_at=now + DAY, due_at=now
    )
    assert found[0] == ("deferred" if early else "requested")
    assert now - asked < 14 * DAY


@pytest.mark.requirement("R78")
def test_what_an_exempt_programme_asked_counts_for_the_others() -> None:
    exempt = edition(key="recovery", quarantine={"contact": "14d", "exempt": True})
    asked = ask(days_ago=13, programme=exempt.key)
    assert outcome(exempt, facts(asks=[asked]))[0] == "requested"
    assert outcome(edition(), facts(asks=[asked]))[1] == "quarantined"
    budget = edition(quarantine={"contact": "1d", "account": {"max": 1, "per": "30d"}})
    others = replace(asked, contact_id=UUID(int=8))
    assert outcome(budget, facts(asks=[others]))[1] == "account_budget"


@pytest.mark.requirement("R78")
def test_an_exempt_question_waits_for_no_more_important_one_but_for_a_hold() -> None:
    of = edition(quarantine={"contact": "14d", "exempt": True})
    rival = Rival(UUID(int=77), "renewal", 99, NOW, Span(days=14))
    held = Hold(HoldKind.DETRACTOR_TICKET, "t", contact_id=ANNA.id)
    assert outcome(of, facts(rivals={ANNA.id: [rival]}))[0] == "requested"
    assert outcome(of, facts(holds=[held]))[:2] == ("deferred", "held")
    assert outcome(of, facts(brakes=Brakes(all_sending=True)))[:2] == ("deferred", "paused")


def test_a_small_ask_does_not_block_the_renewal_of_tomorrow() -> None:
    """Each way round: the renewal passes, the other one waits until after it, inside its freshness."""
    small, renewal = edition(quarantine={"contact": "1d"}), edition(key="renewal", priority=90)
    one = Rival(plan(renewal).id, "renewal", 90, NOW + DAY, Span(days=14))
    two = Rival(plan(small).id, "delivery-csat", 50, NOW, Span(days=1))
    known = facts(rivals={ANNA.id: [one, two]})
    assert outcome(small, known) == ("deferred", "outranked", NOW + 2 * DAY)
    assert outcome(renewal, known)[0] == "requested"


@pytest.mark.parametrize(
    ("hour", "stale_in", "expected"),
    [
        pytest.param(19, 1, ("requested", ""), id="the last hour, 20:00 at the person is not yet"),
        pytest.param(20, 13, ("deferred", "send_window"), id="at night: the next acceptable hour"),
        pytest.param(20, 12, ("suppressed", "expired"), id="at night, over before the next acceptable hour"),
    ],
)
def test_outside_its_window_a_question_goes_only_at_acceptable_hours(
    hour: int, stale_in: int, expected: tuple[str, str]
) -> None:
    of = edition(send__window={"days": ["mon"], "hours": "09:00-10:00"})
    now = datetime(2026, 3, 3, hour - 1, tzinfo=UTC)  # in Stockholm an hour later
    found = outcome(of, facts(now=now), due_at=now, stale_at=now + timedelta(hours=stale_in))
    assert found[:2] == expected


ORDER = ["programme_archived", "opted_out", "no_consent", "best_moment", "send_window", "requested"]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_ends_of_the_order(first: int) -> None:
    """An ended programme before everything, the moment and the window after everything."""
    learns = first <= 3
    window = {"days": ["wed"], "hours": "09:30-16:00", "learn": learns} if first <= 4 else "anytime"
    of = edition(consent="opt_in" if first <= 2 else "opt_out", send__window=window)
    if first == 0:
        of = replace(of, state=ProgrammeState.ARCHIVED)
    contact = replace(ANNA, opted_out_at=NOW if first <= 1 else None)
    found = decide(plan(of), of, facts(contacts={ANNA.id: contact}))
    assert (found.reason or found.outcome) == ORDER[first]
