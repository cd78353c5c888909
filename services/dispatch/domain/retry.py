"""What follows when a provider did not take a message: try again, and when, or give up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class End(StrEnum):
    """How a message ends when it is not tried again."""

    REFUSED = "refused"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Failure:
    """A hand-over that did not succeed.

    Attributes:
        permanent: the provider said no for good (SMTP 5xx); repeating cannot help.
        uncertain: the message was on the wire and no answer came; it may have been taken.
        retry_after: the least wait that the provider asked for.
    """

    permanent: bool = False
    uncertain: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of `first` × 3ⁿ up to `longest`, each shortened by up to a half so that crowds spread out."""

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(hours=1)
    attempts: int = 12

    def wait(self, attempts: int, draw: float) -> timedelta:
        """The wait after the `attempts`-th failure (1 = the first).

        Args:
            attempts: failures so far.
            draw: where in the spread this wait falls, 0 to 1; derived, so that a replay waits alike.
        """
        # Bounded before it is raised: attempt 5,000 must not build a number of 2,000 digits.
        factor = 3.0 ** min(max(attempts - 1, 0), 20)
        full = min(self.first * factor, self.longest)
        return full - full * (draw / 2)


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again, not before this instant of machine time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again."""

    end: End


def next_attempt(
    attempts: int,
    failure: Failure,
    *,
    now: datetime,
    fresh_for: timedelta,
    draw: float,
    backoff: Backoff = Backoff(),
) -> RetryAt | GiveUp:
    """Decide what follows a failed hand-over.

    Args:
        attempts: hand-overs tried so far, this one included.
        failure: what the channel reported.
        now: machine time, which rules back-off.
        fresh_for: how much longer the moment is worth asking about; a wait beyond it is pointless.
        draw: a number from 0 to 1 that spreads waits.
        backoff: the schedule.
    """
    if failure.uncertain:
        return GiveUp(End.UNCERTAIN)
    if failure.permanent:
        return GiveUp(End.REFUSED)
    if attempts >= backoff.attempts:
        return GiveUp(End.EXHAUSTED)
    wait = max(backoff.wait(attempts, draw), failure.retry_after or timedelta())
    if wait >= fresh_for:
        return GiveUp(End.EXPIRED)
    return RetryAt(now + wait)
