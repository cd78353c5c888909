"""A timeline as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain import progress, words
from services.alerts.domain.asking import Asking
from services.alerts.domain.causes import Cause, find
from services.alerts.domain.escalating import Coming
from services.alerts.domain.escalation import is_room, missing_in_words, whom_in_words
from services.alerts.domain.model import Kind
from services.alerts.domain.rooms import kind_of, team_of
from services.alerts.domain.routing import TEAM
from services.alerts.domain.thanking import Fate
from services.alerts.handlers.actions import VIA
from services.alerts.store.journal import Logged
from services.alerts.store.messages import Sent
from services.alerts.store.questions import Shown
from services.alerts.store.views import TimelineRow
from shared.contracts.forms import QuestionType

_OCCASIONS = {
    "opened": "the new case",
    "joined": "one more voice",
    "reopened": "the case open again",
    "assigned": "the case being theirs",
    "reminder": "half of the time being over",
    "late": "the promised time being over",
    "leadership": "the hard limit",
    "unresolved": "the case not being resolved",
    "unreachable": "an owner who could not be told",
    "taken": "the case being taken",
    "ended": "the case being over",
    "follow_up": "the promised follow-up",
    "denied": "the customer's no",
    "resolved": "the end of the case",
    "confirmed": "the customer's yes",
    "untaken": "nobody having taken the case",
}
_MEDIA = {
    "email": "by e-mail",
    "sms": "by text message",
    "slack": "on Slack",
    "teams": "on Microsoft Teams",
    "pagerduty": "on PagerDuty",
    "webhook": "by webhook",
}
_LEVELS = {
    "1": "Half of the time is over and nobody has spoken with the customer",
    "2": "The promised time is over: managers are told",
    "3": "Hard limit reached: leadership is told",
}
_ENDS = {"amended": "the customer raised the score", "withdrawn": "the answer was taken back"}
_STATES = {
    Kind.CONTACTED: "ok",
    Kind.RESOLVED: "ok",
    Kind.CLOSED: "ok",
    Kind.IMPROVED: "ok",
    Kind.CONFIRMED: "ok",
    Kind.FOLLOW_UP: "warn",
    Kind.DENIED: "danger",
    Kind.OPENED: "warn",
    Kind.JOINED: "warn",
    Kind.REOPENED: "warn",
    Kind.ESCALATED: "danger",
    Kind.NOT_TOLD: "danger",
    Kind.PASSED_ON: "warn",
    Kind.UNTAKEN: "warn",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the timeline as it is shown."""

    at: datetime
    place: int
    text: str
    note: str
    state: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """What a timeline needs to be read: names of users and contacts, and the causes."""

    users: Mapping[UUID, str]
    contacts: Mapping[UUID, str]
    causes: tuple[Cause, ...]

    def user(self, text: str) -> str:
        """The name behind a user's id, or "the team's room"."""
        if text == TEAM:
            return "the team's room"
        return self.users.get(UUID(text), "somebody who has left") if text else "all managers"

    def contact(self, data: Mapping[str, str]) -> str:
        """The name behind the contact's id of a line."""
        text = data.get("contact", "")
        return (self.contacts.get(UUID(text), "") if text else "") or "the customer"


def sentence(row: TimelineRow, note: str, reader: Reader) -> Sentence:
    """Say one line."""
    kind = Kind(row.kind)
    by = reader.users.get(row.by, "Somebody who has left") if row.by else ""
    text = _say(kind, by, row.data, reader)
    state = "warn" if kind is Kind.ESCALATED and row.data.get("level") == "1" else _STATES.get(kind, "")
    if kind is Kind.OUTSIDE:
        state = "danger" if row.data.get("what") in _ALARMING else state
        return Sentence(row.at, row.id, text, note, state, row.data.get("url", ""))
    if kind is Kind.LINKED and progress.is_link(note):
        return Sentence(row.at, row.id, text, "", state, note)
    return Sentence(row.at, row.id, text, note, state)


def told_together(rows: Sequence[TimelineRow], reader: Reader) -> list[Sentence]:
    """One line for everybody who was told about the same thing."""
    groups: dict[str, list[TimelineRow]] = {}
    for row in rows:
        groups.setdefault(row.data.get("step") or row.data.get("occasion", ""), []).append(row)
    return [_told(group, reader) for group in groups.values()]


def _told(rows: Sequence[TimelineRow], reader: Reader) -> Sentence:
    last = rows[-1]
    people = [f"{reader.user(r.data.get('to', ''))} {_how(r.data)}" for r in rows]
    about = _OCCASIONS.get(last.data.get("occasion", ""), "the case")
    return Sentence(last.at, last.id, f"Told about {about}: {', '.join(people)}", "", "quiet")


def written(sent: Sent, reader: Reader) -> Sentence:
    """A mail that a customer got by itself, and how it stands."""
    who = reader.contact({"contact": str(sent.contact_id)})
    what = _MAILS.get(sent.kind, "a mail")
    said = _FATES[sent.state].format(what=what, who=who, why=_REASONS.get(sent.reason, sent.reason))
    state = "warn" if sent.state in _UNSENT else "quiet"
    return Sentence(sent.at, 0, f"{said[:1].upper()}{said[1:]}", "", state)


def asked(shown: Shown, reader: Reader, now: datetime) -> Sentence:
    """Whether somebody is asked if it is mended, and why not."""
    one, who = shown.question, reader.contact({"contact": str(shown.question.contact_id)})
    why = _REASONS.get(one.reason, one.reason.replace("_", " "))
    day = one.until.strftime("%-d %b") if one.until else "later"
    said = _ASKED[one.state].format(who=who, why=why, day=day, programme=one.programme)
    if one.state is Asking.PLANNED and one.reason not in _TIMED:
        said += f"; it waits, because {why}"
    if one.state is Asking.SENT and not shown.answered:
        over = one.until is not None and one.until <= now
        said += f"; no answer came until {day}" if over else "; no answer yet"
    state = "warn" if one.state in {Asking.REFUSED, Asking.UNSENT} else "quiet"
    return Sentence(one.at, 0, f"{said[:1].upper()}{said[1:]}", "", state)


_ASKED = {
    Asking.PLANNED: "{who} is to be asked on {day} whether it is mended",
    Asking.REFUSED: "{who} is not asked whether it is mended: {why}",
    Asking.ASKED: "{who} is being asked whether it is mended (programme {programme})",
    Asking.SENT: "{who} was asked whether it is mended (programme {programme})",
    Asking.UNSENT: "the question to {who} whether it is mended did not arrive: {why}",
}
_TIMED = frozenset({"", "send_window", "best_moment"})
"""Why a question has its moment and not an earlier one: nothing that a person must know."""

_MAILS = {
    "help": "help",
    "first_reply": "a first reply",
    "thanks": "our thanks",
    "you_said_we_did": "word of what we changed",
    "invitation": "an invitation to take part in the fix",
}
_FATES = {
    Fate.REQUESTED: "{what} to {who} is on its way",
    Fate.WITHHELD: "{what} to {who} was not sent: {why}",
    Fate.UNCERTAIN: "{what} may have reached {who}: the mail server did not say",
    Fate.HANDED_OVER: "{what} was sent to {who}",
    Fate.SUPPRESSED: "{what} to {who} was not sent: {why}",
    Fate.FAILED: "{what} to {who} could not be sent: {why}",
    Fate.BOUNCED: "{what} to {who} came back: write or call by another way",
    Fate.COMPLAINED: "{who} reported {what} as unwanted: do not write, call",
}
_UNSENT = frozenset(_FATES) - {Fate.REQUESTED, Fate.HANDED_OVER}
_REASONS = {
    "no_text": "alerts.yaml has no such help",
    "opted_out": "they do not want mails",
    "erased": "they were erased",
    "invalid_address": "there is no address that works",
    "bounced": "earlier mails came back",
    "expired": "the answer is too old for it",
    "own_company": "they are one of us",
    "no_consent": "they did not agree to be asked",
    "no_channel": "there is no address to write to",
    "paused": "sending was paused",
    "filtered": "nobody spoke with them",
    "cancelled": "the case is open again",
    "programme_archived": "the programme has ended",
    "shadow": "the programme sends nothing",
    "held": "they are on hold",
}


def tries(logged: Logged, reader: Reader) -> Sentence | None:
    """The attempts of a notice that did not succeed, each with its time and reason; None when all did."""
    lost = [attempt for attempt in logged.attempts if attempt.outcome == "failed"]
    if not lost:
        return None
    about = _OCCASIONS.get(logged.occasion, "the case")
    count = "One try" if len(lost) == 1 else f"{len(lost)} tries"
    then = {
        "sent": "then it went through",
        "pending": "it is tried again",
        "handing_over": "it is tried again",
    }
    text = (
        f"{count} to tell {reader.user(logged.recipient)} {_how({'channel': logged.channel})} about {about} "
        f"failed; {then.get(logged.state, 'given up')}"
    )
    note = "\n".join(f"{attempt.at:%H:%M:%S} UTC: {attempt.detail}" for attempt in lost)
    return Sentence(lost[-1].at, 0, text, note, "quiet" if logged.state == "sent" else "warn")


def _how(data: Mapping[str, str]) -> str:
    kind, team = kind_of(data.get("channel", "")), team_of(data.get("channel", ""))
    return _MEDIA.get(kind, f"on {kind.title()}") + (f" ({team})" if team else "")


def _say(kind: Kind, by: str, data: Mapping[str, str], reader: Reader) -> str:
    if by:
        return _by_person(kind, by, data, reader)
    who = reader.contact(data)
    given = words.score(int(data["score"]), QuestionType(data["scale"])) if "score" in data else "an answer"
    capital = f"{who[:1].upper()}{who[1:]}"
    why = _ENDS.get(data.get("why", ""), "nobody is unhappy any more")
    said = {
        Kind.OPENED: f"{capital} gave {given}",
        Kind.JOINED: f"{capital} gave {given} too",
        Kind.AMENDED: f"{capital} changed the answer: {given}",
        Kind.IMPROVED: f"{capital} raised the score: {given}",
        Kind.WITHDRAWN: f"The answer of {who} was taken back",
        Kind.MOVED: f"The answer of {who} went to another case",
        Kind.PROPOSED: f"Closing is proposed: {why}",
        Kind.CLOSED: f"Closed by itself: {why}",
        Kind.FOLLOW_UP: f"{capital} was to hear from us again",
        Kind.CONFIRMED: f"{capital} confirms that it is mended",
        Kind.DENIED: f"{capital} says that it is not mended",
        Kind.REOPENED: "Open again: the customer is unhappy again",
    }
    if kind is Kind.WAITS:
        return _waits(data, reader)
    if kind is Kind.UNTAKEN:
        return _untaken(data, reader)
    if kind in {Kind.CONFIRMED, Kind.DENIED} and "late" in data:
        return f"{said[kind]}, in answer to an earlier question; the case stays as it is"
    return said.get(kind) or _by_system(kind, data, reader)


def _waits(data: Mapping[str, str], reader: Reader) -> str:
    about = _OCCASIONS.get(data.get("occasion", ""), "the case")
    wakes = words.moment(datetime.fromisoformat(data["until"]), data.get("zone", "UTC"))
    return f"{reader.user(data.get('to', ''))} has quiet hours: told about {about} at {wakes}"


def _by_system(kind: Kind, data: Mapping[str, str], reader: Reader) -> str:
    match kind:
        case Kind.ASSIGNED:
            return f"Given to {reader.user(data.get('to', ''))}: {data.get('why', '')}"
        case Kind.ESCALATED:
            late = "The case should have been resolved by now"
            return late if data.get("clock") == "resolve" else _LEVELS.get(data.get("level", ""), "Late")
        case Kind.PASSED_ON:
            way = _how({"channel": data.get("next", "")})
            return f"{reader.user(data.get('to', ''))} is not reached {_how(data)}: tried {way} as well"
        case Kind.OUTSIDE:
            return _outside(data)
        case Kind.NOT_TOLD:
            return f"Could not tell {reader.user(data.get('to', ''))} {_how(data)}: {data.get('why', '')}"
        case _:
            return kind.value.replace("_", " ").capitalize()


def _untaken(data: Mapping[str, str], reader: Reader) -> str:
    """A step of the escalation policy: how long nobody took the case, who is told, and as whom."""
    waited = words.span(timedelta(minutes=int(data.get("minutes", "0"))))
    lap = f", round {data['round']}" if data.get("round", "1") != "1" else ""
    step = f"Nobody took the case for {waited} (step {data.get('place', '1')}{lap})"
    pairs = zip(data.get("to", "").split(), data.get("as", "").split(), strict=False)
    told = [_as(to, whom, reader) for to, whom in pairs]
    return f"{step}: {', '.join(told)} told" if told else f"{step}, and there is nobody to tell"


def coming_words(coming: Coming | None, reader: Reader, now: datetime) -> str:
    """Who is told next if nobody takes the case; empty when nobody is."""
    if coming is None or not coming.told:
        return ""
    *others, last = [_as(one.to, one.role, reader) for one in coming.told]
    told = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return f"If nobody takes it {_within(coming.at - now)}, {told} told."


def _within(left: timedelta) -> str:
    return "now" if left < timedelta(minutes=1) else f"within {words.span(left)}"


def _as(to: str, whom: str, reader: Reader) -> str:
    role, _, instead = whom.partition("/")
    if is_room(role):
        return f"the team's room {_how({'channel': to})}"
    why = f", as {' and '.join(map(missing_in_words, instead.split(',')))}" if instead else ""
    return f"{reader.user(to)} ({whom_in_words(role)}{why})"


_HELPDESKS = {
    "zendesk": "Zendesk",
    "jira": "Jira",
    "freshdesk": "Freshdesk",
    "hubspot": "HubSpot",
    "salesforce": "Salesforce",
}
_OUTSIDE = {
    "created": "The case is in {desk} too, as {id}",
    "comment": "{by} wrote in {desk}",
    "solved_there": "{desk} says solved, the case here is not: speak with the customer or open it there",
    "open_there": "{desk} says open again, the case here is over: look whether the customer wrote there",
    "both": "Changed here and in {desk} at once: as it is here, it is there now",
    "gone": "Somebody deleted the case in {desk}; it is not kept in step any more",
    "trouble": "{desk} does not take the case: {why}",
}


def _outside(data: Mapping[str, str]) -> str:
    named = {
        "desk": _HELPDESKS.get(data.get("helpdesk", ""), "the helpdesk"),
        "by": data.get("by") or "Somebody",
    }
    said = {"id": data.get("id", ""), "why": data.get("why", "")} | named
    return _OUTSIDE.get(data.get("what", ""), "Something happened in {desk}").format(**said)


_ALARMING = frozenset({"solved_there", "open_there", "both", "gone", "trouble"})

UNDONE = {
    "acknowledge": "taking the case",
    "contacted": "the contact",
    "plan": "the plan",
    "assign": "giving it away",
    "resolve": "resolving it",
    "accept": "closing it",
}
"""What can be taken back, in words."""


_STEPS = {"done": "done", "taken": "they took it", "refused": "they did not want it", "open": "not yet"}


def _until(data: Mapping[str, str]) -> str:
    at = data.get("follow_up")
    return f"; they hear from us by {datetime.fromisoformat(at):%-d %b}" if at else ""


def _by_person(kind: Kind, by: str, data: Mapping[str, str], reader: Reader) -> str:
    how = f" {word}" if (word := VIA.get(data.get("via", ""))) else ""
    cause = find(reader.causes, data.get("cause", ""))
    said = {
        Kind.ACKNOWLEDGED: f"{by} took the case",
        Kind.CONTACTED: f"{by} spoke with {reader.contact(data)}{how}",
        Kind.ATTEMPTED: f"{by} tried to reach {reader.contact(data)}{how}, without success",
        Kind.NOTED: f"{by} left a note",
        Kind.ASSIGNED: f"{by} gave the case to {reader.user(data.get('to', ''))}",
        Kind.RESOLVED: f"{by} resolved the case: {cause.label if cause else data.get('cause', '')}",
        Kind.CLOSED: f"{by} closed the case: {_ENDS.get(data.get('why', ''), 'nobody is unhappy any more')}",
        Kind.REOPENED: f"{by} opened the case again",
        Kind.PLANNED: f"{by} wrote down what was agreed{_until(data)}",
        Kind.LINKED: f"{by} put a document beside the case",
        Kind.LEARNED: f"{by} wrote down what others can learn",
        Kind.CONFIRMED: f"{by}: the customer confirms that it is mended",
        Kind.DENIED: f"{by}: the customer says that it is not mended",
        Kind.STEP: f"{data.get('step', '')}: {_STEPS.get(data.get('state', ''), '')}, says {by}",
        Kind.UNDONE: f"{by} took back: {UNDONE.get(data.get('action', ''), data.get('action', ''))}",
    }
    return said.get(kind, f"{by}: {kind.value}").strip()
