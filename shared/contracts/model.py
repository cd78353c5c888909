"""The two bases of all contract models and the small types they share."""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.topics import Topic

Instant = AwareDatetime
"""An aware instant; written and read as RFC 3339."""

Sealed = Annotated[str, Field(json_schema_extra={"personal": True})]
"""Personal data sealed with the contact's own key (`shared.security.sealing`); empty once erased."""

LocalText = dict[str, str]
"""One text in several languages: BCP 47 tag -> text."""


class Part(BaseModel):
    """A part of a payload. Immutable; fields it does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Payload(Part):
    """The data of one event type.

    TYPE is the event type with its version, TOPIC where it travels, AGGREGATE whose order it keeps.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[Topic]
    AGGREGATE: ClassVar[str]

    PARTS: ClassVar[tuple[str, ...]] = ()
    """Fields whose very objects come again in other events; they are written as JSON once."""

    def dump(self) -> bytes:
        """The data as they lie in Kafka."""
        if not self.PARTS:
            return self.__pydantic_serializer__.to_json(self)
        rest = self.__pydantic_serializer__.to_json(self, exclude=set(self.PARTS))
        parts = b"".join(b',"%s":%s' % (name.encode(), dump_part(getattr(self, name))) for name in self.PARTS)
        return b"%s%s}" % (rest[:-1], parts)


_REMEMBERED = 1024
_dumped: OrderedDict[int, tuple[Part, bytes]] = OrderedDict()


def dump_part(part: Part) -> bytes:
    """A part as JSON; remembered, so that an object which comes again and again is written once.

    A thousand surveys of one programme carry the same form, three quarters of all they say.
    """
    known = _dumped.get(id(part))
    if known is not None and known[0] is part:
        _dumped.move_to_end(id(part))
        return known[1]
    text = part.__pydantic_serializer__.to_json(part)
    _dumped[id(part)] = (part, text)
    if len(_dumped) > _REMEMBERED:
        _dumped.popitem(last=False)
    return text


class Family(StrEnum):
    """Kind of programme; scores of two families are never merged (R6)."""

    TRANSACTIONAL = "transactional"
    RELATIONSHIP = "relationship"
    PROGRESS = "progress"


class Channel(StrEnum):
    """Medium by which a survey reaches a person (R52)."""

    EMAIL = "email"
    SMS = "sms"
    IN_APP = "in_app"
    LINK = "link"
    WEBHOOK = "webhook"
    SHARED_LINK = "shared_link"
    """A link without an invitation: nobody was asked, whoever finds it answers. Never a way to ask."""
    FORM = "form"
    """A form tool of the company's own, which told us of an answer. Never a way to ask."""


UNASKED = frozenset({Channel.SHARED_LINK, Channel.FORM})
"""By these somebody answers whom we did not ask: there is no invitation, and no response rate."""


class Persona(StrEnum):
    """The two personas of a B2B account (R59)."""

    USER = "user"
    DECISION_MAKER = "decision_maker"


class Tier(StrEnum):
    """Account tiers (R60)."""

    SMALL = "small"
    KEY = "key"
    PREMIUM = "premium"


class Person(Part):
    """Who somebody is; travels only sealed."""

    name: str = ""
    email: str = ""
    phone: str = ""


class Snapshot(Part):
    """What was known about a survey when it was asked; carried by every later event of it.

    `test`: somebody tries a programme; whatever comes of it counts nowhere.
    """

    programme: str
    version: str
    family: Family
    touchpoint: str
    contact_id: str
    account_id: str | None = None
    account_name: str = ""
    tier: Tier | None = None
    industry: str = ""
    size: str = ""
    owner: str = ""
    persona: Persona | None = None
    job_function: str = ""
    product: str = ""
    service_type: str = ""
    region: str = ""
    locale: str = "en"
    zone: str = "UTC"
    channel: Channel = Channel.EMAIL
    stage: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    context: dict[str, str] = Field(default_factory=dict)
    breakdown: tuple[str, ...] = ()
    """Names of the attributes in `context` that scores are to be broken down by."""
    test: bool = False

    @property
    def key(self) -> str:
        """Partition key of the survey's events: the account, else the contact."""
        return self.account_id or self.contact_id
