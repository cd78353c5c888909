"""Helpdesks say by webhook that a case of theirs changed: it is compared at once instead of at the next poll.

Nothing of a body is believed but which case it is of: what stands there is asked for as ever, and compared
with what is known. So a change that comes by both ways counts once, in whatever order, and a webhook that is
lost costs two minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from services.alerts import metrics
from services.alerts.store import outside
from shared.db.database import Database
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger
from shared.security import schemes
from shared.security.schemes import Verify
from shared.security.signatures import Refused, WebhookSecret, mac_hex
from shared.web.calls import call_of
from shared.web.problems import Problem

PREFIX = "/v1/tickets/webhooks"
MOST = 200
"""Cases of one request that are looked at; HubSpot sends no more than a hundred changes."""
MAX_ID = 64
log = get_logger("helpdesk_webhooks")


@dataclass(frozen=True, slots=True)
class Hook:
    """How one helpdesk signs, and where it names cases.

    Attributes:
        verify: whether a request is the helpdesk's.
        cases: its ids of the cases that a body names.
        secret: reads a secret as the helpdesk shows it.
    """

    verify: Verify
    cases: Callable[[Any], Iterable[object]]
    secret: Callable[[str], WebhookSecret] = WebhookSecret.plain


def _at(found: object, *path: str) -> object:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _zendesk(body: object) -> Iterable[object]:
    return (_at(body, "detail", "id"), _at(body, "ticket", "id"))


def _freshdesk(body: object) -> Iterable[object]:
    return (_at(body, "ticket", "id"),)


def _jira(body: object) -> Iterable[object]:
    return (_at(body, "issue", "key"),)


def _hubspot(body: object) -> Iterable[object]:
    """Changes of a ticket, and of what hangs on one; ids of other objects are no cases of ours."""
    changes = body if isinstance(body, list) else []
    return (_at(one, name) for one in changes for name in ("objectId", "fromObjectId", "toObjectId"))


def _salesforce(body: object) -> Iterable[object]:
    return (_at(body, "case", "id"),)


HOOKS: Mapping[str, Hook] = {
    "zendesk": Hook(schemes.zendesk, _zendesk),
    "jira": Hook(schemes.over_body("X-Hub-Signature", mac_hex, "sha256="), _jira),
    "freshdesk": Hook(schemes.shared_secret, _freshdesk, schemes.shared_text),
    "hubspot": Hook(schemes.hubspot_v3, _hubspot),
    "salesforce": Hook(schemes.shared_secret, _salesforce, schemes.shared_text),
}


def secrets_of(written: Mapping[str, str]) -> Mapping[str, tuple[WebhookSecret, ...]]:
    """The secrets of each helpdesk, several separated by commas while one is replaced.

    Raises:
        ValueError: one cannot be read; the message names the helpdesk and does not quote it.
    """
    found = {}
    for name, hook in HOOKS.items():
        parts = [part.strip() for part in written.get(name, "").split(",") if part.strip()]
        try:
            found[name] = tuple(hook.secret(part) for part in parts)
        except ValueError as error:
            raise ValueError(f"AFTERWORD_ALERTS_{name.upper()}_SECRETS: {error}") from error
    return found


def named(hook: Hook, body: bytes) -> list[str]:
    """The helpdesk's ids of the cases that a body names.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        found = hook.cases(json.loads(body))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    texts = (str(one).strip() for one in found if isinstance(one, str | int) and not isinstance(one, bool))
    return list(dict.fromkeys(one for one in texts if one and len(one) <= MAX_ID and "\x00" not in one))[
        :MOST
    ]


def router(
    db: Database, machine: Machine, public_url: str, secrets: Mapping[str, Sequence[WebhookSecret]]
) -> APIRouter:
    """A route for each helpdesk."""
    routes = APIRouter(prefix=PREFIX, tags=["tickets"])

    def add(name: str, hook: Hook) -> None:
        @routes.post(f"/{name}", name=f"from_{name}")
        async def receive(request: Request) -> dict[str, str]:
            """A case in this helpdesk changed, signed in the helpdesk's own way."""
            call = await call_of(request, public_url, machine)
            verdict = hook.verify(call, secrets.get(name, ()))
            if isinstance(verdict, Refused):
                raise _unproven(name, verdict)
            try:
                ids = named(hook, call.body)
            except ValueError as error:
                metrics.WEBHOOKS.labels(name, "unreadable").inc()
                raise Problem(
                    400, "The body is no JSON.", what_to_do="Send it as docs/helpdesks.md shows."
                ) from error
            async with db.begin() as tx:
                woken = await outside.wake(tx.conn, name, ids, call.at)
            result = "woken" if woken else "ignored"
            metrics.WEBHOOKS.labels(name, result).inc()
            return {"status": result}

    for name, hook in HOOKS.items():
        add(name, hook)
    return routes


def _unproven(name: str, refused: Refused) -> Problem:
    """Who did not prove to be the sender learns no more than that."""
    metrics.WEBHOOKS.labels(name, refused.reason).inc()
    log.warning("webhook_refused", helpdesk=name, reason=refused.reason, what_to_do=refused.what_to_do)
    return Problem(
        401,
        "The signature was not accepted.",
        what_to_do="Sign the body as docs/helpdesks.md shows, with the secret that was agreed.",
    )
