"""The weekly digest: when it is due, what it says, which accounts need somebody, and when to give up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.scoring.domain import leaving
from services.scoring.domain.change import Change, Verdict
from services.scoring.domain.health import SILENT_DAYS, Health
from services.scoring.domain.rising import Told
from shared.partners.retry import wait_after

LATEST = timedelta(days=2)
"""A digest that could not be planned within this time after its hour is left out: it would be old news."""

POOR_HEALTH = 40
NEAR_RENEWAL_DAYS = 60
MOST_ACCOUNTS = 10
TRIES = 10
_FIRST = timedelta(seconds=30)
_MOST = timedelta(hours=1)


class Day(StrEnum):
    """On which day of the week digests go out."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Day and hour on each reader's own clock."""

    day: Day
    hour: int


def due_week(now: datetime, zone: str, schedule: Schedule) -> date | None:
    """The Monday of the week whose digest is due for somebody in a zone; None while none is."""
    if schedule.day is Day.OFF:
        return None
    local = now.astimezone(ZoneInfo(zone))
    for back in (0, 1):  # the hour of last week may be less than LATEST ago
        monday = local.date() - timedelta(days=local.weekday() + 7 * back)
        on = monday + timedelta(days=list(Day).index(schedule.day))
        at = datetime.combine(on, time(schedule.hour), local.tzinfo)
        if timedelta() <= now - at < LATEST:
            return monday
    return None


class Reason(StrEnum):
    """Why an account needs somebody."""

    TICKETS = "tickets"
    HEALTH = "health"
    SILENT = "silent"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one account."""

    account_id: str
    name: str
    health: Health
    open_tickets: int
    silent_days: int | None
    renewal_on: date | None


@dataclass(frozen=True, slots=True)
class Needy:
    """An account that needs somebody, why, and whether its contract is soon to be renewed."""

    standing: Standing
    reasons: tuple[Reason, ...]
    renews_soon: bool


def needy(accounts: Iterable[Standing], today: date) -> list[Needy]:
    """Accounts that need somebody: those of a near renewal by its day, then the others, the gravest first.

    Silence alone is a reason only with a renewal in sight: most accounts are silent most of the time.
    """
    found = []
    for one in accounts:
        soon = one.renewal_on is not None and 0 <= (one.renewal_on - today).days <= NEAR_RENEWAL_DAYS
        reasons = []
        if one.open_tickets:
            reasons.append(Reason.TICKETS)
        if one.health.value is not None and one.health.value < POOR_HEALTH:
            reasons.append(Reason.HEALTH)
        if soon and one.silent_days is None:
            reasons.append(Reason.NEVER)
        elif soon and one.silent_days is not None and one.silent_days >= SILENT_DAYS // 2:
            reasons.append(Reason.SILENT)
        if reasons:
            found.append(Needy(one, tuple(reasons), soon))
    return sorted(found, key=_urgency)


def _urgency(one: Needy) -> tuple[date, int, str]:
    renewal = one.standing.renewal_on if one.renews_soon else None
    return renewal or date.max, -len(one.reasons), one.standing.name


@dataclass(frozen=True, slots=True)
class Line:
    """One score and how it changed."""

    programme: str
    family: str
    change: Change


@dataclass(frozen=True, slots=True)
class Part:
    """What is told of some accounts: all of the house, or those of the reader.

    Attributes:
        lines: scores, worst news first.
        needy: accounts that need somebody, MOST_ACCOUNTS at most; `more` is how many are left out.
        silent: accounts that nobody was heard of for half a year or ever.
        rising: themes that customers name more often than before; of all customers alone.
        churn: rises of churn, of all customers and of tiers and products; of the house alone.
    """

    accounts: int
    lines: Sequence[Line]
    needy: Sequence[Needy]
    more: int
    silent: int
    rising: Sequence[Told] = ()
    churn: Sequence[leaving.Told] = ()

    def count(self, verdict: Verdict | str) -> int:
        """Scores of this verdict."""
        return sum(line.change.verdict == verdict for line in self.lines)


_ORDER = (Verdict.WORSE, Verdict.BETTER, Verdict.NO_DETECTABLE_CHANGE, Verdict.TOO_FEW)


def part_of(
    accounts: Sequence[Standing],
    lines: Iterable[Line],
    today: date,
    rising: Sequence[Told] = (),
    churn: Sequence[leaving.Told] = (),
) -> Part:
    """Put a part together."""
    found = needy(accounts, today)
    silent = sum(one.silent_days is None or one.silent_days >= SILENT_DAYS for one in accounts)
    ordered = sorted(lines, key=lambda line: (_ORDER.index(line.change.verdict), line.programme))
    more = max(0, len(found) - MOST_ACCOUNTS)
    return Part(len(accounts), ordered, found[:MOST_ACCOUNTS], more, silent, rising, churn)


@dataclass(frozen=True, slots=True)
class Digest:
    """What one person is told; a part is None where it is not theirs."""

    week: date
    house: Part | None
    own: Part | None


def next_attempt(attempts: int, *, permanent: bool) -> timedelta | None:
    """How long to wait after the `attempts`-th try was refused; None to give up."""
    if permanent or attempts >= TRIES:
        return None
    return wait_after(attempts, first=_FIRST, most=_MOST)
