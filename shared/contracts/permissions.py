"""What somebody said about their answer beside it, by word of mouth."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.forms import Permission
from shared.contracts.model import Instant, Payload
from shared.contracts.topics import Topic


class PermissionNoted(Payload):
    """Somebody of ours wrote down what the writer of an answer allows, or no longer allows (R84).

    It is said of `version` of the answer: a yes of these very words, a no of all versions, until one has a
    tick that was set later than `at` (`permitted_at` of the answer). Of several the one of the highest
    version counts, of these the latest, of these the no; so they may be heard in any order. `by`: `user:` or
    `key:` with an id, no name.
    """

    TYPE: ClassVar[str] = "permission.noted.v1"
    TOPIC: ClassVar[Topic] = Topic.PERMISSIONS
    AGGREGATE: ClassVar[str] = "response"

    response_id: str
    version: int
    permission: Permission
    given: bool
    by: str
    at: Instant
