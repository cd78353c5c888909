"""The life of a ticket: open, acknowledged, contacted, resolved or closed, and open again.

```
             acknowledge          contact            resolve
   OPEN ───────────────► ACKNOWLEDGED ──► CONTACTED ──────────► RESOLVED   by a person, with cause and note
    │  └────────────────────── contact ──────▲  │                  │
    │ all voices better, untouched              │ new voice        │ reopen, or the customer speaks again
    └──► CLOSED   by itself ────────────────────┴──► OPEN ◄────────┘
```
Each function takes a ticket and returns a `Step`, or `Refused` where a person asked for what the state
does not allow. A repeated action changes nothing and is no error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.alerts.domain import clocks, escalation
from services.alerts.domain.causes import Cause, Needs
from services.alerts.domain.clocks import Clock, Level
from services.alerts.domain.incident import incident_of
from services.alerts.domain.model import (
    Answer,
    Audience,
    Entry,
    Kind,
    Occasion,
    Owner,
    Refused,
    Standing,
    Step,
    Tell,
    Ticket,
    Voice,
    VoiceState,
)
from shared.contracts import tickets as contract
from shared.contracts.model import Persona, Tier
from shared.contracts.tickets import TicketState

FIRST_TOLD = frozenset({Audience.OWNER, Audience.TEAM})
UNRESOLVED_TOLD = FIRST_TOLD | {Audience.MANAGERS}
ESCALATIONS = {
    Level.REMINDER: (Occasion.REMINDER, FIRST_TOLD),
    Level.LATE: (Occasion.LATE, FIRST_TOLD | {Audience.MANAGERS, Audience.WATCHERS}),
    Level.LEADERSHIP: (
        Occasion.LEADERSHIP,
        FIRST_TOLD | {Audience.MANAGERS, Audience.LEADERSHIP, Audience.WATCHERS},
    ),
}


def _first_told(answer: Answer) -> frozenset[Audience]:
    """Who hears of a new case: of one who decides at an important account leadership does too (R62, R82)."""
    snapshot, told = answer.snapshot, FIRST_TOLD | answer.also
    decides = snapshot.persona is Persona.DECISION_MAKER and snapshot.tier in {Tier.KEY, Tier.PREMIUM}
    return told | {Audience.LEADERSHIP} if decides else told


def open_(answer: Answer, ticket_id: UUID, owner: Owner) -> Step:
    """An unhappy answer opens a case."""
    ticket = Ticket(
        id=ticket_id,
        case_key=answer.case_key,
        version=1,
        state=TicketState.OPEN,
        opened_at=answer.since,
        run=clocks.start(
            1,
            answer.since,
            answer.contact_within,
            answer.resolve_within,
            answer.calendar,
            escalation.begin(answer.policy, answer.waits_since),
        ),
        voices=(_voice(answer),),
        snapshot=answer.snapshot,
        owner=owner,
        incident=incident_of(answer.snapshot),
        team=answer.team,
    )
    entries = (
        Entry(Kind.OPENED, answer.since, data=_score(answer)),
        _assigned(owner, answer.since),
    )
    tells = (Tell(Occasion.OPENED, "opened/1", _first_told(answer)),)
    return Step(ticket, entries, (event_of(contract.TicketOpened, ticket, answer.since),), tells)


def join(ticket: Ticket, answer: Answer) -> Step:
    """A further unhappy answer of the same case; after a contact or the end it needs one of its own."""
    if ticket.state is TicketState.CONTACTED or not ticket.is_open:
        again = reopen(ticket, answer.since, None, answer)
        joined = join(again.ticket, answer)
        return Step(joined.ticket, again.entries + joined.entries, again.events + joined.events, joined.tells)
    other = clocks.start(0, answer.since, answer.contact_within, answer.resolve_within, answer.calendar)
    run = _graver(clocks.hurry(ticket.run, other), answer.waits_since)
    ticket = edit(ticket, run=run, voices=(*ticket.voices, _voice(answer)), proposal="")
    tells = (Tell(Occasion.JOINED, f"joined/{ticket.version}", FIRST_TOLD),)
    entries = (Entry(Kind.JOINED, answer.since, data=_score(answer)),)
    return Step(ticket, entries, (event_of(contract.TicketJoined, ticket, answer.since),), tells)


def hear_again(ticket: Ticket, answer: Answer, route: Callable[[], Owner]) -> Step:
    """A voice is unhappy in its newest version; the clocks start anew if none was running for it.

    Args:
        ticket: the case before.
        answer: the answer as it stands now.
        route: who would own a case that it opens.
    """
    before = ticket.voice(answer.response_id)
    was_unhappy = before is not None and before.state is VoiceState.UNHAPPY
    spoke_after_end = not ticket.is_open and answer.spoken
    needs_contact = not was_unhappy and ticket.state not in {TicketState.OPEN, TicketState.ACKNOWLEDGED}
    entry = Entry(Kind.AMENDED, answer.since, data=_score(answer))
    voices = _marked(ticket, answer, VoiceState.UNHAPPY)
    changed = edit(ticket, run=_graver(ticket.run, answer.waits_since), voices=voices, proposal="")
    if spoke_after_end or needs_contact:
        again = reopen(changed, answer.since, None, answer)
        return replace(again, entries=(entry, *again.entries))
    if not _belongs_elsewhere(ticket, answer):
        return Step(changed, (entry,))
    owner = route()
    steps = escalation.begin(answer.policy, answer.waits_since, answer.team)
    moved = replace(changed, team=answer.team, owner=owner, run=replace(changed.run, escalation=steps))
    tells = (
        Tell(Occasion.ASSIGNED, f"assigned/{moved.version}", frozenset({Audience.OWNER})),
        # The step of the opening: who was told of it then, like a room of all teams, is not told again.
        Tell(Occasion.OPENED, "opened/1", frozenset({Audience.TEAM}) | answer.also),
    )
    because = replace(owner, reason=f"{owner.reason}; the comment shows whose case it is")
    return Step(moved, (entry, _assigned(because, answer.since)), tells=tells)


def _belongs_elsewhere(ticket: Ticket, answer: Answer) -> bool:
    """Whether the words that came after the score lead to another team (R80), before anybody took the case.

    Its clocks stay as they are: what was promised to the customer does not begin anew. The steps while nobody
    takes it are those of the other team from now on.
    """
    first = bool(ticket.voices) and ticket.voices[0].response_id == answer.response_id
    untaken = ticket.state is TicketState.OPEN and not ticket.touched
    return first and untaken and answer.team != ticket.team and not set(answer.themes) <= set(ticket.themes)


def soften(ticket: Ticket, answer: Answer) -> Step:
    """A voice is no longer unhappy: with no other left, an untouched ticket closes, a touched one may."""
    counted = answer.standing is Standing.COUNTED
    state = VoiceState.IMPROVED if counted else VoiceState.WITHDRAWN
    before = ticket.voice(answer.response_id)
    if before is None or before.state is state:
        return Step(ticket)
    entry = Entry(Kind.IMPROVED if counted else Kind.WITHDRAWN, answer.since, data=_score(answer))
    ticket = edit(ticket, voices=_marked(ticket, answer, state))
    if ticket.is_unhappy or not ticket.is_open:
        return Step(ticket, (entry,))
    why = "amended" if counted else "withdrawn"
    if ticket.touched:
        proposed = Entry(Kind.PROPOSED, answer.since, data={"why": why})
        return Step(replace(ticket, proposal=why), (entry, proposed))
    closed = _end(ticket, TicketState.CLOSED, answer.since, how=why)
    event = event_of(contract.TicketResolved, closed, answer.since, how=why)
    return Step(closed, (entry, Entry(Kind.CLOSED, answer.since, data={"why": why})), (event,))


def release(ticket: Ticket, response_id: UUID, to: UUID, at: datetime) -> Step:
    """A voice of an ended ticket speaks again while the case has another open one: it moves there."""
    voices = tuple(voice for voice in ticket.voices if voice.response_id != response_id)
    return Step(edit(ticket, voices=voices), (Entry(Kind.MOVED, at, data={"to": str(to)}),))


def acknowledge(ticket: Ticket, by: UUID, at: datetime) -> Step | Refused:
    """Somebody takes it; the 24 hours keep running."""
    if not ticket.is_open:
        return Refused("The case has ended meanwhile. Reopen it if something is left to do.")
    if ticket.state is not TicketState.OPEN:
        return Step(ticket) if ticket.owner.user_id == by else Refused("Somebody else has taken it already.")
    owner = ticket.owner if ticket.owner.user_id == by else Owner(by, "took it")
    ticket = edit(ticket, state=TicketState.ACKNOWLEDGED, acknowledged_at=at, owner=owner, touched=True)
    event = event_of(contract.TicketAcknowledged, ticket, at, by=str(by))
    return Step(ticket, (Entry(Kind.ACKNOWLEDGED, at, by),), (event,))


def contact(ticket: Ticket, by: UUID, at: datetime, data: Mapping[str, str], note: str) -> Step | Refused:
    """Somebody spoke with the customer; the first time stops the 24-hour clock, later ones are follow-ups.

    `data` holds codes alone: `via` (phone, mail, meeting) and `contact` (the contact's id).
    """
    if not ticket.is_open:
        return Refused("The case has ended meanwhile. Reopen it before you log a contact.")
    entry = Entry(Kind.CONTACTED, at, by, data, note)
    if ticket.state is TicketState.CONTACTED:
        return Step(edit(ticket, touched=True, run=replace(ticket.run, follow_up_at=None)), (entry,))
    owner = ticket.owner if ticket.owner.user_id else Owner(by, "spoke with the customer")
    ticket = edit(
        ticket,
        state=TicketState.CONTACTED,
        owner=owner,
        touched=True,
        acknowledged_at=ticket.acknowledged_at or at,
        run=replace(ticket.run, contacted_at=at),
    )
    return Step(ticket, (entry,), (event_of(contract.TicketContacted, ticket, at, by=str(by)),))


def attempt(ticket: Ticket, by: UUID, at: datetime, data: Mapping[str, str], note: str) -> Step | Refused:
    """Somebody tried and did not reach the customer: written down, and no clock stops."""
    if not ticket.is_open:
        return Refused("The case has ended meanwhile.")
    changed = replace(ticket, version=ticket.version + 1, touched=True)
    return Step(changed, (Entry(Kind.ATTEMPTED, at, by, data, note),))


def write(ticket: Ticket, by: UUID, at: datetime, note: str) -> Step:
    """Somebody leaves a note; possible at any time."""
    changed = replace(ticket, version=ticket.version + 1, touched=True)
    return Step(changed, (Entry(Kind.NOTED, at, by, note=note),))


def assign(ticket: Ticket, by: UUID, at: datetime, to: UUID) -> Step | Refused:
    """Somebody else is to take care."""
    if not ticket.is_open:
        return Refused("The case has ended meanwhile. Reopen it before you give it to somebody.")
    if ticket.owner.user_id == to:
        return Step(ticket)
    ticket = edit(ticket, owner=Owner(to, "was given it"), touched=True)
    tells = (Tell(Occasion.ASSIGNED, f"assigned/{ticket.version}", frozenset({Audience.OWNER})),)
    return Step(ticket, (Entry(Kind.ASSIGNED, at, by, {"to": str(to)}),), tells=tells)


def adopt(ticket: Ticket, owner: Owner, at: datetime) -> Step:
    """The owner has left: somebody else takes over, with all clocks as they are."""
    ticket = edit(ticket, owner=owner)
    tells = (Tell(Occasion.ASSIGNED, f"assigned/{ticket.version}", frozenset({Audience.OWNER})),)
    return Step(ticket, (_assigned(owner, at),), tells=tells)


def resolve(
    ticket: Ticket, by: UUID, at: datetime, cause: Cause, note: str, *, attempts: int
) -> Step | Refused:
    """A person ends the case with its cause and what was done (R72).

    `attempts`: how often somebody tried to reach the customer in this run without success.
    """
    if not ticket.is_open:
        return Step(ticket) if ticket.how == "person" else Refused("The case has closed by itself meanwhile.")
    if not note.strip():
        return Refused("Write down what you found and what was done.")
    contacted = ticket.run.contacted_at is not None
    if cause.needs is Needs.CONTACT and not contacted:
        return Refused("Nobody has spoken with the customer yet. Log the contact first.")
    if cause.needs is Needs.ATTEMPTS and not contacted and attempts < cause.attempts:
        return Refused(f"Try at least {cause.attempts} times before giving up; {attempts} tried so far.")
    ticket = _end(ticket, TicketState.RESOLVED, at, how="person", cause=cause.key)
    told = {"cause": cause.key, "how": "person", "contacted": contacted}
    event = event_of(contract.TicketResolved, ticket, at, by=str(by), **told)
    tells = (Tell(Occasion.RESOLVED, f"resolved/{ticket.version}", frozenset({Audience.WATCHERS})),)
    return Step(ticket, (Entry(Kind.RESOLVED, at, by, {"cause": cause.key}, note),), (event,), tells)


def accept_proposal(ticket: Ticket, by: UUID, at: datetime) -> Step | Refused:
    """A person agrees that a better answer ends a case that was already worked on."""
    if not ticket.is_open:
        return Step(ticket)
    if not ticket.proposal:
        return Refused("The customer is unhappy again; the case stays open.")
    why = ticket.proposal
    ticket = _end(ticket, TicketState.CLOSED, at, how=why)
    event = event_of(contract.TicketResolved, ticket, at, by=str(by), how=why)
    return Step(ticket, (Entry(Kind.CLOSED, at, by, {"why": why}),), (event,))


def reopen(
    ticket: Ticket, at: datetime, by: UUID | None, answer: Answer | None = None, note: str = ""
) -> Step:
    """The case is open again and its clocks start anew, by a person or because the customer spoke."""
    contact_within = answer.contact_within if answer else ticket.run.contact_within
    resolve_within = answer.resolve_within if answer else ticket.run.resolve_due_at - ticket.run.started_at
    calendar = answer.calendar if answer else ticket.run.calendar
    before = ticket.run.escalation
    policy = answer.policy if answer else before.policy if before else None
    steps = escalation.begin(policy, answer.waits_since if answer else at)
    run = clocks.start(ticket.run.generation + 1, at, contact_within, resolve_within, calendar, steps)
    ticket = edit(
        ticket,
        state=TicketState.OPEN,
        run=run,
        touched=ticket.touched or by is not None,
        proposal="",
        acknowledged_at=None,
        ended_at=None,
        cause="",
        how="",
        planned_at=None,
        confirmed_at=None,
    )
    event = event_of(contract.TicketReopened, ticket, at, by=str(by) if by else "system")
    tells = (Tell(Occasion.REOPENED, f"reopened/{run.generation}", FIRST_TOLD | {Audience.WATCHERS}),)
    return Step(ticket, (Entry(Kind.REOPENED, at, by, note=note),), (event,), tells)


def ring(ticket: Ticket, now: datetime) -> Step:
    """Tell what is overdue; a closed ticket has nothing to tell."""
    if not ticket.is_open:
        return Step(ticket)
    run, rings = clocks.ring(ticket.run, now)
    entries: list[Entry] = []
    events: list[contract.Ticket] = []
    tells: list[Tell] = []
    for rung in rings:
        ticket = replace(ticket, run=run, version=ticket.version + 1)
        if rung.clock is Clock.FOLLOW_UP:
            entries.append(Entry(Kind.FOLLOW_UP, now))
            step = f"follow_up/{rung.due_at.isoformat()}"
            tells.append(Tell(Occasion.FOLLOW_UP, step, frozenset({Audience.OWNER})))
            continue
        data = {"clock": rung.clock.value, "level": str(int(rung.level))}
        entries.append(Entry(Kind.ESCALATED, now, data=data))
        events.append(
            event_of(contract.TicketEscalated, ticket, now, level=int(rung.level), clock=rung.clock.value)
        )
        tells.append(_tell(rung, run.generation))
    return Step(ticket, tuple(entries), tuple(events), tuple(tells))


def _tell(rung: clocks.Ring, generation: int) -> Tell:
    if rung.clock is Clock.CONTACT:
        occasion, audiences = ESCALATIONS[rung.level]
    else:
        occasion, audiences = Occasion.UNRESOLVED, UNRESOLVED_TOLD
    return Tell(occasion, f"{occasion.value}/{generation}", audiences)


def edit(ticket: Ticket, **changes: object) -> Ticket:
    """The ticket after a change that others should see before they act."""
    version = ticket.version + 1
    return replace(ticket, version=version, edited=version, **changes)  # type: ignore[arg-type]  # a ticket's fields


def _graver(run: clocks.Run, at: datetime) -> clocks.Run:
    """More is known of how unhappy the customer is: steps that rested may be wanted now."""
    return replace(run, escalation=escalation.wake(run.escalation, at))


def _end(ticket: Ticket, state: TicketState, at: datetime, *, how: str, cause: str = "") -> Ticket:
    return edit(ticket, state=state, ended_at=at, proposal="", how=how, cause=cause)


def _marked(ticket: Ticket, answer: Answer, state: VoiceState) -> tuple[Voice, ...]:
    heard = replace(_voice(answer), state=state)
    return tuple(heard if v.response_id == answer.response_id else v for v in ticket.voices)


def _voice(answer: Answer) -> Voice:
    return Voice(answer.response_id, answer.survey_id, answer.contact_id, themes=answer.themes)


def _score(answer: Answer) -> dict[str, str]:
    data = {
        "response": str(answer.response_id),
        "contact": str(answer.contact_id),
        "scale": answer.scale.value,
    }
    return data if answer.score is None else {**data, "score": str(answer.score)}


def _assigned(owner: Owner, at: datetime) -> Entry:
    return Entry(Kind.ASSIGNED, at, data={"to": str(owner.user_id or ""), "why": owner.reason})


def event_of(
    model: type[contract.Ticket], ticket: Ticket, at: datetime, *, by: str = "system", **extra: object
) -> contract.Ticket:
    """An event that says how the ticket stands."""
    return model.model_validate(
        {
            "ticket_id": str(ticket.id),
            "version": ticket.version,
            "state": ticket.state,
            "snapshot": ticket.snapshot,
            "survey_ids": tuple(str(voice.survey_id) for voice in ticket.voices),
            "contact_ids": tuple(dict.fromkeys(str(voice.contact_id) for voice in ticket.voices)),
            "owner": str(ticket.owner.user_id or ""),
            "by": by,
            "opened_at": ticket.opened_at,
            "contact_due_at": ticket.run.contact_due_at,
            "at": at,
            "run": ticket.run.generation,
            **extra,
        }
    )
