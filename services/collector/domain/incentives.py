"""What is promised to whoever answers: who has earned it, what may be recorded as given (R55).

An incentive is named by its survey: whoever answers gets one. What it is, a voucher or a tree, and how it is
given is the customer's own affair; here it is known that it was promised, earned, and given once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from shared.tables import Column, Kind

SKEW = timedelta(minutes=5)
"""Clocks of two systems differ: what was given may lie so far ahead of ours."""


class State(StrEnum):
    """Where an incentive stands; `lapsed`: nobody can earn it any more, or who earned it was erased."""

    PROMISED = "promised"
    HELD = "held"
    EARNED = "earned"
    REDEEMED = "redeemed"
    LAPSED = "lapsed"


class Refusal(StrEnum):
    """Why nothing is recorded as given."""

    UNKNOWN = "unknown"
    NOT_PROMISED = "not_promised"
    NOT_ANSWERED = "not_answered"
    HELD = "held"
    OTHERWISE = "otherwise"
    AHEAD = "ahead"


WORDS: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN: (
        "There is no such survey.",
        "Take survey_id from GET /v1/incentives, or from the answer.",
    ),
    Refusal.NOT_PROMISED: (
        "This survey promised nothing.",
        "Only programmes with send.incentive promise something; GET /v1/incentives lists their surveys.",
    ),
    Refusal.NOT_ANSWERED: (
        "Nobody has answered this survey, so nothing is earned.",
        "Record it once GET /v1/incentives?state=earned lists the survey.",
    ),
    Refusal.HELD: (
        "The answer is held back, since a machine seems to have given it, so nothing is earned yet.",
        "Ask a manager to look at it on the page /answers/held.",
    ),
    Refusal.OTHERWISE: (
        "It is recorded as given already, under another reference.",
        "GET /v1/incentives/{survey} tells which; take that back by DELETE if it is wrong.",
    ),
    Refusal.AHEAD: (
        "redeemed_at lies in the future.",
        "Leave it out, or send the time when it was given.",
    ),
}
"""What is said about each refusal: the reason, and what to do."""


class Standing(StrEnum):
    """How the answer stands that earns an incentive."""

    PROMISED = "promised"
    HELD = "held"
    EARNED = "earned"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an incentive; `redeemed_at` is None while nothing was given."""

    standing: Standing
    redeemed_at: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """Something was given: when, and by which number in the system that gave it; "" where it has none."""

    at: datetime
    reference: str = ""


class Same(StrEnum):
    """It is recorded already; nothing changes."""

    SAME = "same"


Outcome: TypeAlias = Given | Same | Refusal


def record(known: Known | None, given: Given, now: datetime) -> Outcome:
    """What telling that something was given leads to.

    What was recorded once stays so, though its answer may count no longer: it was given.

    Args:
        known: the incentive; None where the survey promised nothing.
        given: what is told.
        now: business time.
    """
    if known is None:
        return Refusal.NOT_PROMISED
    if known.redeemed_at is not None:
        differs = known.reference and given.reference and known.reference != given.reference
        return Refusal.OTHERWISE if differs else Same.SAME
    if given.at > now + SKEW:
        return Refusal.AHEAD
    match known.standing:
        case Standing.EARNED:
            return given
        case Standing.HELD:
            return Refusal.HELD
        case Standing.PROMISED:
            return Refusal.NOT_ANSWERED


COLUMNS: Sequence[Column] = (
    Column("survey_id", Kind.TEXT),
    Column("response_id", Kind.TEXT),
    Column("state", Kind.TEXT),
    Column("since", Kind.INSTANT),
    Column("programme", Kind.TEXT),
    Column("contact_id", Kind.TEXT),
    Column("account_id", Kind.TEXT),
    Column("account_name", Kind.TEXT),
    Column("locale", Kind.TEXT),
    Column("promise", Kind.TEXT),
    Column("closes_at", Kind.INSTANT),
    Column("redeemed_at", Kind.INSTANT),
    Column("reference", Kind.TEXT),
)
"""Of a file of incentives."""
