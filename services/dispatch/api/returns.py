"""`/hooks/mail*`: mails that came back, and what providers report of the ones that left."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from services.dispatch.channels.port import Channel, Outgoing
from services.dispatch.handlers.mail_reports import MailReports
from services.dispatch.handlers.returns import Forward, NotOursError, Returns
from services.dispatch.webhooks import mail, sns
from shared.errors import SendError
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger
from shared.security.access import Principal, Scope, require_scope
from shared.web.problems import Problem

MAX_MAIL = 10 * 1024 * 1024
MAX_REPORT = 1024 * 1024
CatchMail = Annotated[Principal, Depends(require_scope(Scope.TOUCHPOINTS_WRITE))]
Fetch = Callable[[str], Awaitable[bytes]]
"""Gets what lies under an address."""

log = get_logger("mail_hooks")


@dataclass(frozen=True, slots=True)
class Proofs:
    """By what providers prove themselves; an empty one refuses that provider.

    Attributes:
        sns_topics: topics (ARNs) that SES reports to.
        sendgrid_key: public key as SendGrid's page shows it.
        mailgun_keys: webhook signing keys.
        postmark_secret: a secret that Postmark sends in `X-Afterword-Secret`, since it signs nothing.
    """

    sns_topics: tuple[str, ...] = ()
    sendgrid_key: str = ""
    mailgun_keys: Sequence[str] = field(default=(), repr=False)
    postmark_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailHooks:
    """What is behind `/hooks/mail`.

    Attributes:
        fetch: follows the link by which SNS asks whether we want its messages.
        certificate: gets a signing certificate of SNS.
        machine: by whose time a call is too old.
    """

    returns: Returns
    reports: MailReports
    proofs: Proofs
    fetch: Fetch
    certificate: Fetch
    machine: Machine

    def routes(self) -> APIRouter:
        """The routes below `/hooks/mail`."""
        router = APIRouter(prefix="/hooks/mail", tags=["providers"])
        router.add_api_route("", self.returned, methods=["POST"], status_code=202)
        for take in (self.ses, self.sendgrid, self.mailgun, self.postmark):
            router.add_api_route(f"/{take.__name__}", take, methods=["POST"])
        return router

    async def returned(
        self, request: Request, _sender: CatchMail, to: Annotated[str, Query(max_length=320)]
    ) -> dict[str, str]:
        """A mail as it came to a return address: the raw message as body, the address as `to`."""
        try:
            said = await self.returns.take(to, await _body(request, MAX_MAIL))
        except NotOursError:
            raise Problem(404, "This address is none of ours.", what_to_do="Refuse the mail.") from None
        except SendError as error:
            raise Problem(503, f"The reply could not be passed on: {error}") from error
        return {"said": said.value}

    async def ses(self, request: Request) -> dict[str, int]:
        """Notifications of SES by SNS; the question whether we want them is answered."""
        message = _object(await _body(request, MAX_REPORT))
        if not await believed(message, self.proofs, self.certificate, self.fetch):
            return {"taken": 0}
        return {"taken": await self.reports.take(mail.read_ses(message), "ses")}

    async def sendgrid(self, request: Request) -> dict[str, int]:
        """SendGrid's event webhook, signed."""
        body = await _body(request, MAX_REPORT)
        stamp = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
        signature = request.headers.get("x-twilio-email-event-webhook-signature", "")
        if not mail.sendgrid_is_signed(body, stamp, signature, self.proofs.sendgrid_key):
            raise _unproven("AFTERWORD_DISPATCH_SENDGRID_KEY")
        return {"taken": await self.reports.take(mail.read_sendgrid(_json(body)), "sendgrid")}

    async def mailgun(self, request: Request) -> dict[str, int]:
        """Mailgun's webhooks."""
        told = _object(await _body(request, MAX_REPORT))
        if not mail.mailgun_is_signed(told, self.proofs.mailgun_keys):
            raise _unproven("AFTERWORD_DISPATCH_MAILGUN_KEY")
        token = mail.mailgun_token(told, self.machine.wall())
        if not token:
            # 406 tells Mailgun not to repeat it.
            raise Problem(406, "The call is too old, or its clock is ahead.", what_to_do="Check the clock.")
        return {"taken": await self.reports.take(mail.read_mailgun(told), "mailgun", once=token)}

    async def postmark(self, request: Request) -> dict[str, int]:
        """Postmark's webhooks, with the header that was set for them there."""
        secret = self.proofs.postmark_secret
        given = request.headers.get("x-afterword-secret", "").encode("utf-8", "replace")
        if not secret or not hmac.compare_digest(secret.encode(), given):
            raise _unproven("AFTERWORD_DISPATCH_POSTMARK_SECRET")
        told = _object(await _body(request, MAX_REPORT))
        return {"taken": await self.reports.take(mail.read_postmark(told), "postmark")}


async def believed(message: Mapping[str, Any], proofs: Proofs, certificate: Fetch, follow: Fetch) -> bool:
    """Whether a message of SNS is a notification; a subscription of ours is confirmed on the way.

    Raises:
        Problem: it is not proven to come from SNS about a topic of ours, or names another host than SNS.
    """
    topics = proofs.sns_topics
    url = sns.certificate_url(message, topics)
    if not url or not sns.is_signed(message, await certificate(url), topics):
        raise _unproven("AFTERWORD_DISPATCH_SNS_TOPICS")
    if message.get("Type") != "SubscriptionConfirmation":
        return True
    confirm = sns.confirmation_url(message, topics)
    if not confirm:
        raise _unproven("AFTERWORD_DISPATCH_SNS_TOPICS")
    await follow(confirm)
    return False


def forward_by(channel: Channel) -> Forward:
    """Passing mails on by a channel; one that is brought twice is passed on twice, to our own person."""

    async def forward(sender: str, recipient: str, content: bytes) -> None:
        await channel.send(Outgoing(sender, sender, recipient, content))

    return forward


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, f"The body is larger than {limit // 1024} KiB.")
    return bytes(body)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Problem(422, "The body is no JSON.") from error


def _object(body: bytes) -> dict[str, Any]:
    told = _json(body)
    if not isinstance(told, dict):
        raise Problem(422, "The body is no JSON object.")
    return told


def _unproven(setting: str) -> Problem:
    return Problem(401, "The call is not proven to be the provider's.", what_to_do=f"Check {setting}.")
