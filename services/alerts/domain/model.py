"""The things alerts speaks about: answers, voices, tickets, what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.calendars import Calendar
from services.alerts.domain.clocks import Run
from services.alerts.domain.escalation import EscalationPolicy
from shared.contracts import tickets as contract
from shared.contracts.forms import QuestionType
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood
from shared.contracts.tickets import TicketState

OPEN_STATES = frozenset({TicketState.OPEN, TicketState.ACKNOWLEDGED, TicketState.CONTACTED})
"""States in which somebody still has to do something."""


class Standing(StrEnum):
    """Whether an answer counts: yes, held back as possibly machine-made, or no longer."""

    COUNTED = "counted"
    HELD = "held"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Answer:
    """One response after its newest version.

    Attributes:
        score: value of the primary question; None when only its withdrawal was ever heard of.
        since: when its clock starts: received, or released from being held.
        spoken: the person said this now, as opposed to a verdict about what was said before.
        calendar: the working hours of the team that promised the contact; None: all hours count.
        policy: what happens while nobody takes the case; None: nothing. Known while it is heard.
        heard_at: when it was heard here, perhaps long after it was given. Known while it is heard.
        words: sealed `Words`; `person` is a sealed `Person`.
        team: whose case it is, when it opens one; empty for the rota that everybody shares.
        also: who is told of the opening beside those who always are.
        task: what the programme wants done after it; `playbook`: in its case; `help`: the name of what the
            customer gets at once. Known while it is heard.
        joined: whose case it is in when that is not its own account's or contact's: they were merged.
        known_as: the id by which the person is known now, where that was looked up.
        quotable: its words may be published without name and company. Known while it is heard.
        agreed_at: when its tick was set that allows this; None: there is none, or nobody knows since when.
        themes: keys of what its words are about, but for what they praise.
    """

    response_id: UUID
    version: int
    survey_id: UUID
    contact_id: UUID
    account_id: UUID | None
    standing: Standing
    mood: Mood
    score: int | None
    scale: QuestionType
    received_at: datetime
    since: datetime
    snapshot: Snapshot
    low: int = 0
    spoken: bool = True
    wants_ticket: bool = True
    contact_within: timedelta = timedelta(hours=24)
    resolve_within: timedelta = timedelta(days=14)
    words: str = ""
    person: str = ""
    evidence: tuple[str, ...] = ()
    calendar: Calendar | None = None
    team: str = ""
    also: frozenset[Audience] = frozenset()
    joined: UUID | None = None
    task: str = ""
    playbook: str = ""
    help: str = ""
    known_as: UUID | None = None
    quotable: bool = False
    agreed_at: datetime | None = None
    policy: EscalationPolicy | None = None
    heard_at: datetime | None = None
    themes: tuple[str, ...] = ()

    @property
    def case_key(self) -> UUID:
        """Whose case it is: the account's, else the contact's own."""
        return self.joined or self.account_id or self.contact_id

    @property
    def waits_since(self) -> datetime:
        """From when on somebody could take its case: no step tells of what nobody had a chance to take."""
        return max(self.since, self.heard_at or self.since)

    @property
    def speaker(self) -> UUID:
        """Who gave it; the same for all ids of one person."""
        return self.known_as or self.contact_id

    @property
    def unhappy(self) -> bool:
        """Whether it must be in a ticket (R95); a programme may ask for none."""
        return self.standing is Standing.COUNTED and self.mood is Mood.UNHAPPY and self.wants_ticket


class VoiceState(StrEnum):
    """What an answer in a ticket says by now."""

    UNHAPPY = "unhappy"
    IMPROVED = "improved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Voice:
    """One answer of a case, and what its words are about. A response is a voice of one ticket at most."""

    response_id: UUID
    survey_id: UUID
    contact_id: UUID
    state: VoiceState = VoiceState.UNHAPPY
    themes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who takes care, and why them, in words; `user_id` is None when all managers are asked."""

    user_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Before:
    """What an action changed, as it was before it."""

    state: TicketState
    owner: Owner
    acknowledged_at: datetime | None = None
    contacted_at: datetime | None = None
    ended_at: datetime | None = None
    planned_at: datetime | None = None
    follow_up_at: datetime | None = None
    proposal: str = ""
    cause: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """The last action, as long as it can be taken back: `edited` is the ticket's after it."""

    action: str
    by: UUID
    at: datetime
    edited: int
    before: Before


@dataclass(frozen=True, slots=True)
class Ticket:
    """An unhappy customer's case.

    Attributes:
        version: rises with every change.
        edited: version of the last change that a person acting on an older view should see first.
        touched: a person has worked on it; it no longer closes by itself.
        proposal: why closing is proposed ("amended", "withdrawn"), or empty.
        how: what ended it: "person", "amended", "withdrawn".
        incident: what the first voice was about, if that was an incident; one ticket of an account for each.
        planned_at: when it was first agreed what to do.
        confirmed_at: when the customer said that it is mended.
        denied_at: when the customer last said that it is not; None once they say that it is.
        watchers: users who want to hear how it goes on.
        team: key of the team whose case it is; empty for the rota that everybody shares.
    """

    id: UUID
    case_key: UUID
    version: int
    state: TicketState
    opened_at: datetime
    run: Run
    voices: tuple[Voice, ...]
    snapshot: Snapshot
    owner: Owner
    edited: int = 1
    touched: bool = False
    proposal: str = ""
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    cause: str = ""
    how: str = ""
    incident: str = ""
    planned_at: datetime | None = None
    confirmed_at: datetime | None = None
    denied_at: datetime | None = None
    watchers: tuple[UUID, ...] = ()
    undo: Undo | None = None
    team: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in OPEN_STATES

    @property
    def is_untaken(self) -> bool:
        """Whether nobody has taken it yet, so that the steps of its escalation policy run."""
        return self.state is TicketState.OPEN

    @property
    def is_unhappy(self) -> bool:
        """Whether any voice is still unhappy."""
        return any(voice.state is VoiceState.UNHAPPY for voice in self.voices)

    @property
    def themes(self) -> tuple[str, ...]:
        """What its voices speak about, in their order."""
        return tuple(dict.fromkeys(theme for voice in self.voices for theme in voice.themes))

    def voice(self, response_id: UUID) -> Voice | None:
        """The voice of a response, if it is in this case."""
        return next((voice for voice in self.voices if voice.response_id == response_id), None)


class Kind(StrEnum):
    """What a line of the timeline says."""

    OPENED = "opened"
    JOINED = "joined"
    MOVED = "moved"
    AMENDED = "amended"
    IMPROVED = "improved"
    WITHDRAWN = "withdrawn"
    PROPOSED = "proposed"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    ATTEMPTED = "attempted"
    NOTED = "noted"
    ASSIGNED = "assigned"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    PLANNED = "planned"
    FOLLOW_UP = "follow_up"
    LINKED = "linked"
    LEARNED = "learned"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    UNDONE = "undone"
    TOLD = "told"
    NOT_TOLD = "not_told"
    PASSED_ON = "passed_on"
    OUTSIDE = "outside"
    STEP = "step"
    WAITS = "waits"
    UNTAKEN = "untaken"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline; `by` is a user or None for the system. `note` is sealed when stored."""

    kind: Kind
    at: datetime
    by: UUID | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class Audience(StrEnum):
    """Who is to be told."""

    OWNER = "owner"
    MANAGERS = "managers"
    LEADERSHIP = "leadership"
    TEAM = "team"
    WATCHERS = "watchers"


class Occasion(StrEnum):
    """Why somebody is told; the notice's words follow from it."""

    OPENED = "opened"
    JOINED = "joined"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    REMINDER = "reminder"
    LATE = "late"
    LEADERSHIP = "leadership"
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    TAKEN = "taken"
    ENDED = "ended"
    FOLLOW_UP = "follow_up"
    DENIED = "denied"
    RESOLVED = "resolved"
    CONFIRMED = "confirmed"
    UNTAKEN = "untaken"


@dataclass(frozen=True, slots=True)
class Tell:
    """Somebody is to be told. `step` is unique within the ticket, so nobody is told twice.

    `doors`: further ones by channel and recipient, who are none of these audiences.
    """

    occasion: Occasion
    step: str
    audiences: frozenset[Audience]
    doors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A decision about one ticket: how it is afterwards, what to write down, announce and tell."""

    ticket: Ticket
    entries: tuple[Entry, ...] = ()
    events: tuple[contract.Ticket, ...] = ()
    tells: tuple[Tell, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An action that the ticket's state does not allow, with the reason for the person who tried."""

    why: str
