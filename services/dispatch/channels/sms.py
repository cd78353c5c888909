"""Text messages by Twilio's REST API, or by whoever speaks it.

The API knows no idempotency key: a call without an answer is uncertain and is not repeated. Each message
names its delivery in the address that Twilio reports its fate to, so that late evidence finds its way back.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
from typing_extensions import override

from services.dispatch.channels.http import TOO_MANY, Caller, retry_after
from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from services.dispatch.domain.fate import sms_reason
from services.dispatch.domain.phone import parse_phone
from shared.contracts.reasons import Reason
from shared.errors import SendError

_UNKNOWN_FATE = frozenset(
    {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""The provider broke down while it worked on the message."""
_OUR_FAULT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_MEND_WAIT = timedelta(minutes=5)
"""A wrong password is mended by an operator; no survey is lost over it meanwhile."""


@dataclass(frozen=True, slots=True)
class SmsProvider:
    """An account with a provider.

    Attributes:
        sender: a number in E.164 form, a sender name, or a messaging service (`MG...`).
        status_url: where the provider reports what became of a message; "" for nowhere.
        connections: how many calls may be under way at once.
        seconds: limit of one hand-over, connecting included.
    """

    account: str
    token: str
    sender: str
    status_url: str = ""
    url: str = "https://api.twilio.com"
    connections: int = 8
    seconds: float = 15.0


class SmsChannel(Channel):
    """A small pool of connections to one provider."""

    def __init__(self, provider: SmsProvider) -> None:
        self._provider = provider
        self._caller = Caller(provider.seconds, provider.connections)
        self._url = f"{provider.url.rstrip('/')}/2010-04-01/Accounts/{provider.account}/Messages.json"
        credentials = b64encode(f"{provider.account}:{provider.token}".encode()).decode("ascii")
        self._headers = {
            "authorization": f"Basic {credentials}",
            "content-type": "application/x-www-form-urlencoded",
        }

    @override
    async def send(self, message: Outgoing) -> None:
        """Hand one text message over; see `Channel.send`."""
        if str(parse_phone(message.recipient)) != message.recipient:
            raise RefusedError(
                "recipient: not one telephone number", permanent=True, reason=Reason.UNSENDABLE
            )
        form = urlencode(self._form(message)).encode("ascii")
        response = await self._caller.post(self._url, form, self._headers)
        if not response.is_success:
            raise _refused(response)

    @override
    async def close(self) -> None:
        """Give kept connections back; the next message opens new ones."""
        await self._caller.close()

    def _form(self, message: Outgoing) -> dict[str, str]:
        sender = self._provider.sender
        form = {
            "To": message.recipient,
            "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
            "Body": message.content.decode(),
        }
        if self._provider.status_url:
            form["StatusCallback"] = f"{self._provider.status_url}?delivery={message.key}"
        return form


def _refused(response: httpx.Response) -> SendError:
    """The provider's own word; its text may quote the number, so only the codes are kept."""
    status, code = response.status_code, _code(response)
    words = f"sms: {status} {code or ''}".strip()
    if status in _UNKNOWN_FATE:
        return SendError(words, permanent=False, uncertain=True)
    if status in _OUR_FAULT:
        return RefusedError(words, permanent=False, reason=Reason.BOUNCED, retry_after=_MEND_WAIT)
    if status == TOO_MANY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RefusedError(words, permanent=False, reason=Reason.BOUNCED, retry_after=retry_after(response))
    return RefusedError(words, permanent=True, reason=sms_reason(code))


def _code(response: httpx.Response) -> int:
    try:
        body = response.json()
    except ValueError:
        return 0
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else 0
