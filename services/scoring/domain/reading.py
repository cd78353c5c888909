"""Reads response events at the rate at which they can be stored.

These structures mirror `shared.contracts.responses`, field by field as far as scoring needs them; a test
holds the two together. Reading one costs a sixth of what the contract's models cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from msgspec import DecodeError, Meta, Raw, Struct, json
from msgspec.structs import astuple, replace

from services.scoring.domain.facts import DIMENSIONS, STATES, Dims, Fact, day_of, merge, points_of
from shared.contracts.model import Payload
from shared.errors import Undecodable

Moment = Annotated[datetime, Meta(tz=True)]


class Snapshot(Struct, frozen=True, gc=False):
    """The survey's snapshot; the first fields are DIMENSIONS in their order, then what facts keep besides."""

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
    channel: Literal["email", "sms", "in_app", "link", "webhook"] = "email"
    stage: str = ""
    version: str = ""
    contact_id: UUID | None = None
    account_id: UUID | None = None
    account_name: str = ""
    zone: str = "UTC"
    subject_kind: str = ""
    subject_id: str = ""
    context: Raw = Raw(b"{}")
    family: Literal["transactional", "relationship", "progress"] = "transactional"

    @property
    def dims(self) -> Dims:
        """Values of DIMENSIONS."""
        return astuple(self)[: len(DIMENSIONS)]


class Answer(Struct, frozen=True, gc=False):
    """One scored answer."""

    question: str
    type: str
    value: int
    item: str = ""


class Response(Struct, frozen=True, gc=False):
    """A response event of any type; a withdrawal has no answers."""

    response_id: UUID
    survey_id: UUID
    version: int
    snapshot: Snapshot
    at: Moment
    received_at: Moment | None = None
    first_at: Moment | None = None
    asked_at: Moment | None = None
    primary: str = ""
    mood: Literal["unhappy", "passive", "happy"] | None = None
    low: int = 0
    scores: tuple[Answer, ...] = ()
    choices: dict[str, tuple[str, ...]] = {}


class Kept(Struct, frozen=True, gc=False, omit_defaults=True):
    """The part of an answer that facts keep whole: nothing that was written in words."""

    primary: str
    mood: str | None
    low: int
    scores: tuple[Answer, ...]
    choices: dict[str, tuple[str, ...]] = {}


_decoder = json.Decoder(Response)
_encoder = json.Encoder()


def read(data: bytes) -> Response:
    """Read the data of a response event.

    Raises:
        Undecodable: they break the contract; the message names the field.
    """
    try:
        return _decoder.decode(data)
    except DecodeError as error:
        raise Undecodable(f"response: {error}") from error


def response_of(data: Payload | Response) -> Response:
    """The response in an event, whoever read it from the log."""
    return data if isinstance(data, Response) else read(data.model_dump_json().encode())


class Told(NamedTuple):
    """A fact with the response that states its answers."""

    fact: Fact
    response: Response


def fact_of(event_type: str, response: Response) -> Fact:
    """The fact that an event states.

    Raises:
        ValueError: an answer is off its scale; the message names the question.
    """
    day = day_of(response.first_at or response.at)
    return Fact(
        response.response_id,
        response.survey_id,
        response.version,
        STATES[event_type],
        response.snapshot.family,
        day,
        day_of(response.asked_at) if response.asked_at else day,
        response.snapshot.dims,
        points_of(response.scores, response.primary),
    )


def kept_of(response: Response) -> str:
    """The answer as JSON for the facts."""
    kept = Kept(response.primary, response.mood, response.low, response.scores, response.choices)
    return _encoder.encode(kept).decode()


def fold(told: Iterable[Told]) -> list[Told]:
    """Fold what a batch tells into the newest of each response, by id: the order in which rows are locked."""
    found: dict[UUID, Told] = {}
    for new in told:
        known = found.get(new.fact.response_id)
        if known is None:
            found[new.fact.response_id] = new
            continue
        fact = merge(known.fact, new.fact)
        if fact is not None:
            response = new.response if new.response.scores else known.response
            found[new.fact.response_id] = Told(fact, response)
    return [found[response_id] for response_id in sorted(found)]


def without_person(response: Response) -> Response:
    """The response of an erased contact: it counts, and nothing in it leads to the person."""
    snapshot = replace(
        response.snapshot, contact_id=None, zone="", subject_kind="", subject_id="", context=Raw(b"{}")
    )
    return replace(response, snapshot=snapshot)


READERS = dict.fromkeys(STATES, read)
"""Event type -> reader of its data."""
