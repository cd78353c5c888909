"""Reminders of a survey, one after the other, counted from the invitation."""

from __future__ import annotations

from datetime import datetime

from services.trigger.domain.model import Ask, Contact, Decision, Organisation, place_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import end_of
from shared.contracts.reasons import Outcome
from shared.values import altered


def reminder_at(ask: Ask, edition: Edition, contact: Contact, organisation: Organisation) -> datetime | None:
    """When the next reminder of a survey is due; None when it has no further one."""
    steps = edition.programme.send.reminders
    if ask.next_step > len(steps):
        return None
    zone = place_of(contact, None, organisation).zone
    return end_of(ask.asked_at, steps[ask.next_step - 1].after, zone)


def after_reminder(
    ask: Ask, decision: Decision, edition: Edition, contact: Contact, organisation: Organisation
) -> Ask:
    """A survey after the gate decided about its due reminder; one that goes out has a version of its own."""
    if decision.outcome is Outcome.DEFERRED:
        return altered(ask, next_step_at=decision.until, waits_for=decision.reason)
    if decision.outcome is not Outcome.REQUESTED:
        return altered(ask, next_step_at=None, waits_for=None)
    moved = altered(ask, next_step=ask.next_step + 1, event_version=ask.event_version + 1, waits_for=None)
    return altered(moved, next_step_at=reminder_at(moved, edition, contact, organisation))
