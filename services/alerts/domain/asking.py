"""Who is asked about a case, and how far that has come; a question goes forward, whatever is heard late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.contracts.reasons import Outcome


class Asking(StrEnum):
    """How far a question has come."""

    PLANNED = "planned"
    REFUSED = "refused"
    ASKED = "asked"
    SENT = "sent"
    UNSENT = "unsent"


FOLLOWS: Mapping[Asking, frozenset[Asking]] = {
    Asking.PLANNED: frozenset({Asking.PLANNED, Asking.REFUSED}),
    Asking.REFUSED: frozenset({Asking.PLANNED, Asking.REFUSED, Asking.ASKED}),
    Asking.ASKED: frozenset({Asking.PLANNED, Asking.REFUSED}),
    Asking.SENT: frozenset({Asking.PLANNED, Asking.REFUSED, Asking.ASKED}),
    Asking.UNSENT: frozenset({Asking.PLANNED, Asking.ASKED, Asking.SENT}),
}
"""From what each may follow: deliveries travel by another way than decisions and may be heard first."""

DECIDED: Mapping[Outcome, Asking] = {
    Outcome.PLANNED: Asking.PLANNED,
    Outcome.DEFERRED: Asking.PLANNED,
    Outcome.REQUESTED: Asking.ASKED,
    Outcome.SUPPRESSED: Asking.REFUSED,
    Outcome.CANCELLED: Asking.REFUSED,
    Outcome.NOT_MATCHED: Asking.REFUSED,
}
"""What a decision makes of a question; one in shadow is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One person who is asked, or not, whether a case is mended.

    Attributes:
        question_id: the survey's id where there is one.
        run: of the case that it is about.
        reason: why it waits, or is not asked; a code.
        until: when they are to be asked; of a question that was asked, until when they may answer.
    """

    question_id: UUID
    ticket_id: UUID
    run: int
    contact_id: UUID
    programme: str
    state: Asking
    at: datetime
    reason: str = ""
    until: datetime | None = None


def after(known: Question | None, news: Question) -> Question:
    """The question after what was heard of it; what cannot follow changes nothing."""
    if known is None:
        return news
    if known.state is Asking.SENT and news.state is Asking.ASKED:
        # The mail was heard of first; until when it may be answered is news all the same.
        return replace(known, until=news.until)
    if known.state not in FOLLOWS[news.state]:
        return known
    until = news.until or (known.until if news.state is not Asking.REFUSED else None)
    return replace(news, until=until)
