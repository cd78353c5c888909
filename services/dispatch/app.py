"""Composition root of dispatch: settings and platform in, routes and loops out."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from services.dispatch.api.listener import ReturnListener
from services.dispatch.api.pending import pending_routes
from services.dispatch.api.rates import rate_routes
from services.dispatch.api.reading import routes
from services.dispatch.api.returns import MailHooks, Proofs, forward_by
from services.dispatch.api.subjects import subject_routes
from services.dispatch.api.tls import CERT, KEY, Certificate, Expiry
from services.dispatch.api.twilio import twilio_routes
from services.dispatch.api.uncertain import uncertain_routes
from services.dispatch.channels.dkim import Signer
from services.dispatch.channels.email import EmailChannel, SmtpServer
from services.dispatch.channels.fetch import Kept, fetch
from services.dispatch.channels.inhouse import InHouse
from services.dispatch.channels.port import Channel as Port
from services.dispatch.channels.preview import Studio
from services.dispatch.channels.render import Renderer
from services.dispatch.channels.sms import SmsChannel, SmsProvider
from services.dispatch.channels.webhook import WebhookChannel, WebhookTarget
from services.dispatch.domain.pace import Limits, read_limits
from services.dispatch.domain.rates import Thresholds
from services.dispatch.handlers import SUBSCRIPTION
from services.dispatch.handlers.mail_reports import MailReports
from services.dispatch.handlers.returns import Returns
from services.dispatch.handlers.stop_list import StopList
from services.dispatch.handlers.texting import Texting
from services.dispatch.handlers.uncertain import Uncertain
from services.dispatch.pages.preview import preview_routes
from services.dispatch.pages.rates import rate_pages
from services.dispatch.pages.subjects import subject_pages
from services.dispatch.pages.suppressions import SuppressionPages
from services.dispatch.pages.uncertain import uncertain_pages
from services.dispatch.pages.unsubscribe import unsubscribe_routes
from services.dispatch.settings import Settings
from services.dispatch.webhooks.sns import is_certificate
from services.dispatch.worker.delivering import Postman
from services.dispatch.worker.minding import Views, let_go, reap, tally, weigh
from services.dispatch.worker.pacing import let_out
from services.dispatch.worker.preparing import Desk
from shared.contracts.model import Channel
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.signatures import WebhookSecret
from shared.web.routing import join

SEND_EVERY = 0.2
LINES_EVERY = 0.5
VIEWS_EVERY = 0.5
MIND_EVERY = 1.0
WEIGH_EVERY = 5.0
TALLY_EVERY = 60.0
CERTIFICATE_EVERY = 60.0


async def build(settings: Settings, platform: Platform) -> Service:
    """Put the service together; nothing runs yet."""
    db = platform.db
    channels = _channels(settings, platform)
    renderer = Renderer()
    public_url = platform.settings.public_url
    desk = Desk(
        platform.sealer,
        platform.tokens,
        renderer,
        public_url,
        settings.envelope_sender,
        frozenset(channels),
        sms_replies=settings.sms_replies,
        return_domain=settings.return_domain.lower(),
        replies=settings.replies,
        signer=_signer(settings),
    )
    # A lane claims no more than its share of connections, so that each claimed mail is under way at once.
    repeatable = frozenset(name for name, channel in channels.items() if channel.repeatable)
    batch = max(1, settings.smtp_connections // settings.lanes)
    postman = Postman(db, platform.machine, channels, desk, batch, _limits(settings))
    views = Views(db, platform.bus)
    thresholds = _thresholds(settings)
    returns = Returns(db, platform.tokens, forward_by(channels[Channel.EMAIL]))
    certificate = _certificate(settings) if settings.return_port else None
    expiry = Expiry(certificate, platform.machine) if certificate else None
    return Service(
        name="dispatch",
        router=_router(settings, platform, renderer, returns),
        subscriptions=(SUBSCRIPTION,),
        listeners=_listeners(settings, returns, certificate),
        loops=(
            *(Loop(f"send-{lane}", SEND_EVERY, postman.round) for lane in range(settings.lanes)),
            Loop("lines", LINES_EVERY, lambda: let_out(db), due=False),
            Loop("hours", LINES_EVERY, lambda: let_go(db)),
            Loop("views", VIEWS_EVERY, views.prove, due=False),
            Loop("reap", MIND_EVERY, lambda: reap(db, repeatable), due=False, woken=False),
            Loop("weigh", WEIGH_EVERY, lambda: weigh(db), due=False, woken=False),
            Loop("tally", TALLY_EVERY, lambda: tally(db, thresholds), due=False, woken=False),
            *(
                (Loop("certificate", CERTIFICATE_EVERY, expiry.look, due=False, woken=False),)
                if expiry
                else ()
            ),
        ),
        warnings={"dispatch.return_certificate": expiry.warning} if expiry else {},
    )


def _minding(expiry: Expiry) -> tuple[Loop, ...]:
    return (Loop("certificate", CERTIFICATE_EVERY, expiry.look, due=False, woken=False),)


def _listeners(
    settings: Settings, returns: Returns, certificate: Certificate | None
) -> tuple[ReturnListener, ...]:
    """The door for mails that come back, when a port is named; one without a domain ends the start."""
    if not settings.return_port:
        return ()
    if not settings.return_domain:
        raise ValueError("AFTERWORD_DISPATCH_RETURN_PORT needs AFTERWORD_DISPATCH_RETURN_DOMAIN")
    domain, host, port = settings.return_domain.lower(), settings.return_host, settings.return_port
    return (ReturnListener(returns, domain, host, port, certificate=certificate),)


def _certificate(settings: Settings) -> Certificate | None:
    """What the listener speaks TLS by, when it is named; a bad one, or half of one, ends the start."""
    cert, key, required = settings.return_cert_file, settings.return_key_file, settings.return_tls_required
    if bool(cert) != bool(key):
        raise ValueError(f"{CERT} and {KEY} belong together; one of them is not set")
    if not cert:
        if required:
            raise ValueError(f"AFTERWORD_DISPATCH_RETURN_TLS_REQUIRED needs {CERT} and {KEY}")
        return None
    return Certificate(Path(cert), Path(key), required=required)


def _channels(settings: Settings, platform: Platform) -> dict[Channel, Port]:
    """The channels that are set up; what is asked for by another one is passed on."""
    channels: dict[Channel, Port] = {Channel.EMAIL: EmailChannel(_server(settings), platform.machine)}
    if settings.sms_account:
        channels[Channel.SMS] = SmsChannel(_sms(settings, platform.settings.public_url))
    if settings.webhook_url:
        secret = WebhookSecret.standard(settings.webhook_secret.get_secret_value())
        target = WebhookTarget(settings.webhook_url, secret, settings.webhook_drops_repeats)
        channels[Channel.WEBHOOK] = WebhookChannel(target, platform.machine)
    if settings.in_app:
        channels[Channel.IN_APP] = InHouse()
    if settings.link:
        channels[Channel.LINK] = InHouse()
    return channels


def _sms(settings: Settings, public_url: str) -> SmsProvider:
    return SmsProvider(
        account=settings.sms_account,
        token=settings.sms_token.get_secret_value(),
        sender=settings.sms_sender,
        status_url=f"{public_url.rstrip('/')}/hooks/twilio/status",
        url=settings.sms_url,
    )


def _signer(settings: Settings) -> Signer | None:
    """The key that signs mails, when one is named; a bad one ends the start."""
    if not settings.dkim_domain:
        return None
    name, file = "AFTERWORD_DISPATCH_DKIM_KEY_FILE", Path(settings.dkim_key_file)
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {file} cannot be read: {error.strerror}") from error
    try:
        return Signer.load(settings.dkim_domain.lower(), settings.dkim_selector, pem)
    except ValueError as error:
        raise ValueError(f"{name}, AFTERWORD_DISPATCH_DKIM_SELECTOR: {error}") from error


def _thresholds(settings: Settings) -> Thresholds:
    return Thresholds(settings.rate_target, settings.rate_floor)


def _limits(settings: Settings) -> Limits:
    """The limits that are kept to; what is none ends the start."""
    try:
        return read_limits(settings.limits, settings.domain_limits, settings.domain_limit)
    except ValueError as error:
        names = "AFTERWORD_DISPATCH_LIMITS, AFTERWORD_DISPATCH_DOMAIN_LIMITS"
        raise ValueError(f"{names}: {error}") from error


def _proofs(settings: Settings) -> Proofs:
    mailgun = settings.mailgun_key.get_secret_value()
    return Proofs(
        sns_topics=tuple(topic.strip() for topic in settings.sns_topics.split(",") if topic.strip()),
        sendgrid_key=settings.sendgrid_key,
        mailgun_keys=(mailgun,) if mailgun else (),
        postmark_secret=settings.postmark_secret.get_secret_value(),
    )


def _router(settings: Settings, platform: Platform, renderer: Renderer, returns: Returns) -> APIRouter:
    public_url = platform.settings.public_url
    token = settings.sms_token.get_secret_value()
    texting = Texting(platform.db, platform.sealer, platform.tokens, public_url)
    router = APIRouter()
    reports = MailReports(platform.db, platform.sealer, platform.tokens)
    uncertain = Uncertain(platform.db, platform.sealer)
    certificates = Kept(fetch, platform.machine, is_certificate)
    join(
        router,
        twilio_routes(texting, (token,) if token else ()),
        MailHooks(returns, reports, _proofs(settings), fetch, certificates.get, platform.machine).routes(),
        pending_routes(platform.db, platform.tokens, public_url),
        rate_routes(platform.db, _thresholds(settings)),
        rate_pages(platform.db, _thresholds(settings)),
        subject_routes(platform.db),
        subject_pages(platform.db),
        unsubscribe_routes(platform.db, platform.tokens),
        preview_routes(platform.db, Studio(renderer, public_url, settings.sms_replies)),
        SuppressionPages(StopList(platform.db, platform.sealer)).routes(),
        uncertain_routes(uncertain),
        uncertain_pages(uncertain),
        routes(platform.db),
    )
    return router


def _server(settings: Settings) -> SmtpServer:
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        tls=settings.smtp_tls,
        connections=settings.smtp_connections,
        seconds=settings.smtp_seconds,
        helo=settings.smtp_helo,
    )
