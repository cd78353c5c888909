"""The last look before a message leaves the house (delivery rule 9).

Trigger's gate has passed the message, maybe days ago in its back-off; this is the last moment to see that
the person answered, left, or said stop, or that their hours are over. Suppressing frees the reservation at
trigger; waiting keeps the message open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.dispatch.domain.hours import Hours
from services.dispatch.domain.recipient import Recipient
from shared.contracts.reasons import Reason

VIEW_PATIENCE = timedelta(minutes=15)
"""How long a reminder waits for a current view of the answers before it is sent without (machine time)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that speaks for or against handing a message over now.

    Attributes:
        of_survey: whether it asks something; a thank-you is not stopped by the answer it thanks for.
        address: the recipient's mailbox or telephone, None when it is missing or unusable.
        blocked: why this mailbox or this person is not written to, if so.
        own_company: whether the mailbox belongs to the organisation itself.
        superseded: an earlier step of the survey still waits here, so this one would come on its heels.
        expires_at: business instant after which the message is pointless.
        hours: when it may leave; None = at any time.
    """

    of_survey: bool
    address: Recipient | None
    expires_at: datetime
    erased: bool = False
    blocked: Reason | None = None
    cancelled: bool = False
    answered: bool = False
    closed: bool = False
    paused: bool = False
    superseded: bool = False
    own_company: bool = False
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """Hand it over."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: an operator's brake is on; it stays planned."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: outside its hours. It stays planned until a business instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Suppress:
    """Never: the message ends here."""

    reason: Reason


Verdict = Go | Wait | Later | Suppress


def last_look(facts: Facts, now: datetime) -> Verdict:
    """Decide whether a claimed message may go out at business instant `now`."""
    reason = never(facts, now)
    if reason is not None:
        return Suppress(reason)
    if facts.paused:
        return Wait()
    if facts.address is None:
        return Suppress(Reason.INVALID_ADDRESS)
    if facts.own_company:
        return Suppress(Reason.OWN_COMPANY)
    return _in_hours(facts, now)


def _in_hours(facts: Facts, now: datetime) -> Verdict:
    if facts.hours is None:
        return Go()
    at = facts.hours.next(now, facts.expires_at)
    if at is None:
        return Suppress(Reason.EXPIRED)
    return Later(at) if at > now else Go()


def never(facts: Facts, now: datetime) -> Reason | None:
    """Why a message must not go out at all any more, whatever its address and hours; None when it may."""
    if facts.erased:
        return Reason.ERASED
    if facts.blocked is not None:
        return facts.blocked
    if facts.of_survey:
        if facts.cancelled:
            return Reason.CANCELLED
        if facts.answered:
            return Reason.ANSWERED
        if facts.superseded:
            return Reason.SUPERSEDED
    return Reason.EXPIRED if facts.closed or now >= facts.expires_at else None


def view_is_current(*, step: int, lag: int | None, waited: timedelta) -> bool:
    """Whether a step may be claimed as far as dispatch's knowledge of answers goes.

    The honest part is the order in which the caller looks: it reads the waiting steps first and the lag of
    `afterword.responses` afterwards. Lag 0 on the step's partition then proves that every answer published
    before the step was stored has been handled here. The first message needs no such proof, for nobody can
    answer before it.

    Args:
        step: 0 for the first message, 1 and more for reminders.
        lag: records of the key's partition that dispatch has not handled; None when it could not be read.
        waited: how long the step has waited here, in machine time.
    """
    return step == 0 or lag == 0 or waited >= VIEW_PATIENCE
