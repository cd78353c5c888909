"""`/webhooks/*`: verified over the raw bytes, mapped, answered only after the commit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from services.trigger import metrics
from services.trigger.handlers.intake import Received, take
from services.trigger.store.guard import unit_of_work
from services.trigger.webhooks import generic, zendesk
from services.trigger.webhooks.body import MAX_BYTES, BadBodyError, Ignored, Incoming
from shared.runtime.service import Platform
from shared.security.signatures import (
    Refused,
    Signed,
    Verdict,
    WebhookSecret,
    verify_standard,
    verify_zendesk,
)
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Secrets:
    """What each sender signs with; several at once, so that one can be replaced."""

    generic: tuple[WebhookSecret, ...]
    zendesk: tuple[WebhookSecret, ...]


def router(platform: Platform, secrets: Secrets) -> APIRouter:
    """The routes of all senders."""
    routes = APIRouter(prefix="/webhooks", tags=["webhooks"])

    @routes.post("/generic")
    async def from_anybody(request: Request) -> dict[str, str]:
        """A touchpoint, signed as Standard Webhooks."""
        body = await _body(request)
        now = platform.machine.wall()
        signed = _signed("generic", verify_standard(request.headers.raw, body, secrets.generic, now))
        message_id = signed.message_id or ""
        incoming = _read("generic", lambda: generic.read(body, message_id))
        return await _take(platform, incoming, message_id, body)

    @routes.post("/zendesk")
    async def from_zendesk(request: Request) -> dict[str, str]:
        """A Zendesk event, or a trigger with our template."""
        body = await _body(request)
        now = platform.machine.wall()
        signed = _signed("zendesk", verify_zendesk(request.headers.raw, body, secrets.zendesk, now))
        incoming = _read("zendesk", lambda: zendesk.read(body, signed.message_id))
        if isinstance(incoming, Ignored):
            metrics.WEBHOOKS.labels("zendesk", "ignored").inc()
            return {"status": "ignored", "reason": incoming.why}
        return await _take(platform, incoming, incoming.id, body)

    return routes


async def _take(
    platform: Platform, incoming: Incoming | Ignored, message_id: str, body: bytes
) -> dict[str, str]:
    assert isinstance(incoming, Incoming)  # noqa: S101 - what is ignored was answered before
    route = generic.SOURCE if incoming.source != zendesk.SOURCE else zendesk.SOURCE
    digest = hashlib.sha256(body).hexdigest()
    received = Received(
        route, message_id, digest, incoming.source, incoming.id, incoming.type, incoming.touchpoint
    )
    async with unit_of_work(platform.db) as tx:
        status = await take(tx, platform.sealer, received)
    metrics.WEBHOOKS.labels(route.rpartition("/")[2], status).inc()
    return {"status": status}


async def _body(request: Request) -> bytes:
    """The raw body, read no further than it may be long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Problem(413, "The body is larger than 1 MiB.", what_to_do="Send one event a request.")
    return bytes(body)


def _signed(sender: str, verdict: Verdict) -> Signed:
    if isinstance(verdict, Refused):
        metrics.WEBHOOKS.labels(sender, verdict.reason).inc()
        raise Problem(401, "The signature was not accepted.", what_to_do=verdict.what_to_do)
    return verdict


def _read(sender: str, read: Callable[[], Any]) -> Incoming | Ignored:
    try:
        found: Incoming | Ignored = read()
    except BadBodyError as error:
        metrics.WEBHOOKS.labels(sender, "unreadable").inc()
        field = str(error).partition(":")[0]
        raise Problem(
            400, str(error), what_to_do="Send the body as docs/webhooks.md shows.", field=field
        ) from error
    return found
