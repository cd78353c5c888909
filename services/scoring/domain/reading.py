"""Reads response events at the rate at which they can be stored.

These structures mirror `shared.contracts.responses`, field by field as far as scoring needs them; a test
holds the two together. Reading one costs a sixth of what the contract's models cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from msgspec import DecodeError, Meta, Raw, Struct, json
from msgspec.structs import astuple

from services.scoring.domain.facts import DIMENSIONS, STATES, Fact, context_of, day_of, merge, points_of
from shared.contracts.model import Payload
from shared.errors import Undecodable

Id = Annotated[str, Meta(min_length=36, max_length=36)]
Moment = Annotated[datetime, Meta(tz=True)]

PERSONAL = ("contact_id", "subject_kind", "subject_id", "context", "zone")
"""Parts of a snapshot that lead to a person."""


class Snapshot(Struct, frozen=True, gc=False):
    """What is needed of the survey's snapshot; the first fields are DIMENSIONS in their order."""

    programme: str
    touchpoint: str
    tier: Literal["small", "key", "premium"] | None = None
    industry: str = ""
    size: str = ""
    owner: str = ""
    persona: Literal["user", "decision_maker"] | None = None
    job_function: str = ""
    product: str = ""
    service_type: str = ""
    region: str = ""
    locale: str = "en"
    channel: Literal["email", "sms", "in_app", "link", "webhook", "shared_link", "form"] = "email"
    family: Literal["transactional", "relationship", "progress"] = "transactional"
    contact_id: Id | None = None
    account_id: Id | None = None
    context: dict[str, str] = {}
    breakdown: tuple[str, ...] = ()
    test: bool = False


class Answer(Struct, frozen=True, gc=False):
    """One scored answer."""

    question: str
    type: str
    value: int
    item: str = ""


class Response(Struct, frozen=True, gc=False):
    """A response event of any type; a withdrawal has no answers."""

    response_id: Id
    survey_id: Id
    version: int
    snapshot: Raw
    at: Moment
    received_at: Moment | None = None
    first_at: Moment | None = None
    asked_at: Moment | None = None
    primary: str = ""
    mood: Literal["unhappy", "passive", "happy"] | None = None
    low: int = 0
    scores: tuple[Answer, ...] = ()
    choices: dict[str, tuple[str, ...]] = {}
    permissions: tuple[str, ...] = ()
    permitted_at: dict[str, Moment] = {}
    words: str = ""


class Kept(Struct, frozen=True, gc=False, omit_defaults=True):
    """The part of an answer that facts keep whole: nothing that was written in words."""

    primary: str
    mood: str | None
    low: int
    scores: tuple[Answer, ...]
    choices: dict[str, tuple[str, ...]] = {}
    permissions: tuple[str, ...] = ()
    permitted_at: dict[str, Moment] = {}


class Told(NamedTuple):
    """What an event says: the fact, the answers, and the snapshot as it was written.

    `test`: somebody tries a programme; the answer counts nowhere.
    """

    fact: Fact
    response: Response
    contact_id: str | None
    account_id: str | None
    snapshot: str
    test: bool = False


_response = json.Decoder(Response).decode
_snapshot = json.Decoder(Snapshot).decode
_encode = json.Encoder().encode
_WIDTH = len(DIMENSIONS)


def read(data: bytes) -> Response:
    """Read the data of a response event.

    Raises:
        Undecodable: they break the contract; the message names the field.
    """
    try:
        return _response(data)
    except DecodeError as error:
        raise Undecodable(f"response: {error}") from error


READERS = dict.fromkeys(STATES, read)
"""Event type -> reader of its data."""


def response_of(data: Payload | Response) -> Response:
    """The response in an event, whoever read it from the log."""
    return data if isinstance(data, Response) else read(data.model_dump_json().encode())


def told_by(event_type: str, response: Response) -> Told:
    """What an event says.

    Raises:
        ValueError: the snapshot breaks the contract or an answer is off its scale; the field is named.
    """
    try:
        snapshot = _snapshot(response.snapshot)
    except DecodeError as error:
        raise ValueError(f"snapshot: {error}") from error
    day = day_of(response.first_at or response.at)
    fact = Fact(
        response.response_id,
        response.survey_id,
        response.version,
        STATES[event_type],
        snapshot.family,
        day,
        day_of(response.asked_at) if response.asked_at else day,
        astuple(snapshot)[:_WIDTH],
        points_of(response.scores, response.primary),
        context_of(snapshot.context, snapshot.breakdown) if snapshot.breakdown else (),
    )
    written = bytes(response.snapshot).decode()
    return Told(fact, response, snapshot.contact_id, snapshot.account_id, written, snapshot.test)


def about(response: Response) -> tuple[str | None, str | None]:
    """Whose answer it is and of which account; neither where somebody tries a programme, or it is unread."""
    try:
        snapshot = _snapshot(response.snapshot)
    except DecodeError:
        return None, None
    return (None, None) if snapshot.test else (snapshot.contact_id, snapshot.account_id)


def kept_of(response: Response) -> str:
    """The answer as JSON for the facts."""
    kept = Kept(
        response.primary,
        response.mood,
        response.low,
        response.scores,
        response.choices,
        response.permissions,
        response.permitted_at,
    )
    return _encode(kept).decode()


def fold(told: Iterable[Told]) -> list[Told]:
    """Fold what a batch tells into the newest of each response, in order of ids as rows are locked."""
    found: dict[str, Told] = {}
    for new in told:
        known = found.setdefault(new.fact.response_id, new)
        if known is new:
            continue
        fact = merge(known.fact, new.fact)
        if fact is not None:
            response = new.response if new.response.scores else known.response
            found[new.fact.response_id] = new._replace(fact=fact, response=response)
    return [found[response_id] for response_id in sorted(found)]


def without_person(told: Told) -> Told:
    """What is kept of an erased contact's answer: it counts, and nothing in it leads to the person."""
    snapshot = {key: value for key, value in json.decode(told.snapshot).items() if key not in PERSONAL}
    fact = told.fact._replace(context=())
    return told._replace(fact=fact, contact_id=None, snapshot=_encode(snapshot).decode())
