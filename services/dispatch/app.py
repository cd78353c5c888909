"""Composition root of dispatch: settings and platform in, routes and loops out."""

from __future__ import annotations

from fastapi import APIRouter

from services.dispatch.api import routes
from services.dispatch.channels.email import EmailChannel, SmtpServer
from services.dispatch.channels.render import Renderer
from services.dispatch.handlers import SUBSCRIPTION
from services.dispatch.pages.unsubscribe import unsubscribe_routes
from services.dispatch.settings import Settings
from services.dispatch.worker.delivering import Postman
from services.dispatch.worker.minding import Views, reap, weigh
from services.dispatch.worker.preparing import Desk
from shared.contracts.model import Channel
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.web.routing import join

SEND_EVERY = 0.2
VIEWS_EVERY = 0.5
MIND_EVERY = 1.0
WEIGH_EVERY = 5.0


async def build(settings: Settings, platform: Platform) -> Service:
    """Put the service together; nothing runs yet."""
    db = platform.db
    channels = {Channel.EMAIL: EmailChannel(_server(settings), platform.machine)}
    renderer = Renderer()
    public_url = platform.settings.public_url
    desk = Desk(platform.sealer, platform.tokens, renderer, public_url, settings.envelope_sender)
    # A lane claims no more than its share of connections, so that each claimed mail is under way at once.
    batch = max(1, settings.smtp_connections // settings.lanes)
    postman = Postman(db, platform.machine, channels, desk, batch)
    views = Views(db, platform.bus)
    return Service(
        name="dispatch",
        router=_router(platform, renderer),
        subscriptions=(SUBSCRIPTION,),
        loops=(
            *(Loop(f"send-{lane}", SEND_EVERY, postman.round) for lane in range(settings.lanes)),
            Loop("views", VIEWS_EVERY, views.prove, due=False),
            Loop("reap", MIND_EVERY, lambda: reap(db), due=False, woken=False),
            Loop("weigh", WEIGH_EVERY, lambda: weigh(db), due=False, woken=False),
        ),
    )


def _router(platform: Platform, renderer: Renderer) -> APIRouter:
    router = APIRouter()
    join(router, unsubscribe_routes(platform.db, platform.tokens))
    join(router, routes(platform.db, renderer))
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
