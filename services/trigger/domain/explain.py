"""A decision as one plain sentence that a customer-success rep understands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.trigger.domain.decisions import DOUBTFUL, INVITED
from services.trigger.domain.model import Decision, Scalar
from shared.contracts.reasons import Outcome, Reason

_BECAUSE: Mapping[Reason, str] = {
    Reason.NOT_MATCHED: "no programme asks about this event",
    Reason.FILTERED: "the event does not meet the programme's conditions",
    Reason.NOT_IN_AUDIENCE: "the person is not in the programme's audience",
    Reason.SAMPLED_OUT: "only a part of the audience is asked, and this person is not in it",
    Reason.UNKNOWN_CONTACT: "the event names somebody by an id alone, and nobody is known by it",
    Reason.NO_CHANNEL: "no address is known on which the programme may write",
    Reason.INVALID_ADDRESS: "the e-mail address cannot be right",
    Reason.OWN_COMPANY: "the address belongs to our own company",
    Reason.OPTED_OUT: "the person asked not to be asked",
    Reason.NO_CONSENT: "the programme asks only people who agreed, and this person has not",
    Reason.ERASED: "the person's data were erased",
    Reason.BOUNCED: "earlier mail to this address came back",
    Reason.HELD: "an open case has to be settled first",
    Reason.ACCOUNT_BUDGET: "enough people of this account were asked lately",
    Reason.QUARANTINED: "the person was asked too recently",
    Reason.OUTRANKED: "a more important question to the same person goes first",
    Reason.PLACE_KEPT: "a place is kept for a colleague whom the programme wants to hear too",
    Reason.SEND_WINDOW: "it waits for a decent hour at the recipient",
    Reason.EXPIRED: "the moment has passed",
    Reason.DUPLICATE: "this was already planned",
    Reason.SUPERSEDED: "the date moved",
    Reason.MERGED: "two entries of the directory turned out to be one person",
    Reason.CANCELLED: "a later event called it off",
    Reason.ANSWERED: "the person has answered",
    Reason.PAUSED: "an operator paused it",
    Reason.SHADOW: "what is in shadow is never sent",
    Reason.UNSENDABLE: "the message could not be written for this person",
    Reason.PROGRAMME_ARCHIVED: "the programme was ended",
    Reason.BEST_MOMENT: "people like this one answer more often then",
    Reason.REPLANNED: "the programme was changed",
}

_NAMES: Mapping[str, str] = {
    "asked_at": "asked on",
    "by": "by programme",
    "quarantine": "time between questions",
    "fresh_for": "asking makes sense for",
    "stale_at": "too late from",
    "free_at": "free again on",
    "max": "at most",
    "kept_until": "due on",
    "max_per_account": "at most per account",
    "per": "within",
    "asked": "asked so far",
    "field": "field",
    "found": "it is",
    "wanted": "wanted",
    "hold": "open",
    "ref": "number",
    "brake": "paused",
    "priority": "its priority",
    "own_priority": "this one's",
    "sample": "share asked",
    "named": "named is",
    "moved_from": "from",
    "moved_to": "to",
    "zone": "clock of",
    "event": "event",
    "missing": "too few by",
    "state": "that plan is",
    "file": "its file is",
    "slot": "at the person's place",
    "share": "expected to answer",
    "asked_then": "asked then so far",
    "answered_then": "answered",
    "plans": "plans moved",
    "called_off": "called off",
    "by_whom": "merged by",
    "source": "sent by",
}

_SECRET = frozenset(
    {
        "tried",
        "touchpoint",
        "due_at",
        "channels",
        "country",
        "scope",
        "window",
        "occurred_at",
        "closes_at",
        "why",
    }
)


def because(reason: Reason | None) -> str:
    """A reason in words; "" without one."""
    return _BECAUSE[reason] if reason else ""


def sentence(decision: Decision, title: str = "") -> str:
    """What was decided, why, and from which facts; `title` is the programme's, where it is known."""
    named = title or decision.programme
    if decision.inputs.get("test"):
        return f"A test of “{named}” was sent by {decision.inputs.get('by_hand_of') or 'somebody'}."
    if INVITED in decision.inputs:
        return _invited(decision)
    subject = f"“{named}”" if named else "Nobody"
    subject += " (in shadow)" if decision.shadow else ""
    what = f"Reminder {decision.step} of {subject}" if decision.step else subject
    reason = str(decision.inputs.get("why") or because(decision.reason))
    facts = _facts(decision.inputs)
    return f"{_verdict(decision, what, reason)}{f' ({facts})' if facts else ''}."


def foresight(decision: Decision) -> str:
    """What a decision that was not taken yet would come to."""
    reason, day = because(decision.reason), _day(decision.until)
    facts = _facts(decision.inputs)
    match decision.outcome:
        case Outcome.REQUESTED:
            told = "It would be sent now"
        case Outcome.PLANNED:
            told = f"It would be sent on {day}"
        case Outcome.DEFERRED:
            told = f"It would wait until {day}, because {reason}"
        case _:
            told = f"It would not be sent, because {reason}"
    return f"{told}{f' ({facts})' if facts else ''}."


def _invited(decision: Decision) -> str:
    what = "An invitation to take part in a fix"
    match decision.outcome:
        case Outcome.REQUESTED if decision.inputs.get(DOUBTFUL):
            return f"{what} may have been sent: the mail server did not say whether it took it."
        case Outcome.REQUESTED:
            return f"{what} was sent. It uses up patience like a survey."
        case Outcome.CANCELLED:
            return f"{what} came back: the address is dead. Its place is free again."
        case _:
            return f"{what} was not sent, because {because(decision.reason)}."


_VERDICTS: Mapping[Outcome, str] = {
    Outcome.PLANNED: "{what} was planned{until}",
    Outcome.REQUESTED: "{what} was sent on its way",
    Outcome.DEFERRED: "{what} waits{until}, because {reason}",
    Outcome.SUPPRESSED: "{what} was not sent, because {reason}",
    Outcome.CANCELLED: "{what} was cancelled, because {reason}",
    Outcome.SHADOW: "{what} would have been sent now, but {reason}",
    Outcome.NOT_MATCHED: "{what} was not planned, because {reason}",
}


def _verdict(decision: Decision, what: str, reason: str) -> str:
    day = _day(decision.until)
    if decision.reason is Reason.MERGED and decision.inputs.get("stays") and not decision.programme:
        return f"Merged, because {reason}"
    if decision.outcome is Outcome.NOT_MATCHED and not decision.programme:
        return f"Nobody is asked, because {reason}"
    if decision.outcome is Outcome.DEFERRED and not decision.programme:
        return f"The event waits at most until {day}, because {reason}"
    if decision.outcome is Outcome.PLANNED and decision.reason in {Reason.SUPERSEDED, Reason.REPLANNED}:
        return f"{what} was moved to {day}, because {reason}"
    word = "for" if decision.outcome is Outcome.PLANNED else "until"
    return _VERDICTS[decision.outcome].format(what=what, reason=reason, until=f" {word} {day}" if day else "")


def _facts(inputs: Mapping[str, Scalar]) -> str:
    shown = (
        (name, value) for name, value in inputs.items() if name not in _SECRET and value not in (None, "")
    )
    return "; ".join(f"{_NAMES.get(name, name)} {_value(value)}" for name, value in shown)


def _value(value: Scalar) -> str:
    if isinstance(value, str) and "T" in value[8:12]:
        try:
            return _day(datetime.fromisoformat(value))
        except ValueError:
            return value
    return (
        value.replace("_", " ")
        if isinstance(value, str) and "." not in value
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _day(at: datetime | None) -> str:
    return at.strftime("%-d %B %Y, %H:%M UTC") if at else ""
