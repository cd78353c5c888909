"""One account's case: which ticket an answer belongs to (`delivery.md` 4 and 12 are the rules this keeps).

Each unhappy current answer is in exactly one ticket; at most one ticket of a case is open at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.alerts.domain import ticket as life
from services.alerts.domain.incident import incident_of
from services.alerts.domain.model import Answer, Owner, Step, Ticket, VoiceState

WINDOW = timedelta(hours=1)
"""Answers of one account that come so soon after each other are about one thing."""


@dataclass(frozen=True, slots=True)
class Case:
    """The tickets of one account (or contact without account) that matter for the answers to come.

    The open one, if any, those that hold a voice of these answers, and ended ones that these may belong to.
    """

    key: UUID
    tickets: tuple[Ticket, ...] = ()

    @property
    def current(self) -> Ticket | None:
        """The open ticket."""
        return next((ticket for ticket in self.tickets if ticket.is_open), None)

    def holder(self, response_id: UUID) -> Ticket | None:
        """The ticket that has this response as a voice."""
        return next((ticket for ticket in self.tickets if ticket.voice(response_id)), None)

    def gathers(self, answer: Answer, window: timedelta) -> Ticket | None:
        """The ended ticket that a new answer belongs to: of the same incident, else opened just before."""
        ended = sorted((t for t in self.tickets if not t.is_open), key=lambda t: t.opened_at, reverse=True)
        incident = incident_of(answer.snapshot)
        same = (t for t in ended if incident and t.incident == incident)
        near = (t for t in ended if abs(answer.since - t.opened_at) < window)
        return next(same, None) or next(near, None)

    def after(self, steps: tuple[Step, ...]) -> Case:
        """The case with the tickets of these steps put in."""
        changed = {step.ticket.id: step.ticket for step in steps}
        kept = tuple(ticket for ticket in self.tickets if ticket.id not in changed)
        return Case(self.key, (*kept, *changed.values()))


def hear(
    case: Case, answer: Answer, fresh_id: UUID, route: Callable[[], Owner], window: timedelta = WINDOW
) -> tuple[Step, ...]:
    """Decide what one answer, or its newest version, means for the case.

    Args:
        case: the case before.
        answer: the answer as it stands now; older versions were dropped before.
        fresh_id: id of the ticket that this answer would open.
        route: who would own that ticket.
        window: how long after the opening of a ticket a further answer belongs to it, ended or not.
    """
    holder, current = case.holder(answer.response_id), case.current
    if not answer.unhappy:
        return _changed(life.soften(holder, answer), holder) if holder else ()
    if holder is None:
        there = current or case.gathers(answer, window)
        return (life.join(there, answer) if there else life.open_(answer, fresh_id, route()),)
    if holder.is_open or current is None:
        return (life.hear_again(holder, answer, route),)
    if _still_settled(holder, answer):
        return (life.hear_again(holder, answer, route),)
    left = life.release(holder, answer.response_id, current.id, answer.since)
    return (left, life.join(current, answer))


def _still_settled(holder: Ticket, answer: Answer) -> bool:
    """Whether a new verdict, not a new word, came to an answer whose case was ended by a person."""
    voice = holder.voice(answer.response_id)
    return voice is not None and voice.state is VoiceState.UNHAPPY and not answer.spoken


def _changed(step: Step, before: Ticket) -> tuple[Step, ...]:
    return () if step.ticket is before else (step,)
