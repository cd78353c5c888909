"""When a programme wants to ask somebody about something, and from when on that would be too late."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.audience import Person
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.model import Account, Contact, Moment, Organisation, Scalar, place_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.timing import (
    EARLIEST_ZONE,
    LATEST_ZONE,
    Span,
    add_span,
    anywhere,
    days_before,
    on_day,
)
from services.trigger.domain.when import Per
from shared.calendars import local_instant
from shared.windows import ACCEPTABLE

FIRST_DAY = date(2000, 1, 1)
"""Where series of accounts begin whose own start nobody told."""

CHURNED = "account.churned"
LOST = frozenset({CHURNED, "contract.ended"})
"""What ends a customer, or what is sold to one."""

_PARTS = frozenset({"feature", "release"})
_ONE_DAY = Span(days=1)
_DRAWS = 2**32


def subject_of(per: Per, event: Occurrence, person: Person | None) -> str:
    """What an event is about, in the terms the programme counts in; "" when the event does not say.

    A release or feature of a product counts by itself.
    """
    told = event.touchpoint.subject
    match per:
        case Per.CONTACT:
            return f"contact:{person.contact.id}" if person else ""
        case Per.ACCOUNT:
            return account_subject(event.account.id) if event.account else ""
        case Per.PRODUCT:
            product = event.touchpoint.product
            part = f"/{told.id}" if told and told.kind in _PARTS else ""
            return f"product:{product}{part}" if product else ""
        case Per.CONTRACT if event.account and (told is None or told.kind != per):
            return contract_subject(event.account.id)
        case Per.EVENT:
            return f"event:{event.event_id}/{event.touchpoint.occurred_at.isoformat()}"
        case _:
            return f"{per}:{told.id}" if told and told.kind == per else ""


def subjects_of(per: Per, event: Occurrence) -> set[str]:
    """All that an event is about, whoever of its people is meant."""
    return {subject_of(per, event, person) for person in (*event.people, None)} - {""}


def account_ended(per: Per, event: Occurrence) -> UUID | None:
    """The account all of whose plans an event ends that calls off, whatever they are counted per.

    So does what ends a customer, whomever it names besides; of several contracts only the one that ended,
    where they are counted. An event that names no order, no person and so on is about all of its account.
    """
    if event.account is None or per is Per.ACCOUNT:
        return None
    named = _names(per, event)
    lost = event.type in LOST and not (per is Per.CONTRACT and named and event.type != CHURNED)
    return event.account.id if lost or not named else None


def _names(per: Per, event: Occurrence) -> bool:
    """Whether an event says which of the things that are counted it is about."""
    told = event.touchpoint.subject
    match per:
        case Per.CONTACT:
            return bool(event.people)
        case Per.PRODUCT:
            return bool(event.touchpoint.product)
        case Per.EVENT:
            # Nothing that happens later is the same event: only the end of the customer ends it.
            return True
        case _:
            return told is not None and told.kind == per


def account_subject(account_id: UUID) -> str:
    """An account as a subject."""
    return f"account:{account_id}"


def contract_subject(account_id: UUID) -> str:
    """The one contract of an account, where events name none, as a subject."""
    return f"contract:account:{account_id}"


def moment_of(
    edition: Edition,
    moment: Moment,
    contact: Contact | None,
    account: Account | None,
    organisation: Organisation,
) -> tuple[datetime, datetime]:
    """When a programme wants to ask somebody, and from when on that would be too late.

    For an audience not yet resolved (no contact) the moment begins before everybody's own and ends after it.
    """
    when = edition.programme.when
    zone = place_of(contact, account, organisation).zone
    early, late = (zone, zone) if contact else (EARLIEST_ZONE, LATEST_ZONE)
    if when.before and moment.renewal_on:
        last = add_span(days_before(moment.renewal_on, when.by, late), when.fresh_for, late)
        stale_at = min(last, _end_of(moment.renewal_on, late))
        return days_before(moment.renewal_on, when.by, early), stale_at
    if when.from_account_start:
        return _in_period(edition, moment, contact, early)
    delay = _times(when.every, moment.period) if when.recurring else when.delay
    if contact is None:
        due_at, last = anywhere(moment.at, delay)
        return due_at, anywhere(last, when.fresh_for)[1]
    due_at = add_span(moment.at, delay, zone)
    return due_at, add_span(due_at, when.fresh_for, zone)


def first_period(edition: Edition, at: datetime, now: datetime) -> int:
    """A number of the period, counted from 1, that surely is not later than the one now is in."""
    every = edition.programme.when.every
    longest = timedelta(days=31 * every.months + every.days)
    return max(1, (now - at) // longest - 1)


def anchor_of(account: Account, edition: Edition) -> datetime:
    """Where an account's series begins: its start, else a day of its own, so that accounts spread."""
    day = account.started_on
    if day is None:
        every = edition.programme.when.every.rough.days
        day = FIRST_DAY + timedelta(days=int(draw(f"{edition.key}/{account.id}") * every))
    return datetime.combine(day, time(), UTC)


def draw(text: str) -> float:
    """A number from 0 to below 1 that the text alone decides."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / _DRAWS


def iso(day: date | None) -> Scalar:
    """A day for the ledger."""
    return day.isoformat() if day else ""


def _in_period(
    edition: Edition, moment: Moment, contact: Contact | None, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """People have their own day in each period, always the same; an audience is due when it begins."""
    when = edition.programme.when
    day, following = _period(moment.at.astimezone(UTC).date(), when.every, moment.period)
    if contact is None:
        return local_instant(day, 0, zone), local_instant(following, 0, zone)
    day += timedelta(days=int(draw(f"{edition.key}/{contact.id}") * (following - day).days))
    due_at = local_instant(day, ACCEPTABLE.opens, zone)
    return due_at, add_span(due_at, when.fresh_for, zone)


@lru_cache(maxsize=4096)
def _period(anchor: date, every: Span, number: int) -> tuple[date, date]:
    """The first day of a period, and that of the next."""
    return on_day(anchor, _times(every, number)), on_day(anchor, _times(every, number + 1))


def _times(span: Span, number: int) -> Span:
    return Span(months=span.months * number, days=span.days * number, hours=span.hours * number)


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return add_span(datetime(day.year, day.month, day.day, tzinfo=zone), _ONE_DAY, zone)
