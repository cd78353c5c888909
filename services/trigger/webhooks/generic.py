"""The generic webhook: Standard Webhooks signature, and our own touchpoint as the body.

`{"type": "order.delivered", "data": {"occurred_at": …, "contact": {…}, …}}`, with `id` and `source` as far as
the sender has them. The signed `webhook-id` tells repeats apart.
"""

from __future__ import annotations

import re

from pydantic import ValidationError

from services.trigger.domain.reports import Report, digest_of
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node, read_object, zero_byte_of
from services.trigger.webhooks.contract import Options, Provider
from shared.contracts.envelope import describe
from shared.contracts.touchpoints import Touchpoint
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, WebhookSecret

SOURCE = "/webhooks/generic"
TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){1,5}")


def read(call: Call, signed: Signed, _options: Options) -> tuple[Report, ...]:
    """The touchpoint of a request.

    Raises:
        BadBodyError: It is not one.
    """
    found = read_object(call.body)
    kind = found.at("type").need()
    if not TYPE.fullmatch(kind):
        raise found.at("type").wrong("must be lower-case words joined by dots, for example order.delivered")
    message_id = signed.message_id or ""
    return (
        Report(
            replay=message_id,
            digest=digest_of(found.value),
            source=found.at("source").text(MAX_ID) or SOURCE,
            id=found.at("id").text(MAX_ID) or message_id,
            type=kind,
            touchpoint=_touchpoint(found.at("data")),
        ),
    )


def _touchpoint(data: Node) -> Touchpoint:
    """Senders speak of people in clear; references into our directory are for our own events."""
    if not isinstance(data.value, dict):
        raise data.wrong("missing; it holds the touchpoint")
    try:
        touchpoint = Touchpoint.model_validate(data.value)
    except ValidationError as error:
        raise BadBodyError(describe(error, data.path)) from error
    if path := zero_byte_of(touchpoint):
        raise BadBodyError(f"{data.path}.{path}: holds a zero byte")
    if any(person.ref or person.sealed for person in touchpoint.people):
        raise data.at("contact").wrong("ref and sealed are not for senders; give id, email, name")
    return touchpoint


PROVIDER = Provider("generic", schemes.standard, read, WebhookSecret.standard)
