"""Did we fix it? The customer's answer to the question that follows a resolved case (R72, R78).

"Yes" confirms the case. "No" opens it again, starts its clocks anew, raises its priority and tells the
managers. An answer from before the case ended changes nothing: it is written down.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.alerts.domain import progress
from services.alerts.domain import ticket as life
from services.alerts.domain.model import (
    Answer,
    Audience,
    Entry,
    Kind,
    Occasion,
    Refused,
    Standing,
    Step,
    Tell,
    Ticket,
)
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood
from shared.contracts.tickets import TicketState
from shared.contracts.touchpoints import CASE_RESOLVED

_TOLD = frozenset({Audience.OWNER, Audience.TEAM, Audience.MANAGERS, Audience.WATCHERS})


def asked_about(snapshot: Snapshot) -> UUID | None:
    """The case that a survey asks about; None for every other survey."""
    if snapshot.touchpoint != CASE_RESOLVED:
        return None
    try:
        return UUID(snapshot.context.get("case", ""))
    except ValueError:
        return None


def heard(
    ticket: Ticket, before: Answer | None, answer: Answer, words: str, *, busy: Ticket | None = None
) -> tuple[Step, ...]:
    """What the customer's answer means for the case it is about.

    Args:
        ticket: the case.
        before: the version of the answer that was known so far.
        answer: the newest version; one that is held back says nothing.
        words: what they wrote.
        busy: another open ticket of the customer; two at a time there never are.
    """
    if answer.standing is not Standing.COUNTED:
        return _taken_back(ticket, before, answer)
    fixed = answer.mood is not Mood.UNHAPPY
    said = Entry(Kind.CONFIRMED if fixed else Kind.DENIED, answer.since, data=_about(answer), note=words)
    over = ticket.state is TicketState.RESOLVED and ticket.ended_at is not None
    if not over or (ticket.ended_at is not None and answer.received_at < ticket.ended_at):
        return (_noted(ticket, said, late="1"),)
    if not fixed and busy is not None:
        return _beside(ticket, busy, answer, said)
    step = (progress.confirm if fixed else progress.deny)(ticket, None, answer.since)
    if isinstance(step, Refused) or step.ticket is ticket:
        return (_noted(ticket, said),)
    entries = tuple(said if entry.kind is said.kind else entry for entry in step.entries)
    return (replace(step, entries=entries),)


def _taken_back(ticket: Ticket, before: Answer | None, answer: Answer) -> tuple[Step, ...]:
    """A "yes" that was no person's confirms nothing; a case that is open again stays open for a look."""
    counted = before is not None and before.standing is Standing.COUNTED and before.mood is not Mood.UNHAPPY
    if not counted or ticket.confirmed_at is None:
        return ()
    entry = Entry(Kind.WITHDRAWN, answer.since, data=_about(answer))
    return (Step(life.edit(ticket, confirmed_at=None), (entry,)),)


def _about(answer: Answer) -> dict[str, str]:
    return {"response": str(answer.response_id), "contact": str(answer.contact_id)}


def _noted(ticket: Ticket, said: Entry, **why: str) -> Step:
    noted = replace(said, data={**said.data, **why})
    return Step(replace(ticket, version=ticket.version + 1), (noted,))


def _beside(ticket: Ticket, busy: Ticket, answer: Answer, said: Entry) -> tuple[Step, ...]:
    """The "no" is heard in the case that is open already, whose people and managers are told.

    The case that it is about stays ended, but an earlier "yes" confirms it no longer.
    """
    told = Tell(Occasion.DENIED, f"denied/{answer.response_id}/{answer.version}", _TOLD)
    here = life.edit(ticket, confirmed_at=None)
    there, heard_there = life.edit(busy, denied_at=answer.since), {**said.data, "of": str(ticket.id)}
    return (
        Step(here, (replace(said, data={**said.data, "beside": str(busy.id)}),)),
        Step(there, (replace(said, data=heard_there),), tells=(told,)),
    )
