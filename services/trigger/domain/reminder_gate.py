"""The gate of reminders: the same rules, but a reminder's own survey quarantines nothing (R49)."""

from __future__ import annotations

from datetime import datetime

from services.trigger.domain.decisions import of_ask
from services.trigger.domain.facts import Facts, since
from services.trigger.domain.model import Ask, AskState, Contact, Decision, Scalar, place_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.refusals import holding, no_channel, refused_person
from services.trigger.domain.timing import Span, end_of
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.windows import Place, Slot, choose_slot


def decide_reminder(ask: Ask, edition: Edition, facts: Facts) -> Decision:
    """Whether a due reminder goes out (R49): the same gate, but its own survey quarantines nothing."""
    contact = facts.contacts.get(ask.contact_id)
    over = _no_more(ask, edition, contact, facts)
    if over or contact is None:
        return over or of_ask(ask, Outcome.SUPPRESSED, Reason.ERASED, {})
    waits = _waits(ask, edition, facts)
    if waits:
        return waits
    account = facts.accounts.get(ask.account_id) if ask.account_id else None
    unreachable = no_channel(contact, account, edition, facts.own_domains)
    if unreachable:
        return of_ask(ask, Outcome.SUPPRESSED, unreachable, {})
    return _when_free(ask, edition, facts, contact)


def _no_more(ask: Ask, edition: Edition, contact: Contact | None, facts: Facts) -> Decision | None:
    """Why nobody is reminded of a survey any more: it or its programme is over, or the person is gone."""
    inputs: dict[str, Scalar] = {}
    if ask.state is not AskState.OPEN:
        reason = Reason.ANSWERED if ask.answered_at else Reason.CANCELLED
        inputs["state"] = ask.state
    elif edition.state is ProgrammeState.ARCHIVED:
        reason = Reason.PROGRAMME_ARCHIVED
    elif edition.state is ProgrammeState.SHADOW:
        reason, inputs["why"] = Reason.SHADOW, "the programme went into shadow"
    elif refused := refused_person(contact, edition):
        reason = refused[0]
    elif facts.now >= ask.closes_at:
        reason, inputs["closes_at"] = Reason.EXPIRED, ask.closes_at.isoformat()
    else:
        return None
    return of_ask(ask, Outcome.SUPPRESSED, reason, inputs)


def _waits(ask: Ask, edition: Edition, facts: Facts) -> Decision | None:
    """The brake or the hold for which a reminder waits as long as the survey is open."""
    brake = facts.brakes.on(ask.programme, ask.account_id)
    if brake or edition.state is ProgrammeState.PAUSED:
        return of_ask(ask, Outcome.DEFERRED, Reason.PAUSED, {"brake": brake}, until=ask.closes_at)
    hold = holding(ask.contact_id, ask.account_id, edition.programme.when.holds, facts.holds)
    if hold is None:
        return None
    inputs: dict[str, Scalar] = {"hold": hold.kind, "ref": hold.ref}
    return of_ask(ask, Outcome.DEFERRED, Reason.HELD, inputs, until=ask.closes_at)


def _when_free(ask: Ask, edition: Edition, facts: Facts, contact: Contact) -> Decision:
    place = place_of(
        contact, facts.accounts.get(ask.account_id) if ask.account_id else None, facts.organisation
    )
    # An ask made before this one was within its rights then; only a later one makes the reminder too much.
    if _asked_since(ask, edition.programme.quarantine.contact, place, facts):
        return of_ask(
            ask,
            Outcome.SUPPRESSED,
            Reason.QUARANTINED,
            {"quarantine": edition.programme.quarantine.contact.text},
        )
    slot = _slot(facts.now, ask.closes_at, edition, place)
    if slot is None:
        return of_ask(ask, Outcome.SUPPRESSED, Reason.EXPIRED, {"window": "not before the survey closes"})
    if slot.at > facts.now:
        return of_ask(ask, Outcome.DEFERRED, Reason.SEND_WINDOW, {"zone": str(place.zone)}, until=slot.at)
    return of_ask(ask, Outcome.REQUESTED, None, {"asked_at": ask.asked_at.isoformat()})


def _slot(after: datetime, closes_at: datetime, edition: Edition, place: Place) -> Slot | None:
    """When a reminder may go out; None when there is no time in the window left before the survey closes."""
    send = edition.programme.send
    return choose_slot(after, closes_at, send.rule, place, outside_before_stale=send.outside_before_stale)


def _asked_since(ask: Ask, span: Span, place: Place, facts: Facts) -> bool:
    """Whether somebody was asked something else after a survey, and is in quarantine for anything else."""
    theirs = facts.asks.of_contact(ask.contact_id)
    if not theirs or theirs[-1].asked_at <= ask.asked_at:
        return False
    others = (a for a in since(theirs, span, facts.now) if a.survey_id != ask.survey_id)
    return any(end_of(a.asked_at, span, place.zone) > facts.now for a in others)
