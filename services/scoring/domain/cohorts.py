"""Answers by the week in which people were asked, and how many are still to come.

The rate of last week looks bad on Monday and fine a month later: who answers early is not who answers late,
and nobody should be alarmed by a cohort that is not complete. How long answers take is learned from cohorts
that are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.scoring.domain.asking import LAST_DAY, Span
from services.scoring.domain.rates import Asked, Rate, rate

LONGEST_OPEN = 45
"""Days after which no survey takes answers any more (R48)."""

FULL = 0.95
"""From this share of the expected answers on a cohort counts as complete."""

ENOUGH_KNOWN = 20
"""Answers of complete cohorts that are needed before anything is expected."""

_WEEK = timedelta(days=7)


def answered_within(asked: Span) -> Span:
    """The days on which answers come to surveys that were handed over on some days."""
    last = asked.last if asked.last == LAST_DAY else asked.last + timedelta(days=LONGEST_OPEN + 1)
    return Span(asked.first, last)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everybody asked in one week.

    `arrived` is the share of its answers that should be there by now, None while nothing is known of how
    long answers take; `expected` is the rate that it is heading for.
    """

    start: date
    rate: Rate
    arrived: float | None
    expected: float | None

    @property
    def complete(self) -> bool:
        """Whether its rate can be compared with others."""
        return self.arrived is not None and self.arrived >= FULL


def arrival(waits: Mapping[int, int]) -> Sequence[float] | None:
    """The share of answers that come within 0, 1, 2 … days, from how many days answers took.

    None where too few are known. Only answers of cohorts that are over may be given: of others the late
    ones are missing.
    """
    total = sum(waits.values())
    if total < ENOUGH_KNOWN:
        return None
    come, shares = 0, []
    for day in range(LONGEST_OPEN + 1):
        come += waits.get(day, 0)
        shares.append(min(1.0, come / total))
    return shares


def cohorts(asked: Mapping[date, Asked], waits: Mapping[int, int], today: date) -> list[Cohort]:
    """Weeks of asking, oldest first; what they are asked is counted by the day of the hand-over."""
    shares = arrival(waits)
    weeks: dict[date, list[tuple[date, Asked]]] = {}
    for day, counts in asked.items():
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append((day, counts))
    return [_cohort(start, weeks[start], shares, today) for start in sorted(weeks)]


def _cohort(
    start: date, days: Sequence[tuple[date, Asked]], shares: Sequence[float] | None, today: date
) -> Cohort:
    found = rate(sum((counts for _, counts in days), Asked()))
    if shares is None or found.asked == 0:
        over = start + _WEEK + timedelta(days=LONGEST_OPEN) <= today
        return Cohort(start, found, 1.0 if over else None, found.value if over else None)
    people = [(day, max(counts.handed_over, counts.answered)) for day, counts in days]
    waited = [(many, min(max((today - day).days, 0), LONGEST_OPEN)) for day, many in people]
    arrived = sum(many * shares[days_ago] for many, days_ago in waited) / found.asked
    expected = min(1.0, found.value / arrived) if found.value is not None and arrived > 0 else None
    return Cohort(start, found, arrived, expected)
