"""What somebody outside reports: a touchpoint, under which id, and who in it is named by an id alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from shared.contracts.model import Payload
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint


class Named(StrEnum):
    """What a sender's id stands for."""

    CONTACT = "contact"
    TICKET = "ticket"
    DEAL = "deal"
    CONTRACT = "contract"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Gap:
    """A thin report: the person is not in it, only an id by which the sender knows them.

    Attributes:
        provider: whose id it is.
        kind: what it stands for: the person, or a thing whose person has to be found.
        id: the sender's id.
    """

    provider: str
    kind: Named
    id: str

    @property
    def name(self) -> str:
        """The backend id under which the directory would know the person."""
        return self.id if self.kind is Named.CONTACT else f"{self.provider}:{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Report:
    """A touchpoint from outside.

    Attributes:
        replay: tells repeats apart, within its route.
        digest: changes when the sender says something else under the same id.
        source: with `id` the identity of the event.
        gap: who is missing; None when the report stands by itself.
        aka: further ids by which the sender will speak of the first person.
        own: what the sender calls the event, where `replay` and `id` were made up here.
    """

    replay: str
    digest: str
    source: str
    id: str
    type: str
    touchpoint: Touchpoint
    gap: Gap | None = None
    aka: tuple[str, ...] = ()
    own: tuple[str, ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """By what somebody may ask for it who knows the sender: its ids, and that of what it is about."""
        ids = (self.replay, self.id) if self.own is None else self.own
        return frozenset((*ids, *names_of(self.touchpoint))) - {""}


def names_of(touchpoint: Touchpoint) -> tuple[str, ...]:
    """Ids of what a touchpoint is about: a ticket, an order; also without the partner's name before it."""
    told = touchpoint.subject
    return tuple({told.id, told.id.rpartition(":")[2]}) if told else ()


@dataclass(frozen=True, slots=True)
class Missed:
    """A source says that a record changed and does not say how.

    Attributes:
        entity: what the record is, in the source's words.
        record: its id; "*" = any of its kind.
        change: what was done to it, as far as the source tells.
    """

    source: str
    entity: str
    record: str
    change: str
    at: datetime


class Reported(Payload):
    """What a record of somebody else's topic says, once it is mapped; never sent anywhere."""

    TYPE: ClassVar[str] = "reported"
    TOPIC: ClassVar[Topic] = Topic.TOUCHPOINTS
    AGGREGATE: ClassVar[str] = "none"

    reports: tuple[Report, ...] = ()
    missed: tuple[Missed, ...] = ()


def digest_of(said: object, without: Collection[str] = ()) -> str:
    """A hash of a JSON value, whatever its layout; `without` are fields that change with each attempt."""
    kept = {k: v for k, v in said.items() if k not in without} if isinstance(said, dict) else said
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
