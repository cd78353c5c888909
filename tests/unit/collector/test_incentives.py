"""What may be recorded as given: once, for what was promised and earned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.incentives import SKEW, WORDS, Given, Known, Refusal, Same, Standing, record

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.requirement("R55")

times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 3), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by rule
givens = st.builds(Given, times, st.sampled_from(["", "V-1", "V-2"]))


@pytest.mark.parametrize(
    ("known", "outcome"),
    [
        (None, Refusal.NOT_PROMISED),
        (Known(Standing.PROMISED), Refusal.NOT_ANSWERED),
        (Known(Standing.HELD), Refusal.HELD),
        (Known(Standing.EARNED), Given(NOW, "V-1")),
        (Known(Standing.EARNED, NOW, "V-1"), Same.SAME),
        (Known(Standing.EARNED, NOW, ""), Same.SAME),
        (Known(Standing.EARNED, NOW, "V-2"), Refusal.OTHERWISE),
        (Known(Standing.HELD, NOW, "V-1"), Same.SAME),
        (Known(Standing.PROMISED, NOW, "V-2"), Refusal.OTHERWISE),
    ],
)
def test_what_telling_that_it_was_given_leads_to(known: Known | None, outcome: object) -> None:
    assert record(known, Given(NOW, "V-1"), NOW) == outcome


def test_clocks_may_differ_a_little() -> None:
    earned = Known(Standing.EARNED)
    assert record(earned, Given(NOW + SKEW), NOW) == Given(NOW + SKEW)
    assert record(earned, Given(NOW + SKEW + timedelta(seconds=1)), NOW) is Refusal.AHEAD


@given(st.lists(givens, min_size=1, max_size=6))
def test_of_whatever_is_told_the_first_stands(told: list[Given]) -> None:
    known = Known(Standing.EARNED)
    for one in told:
        outcome = record(known, one, NOW)
        if isinstance(outcome, Given):
            known = Known(Standing.EARNED, outcome.at, outcome.reference)
    assert (known.redeemed_at, known.reference) == (told[0].at, told[0].reference)


def test_each_refusal_says_why_and_what_to_do() -> None:
    assert set(WORDS) == set(Refusal)
    assert all(reason.endswith(".") and todo.endswith(".") for reason, todo in WORDS.values())
