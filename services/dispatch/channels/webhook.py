"""Surveys handed to a system of the customer's own, signed by Standard Webhooks; it brings the link itself.

`webhook-id` is the delivery's id, the same for every attempt. Only when the operator says that the receiver
drops repetitions is a call without an answer made again; else it is uncertain, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
from typing_extensions import override

from services.dispatch.channels.http import Caller, retry_after
from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from shared.contracts.reasons import Reason
from shared.errors import SendError
from shared.runtime.clock import Machine
from shared.security.signatures import WebhookSecret, sign_standard

_FOR_GOOD = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where surveys go and how they are signed.

    Attributes:
        drops_repeats: the receiver keeps `webhook-id`s and drops what comes again.
        seconds: limit of one hand-over, connecting included.
    """

    url: str
    secret: WebhookSecret = field(repr=False)
    drops_repeats: bool = False
    connections: int = 8
    seconds: float = 15.0


class WebhookChannel(Channel):
    """A small pool of connections to one receiver."""

    def __init__(self, target: WebhookTarget, machine: Machine) -> None:
        self.repeatable = target.drops_repeats
        self._target = target
        self._machine = machine
        self._caller = Caller(target.seconds, target.connections)

    @override
    async def send(self, message: Outgoing) -> None:
        """Hand one survey over; see `Channel.send`."""
        target = self._target
        headers = sign_standard(message.key, self._machine.wall(), message.content, target.secret)
        response = await self._caller.post(
            target.url, message.content, headers, repeatable=target.drops_repeats
        )
        if not response.is_success:
            raise _refused(response)

    @override
    async def close(self) -> None:
        """Give kept connections back; the next message opens new ones."""
        await self._caller.close()


def _refused(response: httpx.Response) -> SendError:
    """Anything but 2xx means that it was not taken; only what can never work is given up."""
    return RefusedError(
        f"webhook: {response.status_code}",
        permanent=response.status_code in _FOR_GOOD,
        reason=Reason.BOUNCED,
        retry_after=retry_after(response),
    )
