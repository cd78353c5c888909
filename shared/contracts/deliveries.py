"""What became of each message on its way to a person."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from shared.contracts.messages import MessageKind
from shared.contracts.model import Channel, Instant, Payload, Snapshot
from shared.contracts.reasons import Reason
from shared.contracts.topics import Topic


class Delivery(Payload):
    """Fields of every delivery event.

    `delivery_id` is derived from survey (or message), step and channel; step 0 is the first message.
    `message_kind`: why a message that is no survey was written.
    """

    TOPIC: ClassVar[Topic] = Topic.DELIVERIES
    AGGREGATE: ClassVar[str] = "delivery"

    delivery_id: str
    version: int
    survey_id: str | None
    message_id: str | None = None
    message_kind: MessageKind | None = None
    step: int = 0
    channel: Channel
    snapshot: Snapshot
    at: Instant


class DeliveryHandedOver(Delivery):
    """The provider took the message; `at` is when."""

    TYPE: ClassVar[str] = "delivery.handed_over.v1"


class DeliveryDelivered(Delivery):
    """The provider says the message reached the mailbox."""

    TYPE: ClassVar[str] = "delivery.delivered.v1"


class DeliveryFailed(Delivery):
    """The provider refused for good; `detail` is its code, never an address."""

    TYPE: ClassVar[str] = "delivery.failed.v1"

    reason: Reason
    detail: str = ""


class DeliveryPassedOn(Delivery):
    """This channel did not reach the person, and the next one takes its place: the same ask, not another."""

    TYPE: ClassVar[str] = "delivery.passed_on.v1"

    reason: Reason
    next_channel: Channel
    detail: str = ""


class DeliveryReplied(Delivery):
    """The person answered a text message with a number; `reply_id` is the provider's, one for each reply."""

    TYPE: ClassVar[str] = "delivery.replied.v1"

    reply_id: str
    score: int


class DeliveryUncertain(Delivery):
    """Nobody can know whether the provider took it; it is not repeated unless a person decides so."""

    TYPE: ClassVar[str] = "delivery.uncertain.v1"


class DeliverySuppressed(Delivery):
    """The last look at hand-over said no."""

    TYPE: ClassVar[str] = "delivery.suppressed.v1"

    reason: Reason


class BounceKind(StrEnum):
    """Hard: the address is dead. Soft: not now. Policy: refused, address unharmed."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"


class DeliveryBounced(Delivery):
    """The message came back."""

    TYPE: ClassVar[str] = "delivery.bounced.v1"

    kind: BounceKind
    detail: str = ""


class DeliveryComplained(Delivery):
    """The person reported the message as unwanted; counts as an opt-out."""

    TYPE: ClassVar[str] = "delivery.complained.v1"


class DeliveryLinkReady(Delivery):
    """A link that a backend or an account manager passes on."""

    TYPE: ClassVar[str] = "delivery.link_ready.v1"

    url: str


class UnsubscribeScope(StrEnum):
    """How much a person no longer wants."""

    ALL = "all"
    PROGRAMME = "programme"


class ContactUnsubscribed(Payload):
    """A person said stop, by one click, preference page or complaint."""

    TYPE: ClassVar[str] = "contact.unsubscribed.v1"
    TOPIC: ClassVar[Topic] = Topic.DELIVERIES
    AGGREGATE: ClassVar[str] = "contact"

    contact_id: str
    account_id: str | None = None
    scope: UnsubscribeScope = UnsubscribeScope.ALL
    programme: str = ""
    at: Instant
    via: str = ""


class ContactResubscribed(Payload):
    """A person took a stop back in the way in which they had said it, as by START after STOP.

    It lifts what they had said by `via` before `at`, for everything, and nothing that they said in any other
    way. It is no consent: how they stood before they said stop stands again.
    """

    TYPE: ClassVar[str] = "contact.resubscribed.v1"
    TOPIC: ClassVar[Topic] = Topic.DELIVERIES
    AGGREGATE: ClassVar[str] = "contact"

    contact_id: str
    account_id: str | None = None
    at: Instant
    via: str
