"""A decision as one plain sentence that a customer-success rep understands."""

from __future__ import annotations

from collections.abc import Mapping

from services.trigger.domain import merging, merging_accounts
from services.trigger.domain.decisions import DOUBTFUL, INVITED
from services.trigger.domain.model import Decision
from services.trigger.domain.particulars import Reading, particulars
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
    Reason.HELD: "something that is open has to be settled first",
    Reason.ACCOUNT_BUDGET: "enough people of this account were asked lately",
    Reason.QUARANTINED: "the person was asked too recently",
    Reason.OUTRANKED: "a more important question to the same person goes first",
    Reason.PLACE_KEPT: "a place is kept for a colleague whom the programme wants to hear too",
    Reason.SEND_WINDOW: "no decent hour at the recipient comes sooner",
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

ANYBODY = Reading()
"""Programmes by their keys, instants in UTC."""


def because(reason: Reason | None) -> str:
    """A reason in words; "" without one."""
    return _BECAUSE[reason] if reason else ""


def sentence(decision: Decision, reading: Reading = ANYBODY) -> str:
    """What was decided, why, and from which facts."""
    named = reading.programme(decision.programme)
    if decision.inputs.get("test"):
        return f"A test of {named} was sent by {decision.inputs.get('by_hand_of') or 'somebody'}."
    if INVITED in decision.inputs:
        return _invited(decision)
    subject = named if decision.programme else "Nobody"
    subject += " (in shadow)" if decision.shadow else ""
    what = f"Reminder {decision.step} of {subject}" if decision.step else subject
    reason = str(decision.inputs.get("why") or because(decision.reason))
    facts = particulars(decision.inputs, reading)
    verdict = _verdict(decision, what, reason, reading.day(decision.until))
    meant = reading.intended(str(decision.inputs.get("touchpoint", ""))) if unwanted(decision) else ""
    return f"{verdict}{f' ({facts})' if facts else ''}.{f' Did you mean {meant}?' if meant else ''}"


def unwanted(decision: Decision) -> bool:
    """Whether it is about an event that no programme asks about."""
    return decision.reason is Reason.NOT_MATCHED and not decision.programme


def foresight(decision: Decision, reading: Reading = ANYBODY) -> str:
    """What a decision that was not taken yet would come to."""
    reason, day = because(decision.reason), reading.day(decision.until)
    facts = particulars(decision.inputs, reading)
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


MERGES = frozenset({merging.EVENT, merging_accounts.EVENT})
ENDS_BEFORE = frozenset({Reason.HELD, Reason.PAUSED})
"""Reasons to wait that somebody ends, at the latest when the moment is over."""

_VERDICTS: Mapping[Outcome, str] = {
    Outcome.PLANNED: "{what} was planned{until}",
    Outcome.REQUESTED: "{what} was sent on its way",
    Outcome.DEFERRED: "{what} waits{until}, because {reason}",
    Outcome.SUPPRESSED: "{what} was not sent, because {reason}",
    Outcome.CANCELLED: "{what} was cancelled, because {reason}",
    Outcome.SHADOW: "{what} would have been sent now, but {reason}",
    Outcome.NOT_MATCHED: "{what} was not planned, because {reason}",
}


def _verdict(decision: Decision, what: str, reason: str, day: str) -> str:
    if decision.reason is Reason.MERGED and decision.inputs.get("stays") and not decision.programme:
        return f"Merged, because {reason}"
    nobody = decision.reason in {Reason.UNKNOWN_CONTACT, Reason.MERGED}
    if nobody and decision.inputs.get("touchpoint") in MERGES and not decision.programme:
        return f"Nothing was merged, because {reason}"
    if decision.outcome is Outcome.NOT_MATCHED and not decision.programme:
        return f"Nobody is asked, because {reason}"
    if decision.outcome is Outcome.DEFERRED and not decision.programme:
        return f"The event waits at most until {day}, because {reason}"
    if decision.outcome is Outcome.PLANNED and decision.reason in {Reason.SUPERSEDED, Reason.REPLANNED}:
        return f"{what} was moved to {day}, because {reason}"
    word = "for" if decision.outcome is Outcome.PLANNED else "until"
    if decision.outcome is Outcome.DEFERRED and decision.reason in ENDS_BEFORE:
        word = "at most until"
    return _VERDICTS[decision.outcome].format(what=what, reason=reason, until=f" {word} {day}" if day else "")
