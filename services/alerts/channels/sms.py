"""Notices as text messages, over Twilio's API or any that speaks it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import phonenumbers

from services.alerts.channels.http import Poster, odd
from services.alerts.channels.port import Delivery
from services.alerts.domain.alarm import Text
from shared.errors import SendError

CHARS = 300
"""Two or three parts: who, how bad, by when. The case has the rest."""
_SERVICE = "MG"


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the provider; `sender` is a number, a name, or the id of a messaging service (MG…)."""

    sid: str
    sender: str
    token: str = field(repr=False)


class SmsChannel:
    """Sends each notice as one text message.

    The API has no key for repeating a request: one whose answer was lost is sent again, because a missed
    alarm costs more than a double one.
    """

    name = "sms"
    concurrency = 4

    def __init__(self, poster: Poster, account: Account) -> None:
        self._poster = poster
        self._account = account
        pair = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self._headers = {
            "authorization": f"Basic {pair}",
            "content-type": "application/x-www-form-urlencoded",
        }

    async def send(self, delivery: Delivery) -> None:
        """Send one text message; see `Channel.send`.

        Raises:
            SendError: also when the number is none, which no repetition helps.
        """
        sender = self._account.sender
        fields = {
            "To": number(delivery.to),
            "MessagingServiceSid" if sender.startswith(_SERVICE) else "From": sender,
            "Body": words(delivery.text),
        }
        answer = await self._poster.post(urlencode(fields).encode(), self._headers)
        if not answer.object().get("sid"):
            raise odd()


def path(sid: str) -> str:
    """Where an account's messages are posted to."""
    return f"/2010-04-01/Accounts/{quote(sid, safe='')}/Messages.json"


def number(text: str) -> str:
    """A number in the form that goes around the world: `+46701234567`.

    Raises:
        SendError: it is no number with a country.
    """
    try:
        found = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise SendError("the number is not valid", permanent=True) from error
    if not phonenumbers.is_possible_number(found):
        raise SendError("the number is not valid", permanent=True)
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def words(text: Text) -> str:
    """The notice in one breath; the link is always whole."""
    said = " ".join(f"{text.subject}. {text.action}".split())
    link = text.take or text.link
    room = max(CHARS - len(link) - 1, 0)
    return f"{said if len(said) <= room else said[: max(room - 1, 0)].rstrip() + '…'} {link}"
