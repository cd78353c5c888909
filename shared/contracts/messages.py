"""Messages to customers that are not surveys; dispatch is the only sender."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.model import Instant, Payload, Sealed, Snapshot
from shared.contracts.topics import Topic


class MessageKind(StrEnum):
    """Why a customer is written to outside a survey (R77, R79, R81, R94)."""

    THANKS = "thanks"
    FIRST_REPLY = "first_reply"
    YOU_SAID_WE_DID = "you_said_we_did"
    HELP = "help"
    INVITATION = "invitation"


class MessageRequested(Payload):
    """One message to one person; `person` is a sealed `Person`.

    `reply_to` is a sealed `Person` too: whoever of ours takes care and gets the reply, under the key of the
    one who is written to; empty for the organisation's own reply address. `slots` fill the fixed texts:
    `hours` (a first reply: within how many hours somebody will call), `text` (what was changed, help, or what
    they may take part in). An invitation leads to a page of alerts that knows it by `message_id`.
    """

    TYPE: ClassVar[str] = "message.requested.v1"
    TOPIC: ClassVar[Topic] = Topic.MESSAGES
    AGGREGATE: ClassVar[str] = "message"

    message_id: str
    kind: MessageKind
    snapshot: Snapshot
    person: Sealed
    reply_to: Sealed = ""
    requested_at: Instant
    slots: dict[str, str] = Field(default_factory=dict)
