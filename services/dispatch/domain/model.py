"""The values that travel between the store, the decisions and the channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.dispatch.domain.hours import Hours
from shared.contracts.forms import Form, Letter
from shared.contracts.model import Channel

_wholes: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])

INVITATION = "invitation"
REMINDER = "reminder"
OWNER = "pass_on_to"
"""Among a survey's values: the address of the account's owner, who gets the mail and passes it on."""

REPLY_TO = "reply_to"
"""Among a note's values: who of ours gets the reply, as a `Person` sealed for the one who is written to."""
MESSAGE = "message"
"""Among an invitation's values: the message's id, by which the page knows it where they say yes."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

NOTE_FRESH_FOR = timedelta(days=7)
"""After that a thank-you is stranger than none."""


def expiry(
    step: int, requested_at: datetime, closes_at: datetime | None, fresh_until: datetime | None
) -> tuple[datetime, datetime]:
    """When what a message is about closes, and when the message itself is pointless; business time.

    Args:
        step: the first one of a survey is about a moment that passes.
        requested_at: when it was asked for.
        closes_at: of its survey; None for a note.
        fresh_until: how long the moment is worth asking about, if it passes at all.
    """
    closes = closes_at or requested_at + NOTE_FRESH_FOR
    return closes, min(closes, fresh_until) if fresh_until and step == 0 else closes


@dataclass(frozen=True, slots=True)
class Planned:
    """A message as it enters: one survey or note × step × channel. `person` is sealed."""

    delivery_id: UUID
    survey_id: UUID | None
    message_id: UUID | None
    kind: str
    step: int
    channel: Channel
    contact_id: UUID
    account_id: UUID | None
    programme: str
    key: str
    snapshot: str
    requested_at: datetime
    person: str = ""
    slots: str = "{}"


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as it was requested; `person` is sealed, `hours` are its send hours as JSON, "" for any."""

    survey_id: UUID
    contact_id: UUID
    account_id: UUID | None
    programme: str
    version: int
    snapshot: str
    person: str
    digest: str
    slots: str
    requested_at: datetime
    closes_at: datetime
    fresh_until: datetime | None
    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    hours: str = ""


@dataclass(frozen=True, slots=True)
class SurveyChange:
    """What later events did to a survey; None leaves as it is."""

    survey_id: UUID
    version: int
    cancelled_as: str | None = None
    closed: bool = False
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed message with all that the last look and the wording need.

    Attributes:
        texts: form and letter as JSON, "" for a note.
        reached: an earlier step was handed over, so this one may call itself a reminder.
        earlier_open: an earlier step has not gone out yet.
        arrived_at: when it was asked for, in machine time: who came first goes first.
        hours: when it may leave, None = at any time.
        again: it may have left before, and a person decided that it is sent all the same.
    """

    delivery_id: UUID
    of_survey: bool
    survey_id: UUID | None
    kind: str
    step: int
    channel: Channel
    contact_id: UUID
    programme: str
    snapshot: str
    person: str
    slots: Mapping[str, str]
    texts: str
    attempts: int
    expires_at: datetime
    closes_at: datetime
    erased: bool = False
    opted_out: bool = False
    cancelled: bool = False
    answered: bool = False
    started: bool = False
    closed: bool = False
    paused: bool = False
    reached: bool = False
    earlier_open: bool = False
    arrived_at: datetime = LONG_AGO
    hours: Hours | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a message or an attempt ends: the reason for the books, the detail for who looks for the cause."""

    delivery_id: UUID
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A message that goes back to planned for a while of machine time."""

    delivery_id: UUID
    wait: timedelta
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """A message as its delivery event tells it; `again`: the others know already that it was uncertain."""

    delivery_id: UUID
    version: int
    survey_id: UUID | None
    message_id: UUID | None
    kind: str
    step: int
    channel: Channel
    snapshot: str
    key: str
    reason: str
    detail: str
    again: bool = False


def write_texts(form: Form, letter: Letter) -> str:
    """Form and letter as they are kept; equal ones are equal texts."""
    whole = {"form": form.model_dump(mode="json"), "letter": letter.model_dump(mode="json")}
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=512)
def read_texts(content: str) -> tuple[Form, Letter]:
    """Form and letter, read once for all surveys of a programme version."""
    whole = _wholes.validate_json(content)
    return Form.model_validate(whole["form"]), Letter.model_validate(whole["letter"])
