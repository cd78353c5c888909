"""Puts the alerts service together."""

from __future__ import annotations

from fastapi import APIRouter

from services.alerts import api, pages, worker
from services.alerts.channels.email import EmailChannel, Server
from services.alerts.channels.port import Channel
from services.alerts.channels.slack import SlackChannel, client
from services.alerts.domain.causes import DEFAULT_CAUSES, Cause
from services.alerts.handlers import directory, responses
from services.alerts.handlers.applying import Desk
from services.alerts.settings import Settings
from shared.contracts.topics import Topic
from shared.runtime.consumer import Subscription
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service

CLOCK_SECONDS = 0.25
NOTICE_SECONDS = 0.25
GAUGE_SECONDS = 15.0


async def build(settings: Settings, platform: Platform) -> Service:
    """The service, ready to be started."""
    channels = channels_of(settings)
    desk = Desk(
        sealer=platform.sealer,
        machine=platform.machine,
        rooms=tuple(channel.name for channel in channels if channel.name != "email"),
        leadership=settings.leadership,
        causes=tuple(Cause.model_validate(c.model_dump()) for c in settings.causes) or DEFAULT_CAUSES,
    )
    router = APIRouter()
    router.include_router(api.router(desk, platform.db, platform.clock))
    router.include_router(pages.router(desk, platform.db, platform.clock))
    return Service(
        name="alerts",
        router=router,
        subscriptions=(
            Subscription(
                topics=(Topic.RESPONSES, Topic.DIRECTORY), routes=(*directory.ROUTES, responses.route(desk))
            ),
        ),
        loops=loops_of(desk, platform, channels),
    )


def loops_of(desk: Desk, platform: Platform, channels: tuple[Channel, ...]) -> tuple[Loop, ...]:
    """The clocks, one loop for each channel so that a dead one delays no other, and the gauges."""
    db, public_url = platform.db, platform.settings.public_url

    def hand_over(channel: Channel) -> Loop:
        async def run() -> int:
            return await worker.hand_over(desk, db, channel, public_url)

        return Loop(f"notices.{channel.name}", NOTICE_SECONDS, run, due=False)

    async def ring() -> int:
        return await worker.ring_clocks(desk, db)

    async def count() -> int:
        return await worker.refresh_gauges(db)

    return (
        Loop("clocks", CLOCK_SECONDS, ring),
        *map(hand_over, channels),
        Loop("gauges", GAUGE_SECONDS, count, due=False, woken=False),
    )


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """E-mail, and Slack where its webhook is set."""
    mail = EmailChannel(
        Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            settings.smtp_username,
            settings.smtp_password.get_secret_value(),
            settings.smtp_tls,
        )
    )
    webhook = settings.slack_webhook_url.get_secret_value()
    return (mail, SlackChannel(webhook, client())) if webhook else (mail,)
