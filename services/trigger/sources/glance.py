"""When a line of a history happened and what it is tied to, without reading the whole of it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

import msgspec

from services.trigger.domain.backtest.apart import Heard, Words
from services.trigger.sources.lines import Happening
from shared.contracts.touchpoints import Touchpoint

_TIME = re.compile(rb'"occurred_at\\?"\s*:\s*\\?"([0-9T:.Z+\- ]{10,40})\\?"')


class _Person(msgspec.Struct, gc=False):
    id: str = ""
    email: str = ""
    phone: str = ""
    ref: str = ""


class _Account(msgspec.Struct, gc=False):
    id: str


class _Subject(msgspec.Struct, gc=False):
    kind: str
    id: str


class _Named(msgspec.Struct, gc=False):
    """As much of the data as says what an event is tied to."""

    occurred_at: str
    contact: _Person | None = None
    contacts: tuple[_Person, ...] = ()
    account: _Account | None = None
    accounts: tuple[_Account, ...] = ()
    product: str = ""
    subject: _Subject | None = None
    renewal_on: str | None = None


class _Glance(msgspec.Struct, gc=False):
    """A structured CloudEvent, looked at once to find out when it happened and what it is tied to."""

    specversion: str
    id: str
    source: str
    type: str
    data: _Named


_glance = msgspec.json.Decoder(_Glance).decode


def time_of(line: bytes) -> datetime | None:
    """When a line happened, as far as that stands in it just once and with its zone."""
    told = _TIME.findall(line)
    return _instant(told[0].decode()) if len(told) == 1 else None


def _instant(text: str) -> datetime | None:
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else None
    return None


def look_at(line: bytes) -> Heard | None:
    """What a plain CloudEvent is tied to; None for anything else, and for what may be broken."""
    try:
        event = _glance(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    told = event.data
    at = _instant(told.occurred_at)
    if at is None:
        return None
    return _heard(event, at, told)


def heard_in(one: Happening) -> Heard:
    """What an event is tied to."""
    return _heard(one, one.at, one.told)


def _heard(event: Happening | _Glance, at: datetime, told: Touchpoint | _Named) -> Heard:
    people = (told.contact, *told.contacts) if told.contact else told.contacts
    return Heard(
        event.type,
        event.source,
        event.id,
        at,
        [Words(one.id, one.email, one.phone, one.ref) for one in people],
        told.account.id if told.account else "",
        [one.id for one in told.accounts],
        told.product,
        (told.subject.kind, told.subject.id) if told.subject else ("", ""),
        dated=told.renewal_on is not None,
    )
