"""The generic webhook: Standard Webhooks signature, and our own touchpoint as the body.

`{"type": "order.delivered", "data": {"occurred_at": …, "contact": {…}, …}}`, with `id` and `source` as far as
the sender has them. The signed `webhook-id` tells repeats apart.
"""

from __future__ import annotations

import re

from pydantic import ValidationError

from services.trigger.webhooks.body import BadBodyError, Incoming, read_object, text_of
from shared.contracts.envelope import describe
from shared.contracts.touchpoints import Touchpoint

SOURCE = "/webhooks/generic"
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){1,5}")
_MAX = 200


def read(body: bytes, message_id: str) -> Incoming:
    """The touchpoint of a request.

    Raises:
        BadBodyError: It is not one.
    """
    found = read_object(body)
    kind = text_of(found, "type")
    if not _TYPE.fullmatch(kind) or len(kind) > _MAX:
        raise BadBodyError("type: must be lower-case words joined by dots, for example order.delivered")
    source, event_id = text_of(found, "source") or SOURCE, text_of(found, "id") or message_id
    if len(source) > _MAX or len(event_id) > _MAX or "\x00" in source + event_id:
        raise BadBodyError(f"id, source: at most {_MAX} characters, no NUL")
    data = found.get("data")
    if not isinstance(data, dict):
        raise BadBodyError("data: missing; it holds the touchpoint")
    try:
        touchpoint = Touchpoint.model_validate(data)
    except ValidationError as error:
        raise BadBodyError(f"data: {describe(error)}") from error
    return Incoming(source, event_id, kind, _without_seals(touchpoint))


def _without_seals(touchpoint: Touchpoint) -> Touchpoint:
    """Senders speak of people in clear; references into our directory are for our own events."""
    if any(person.ref or person.sealed for person in touchpoint.people):
        raise BadBodyError("data.contact: ref and sealed are not for senders; give id, email, name")
    return touchpoint
