"""Puts the trigger service together."""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger import api, pages
from services.trigger.api import Secrets
from services.trigger.domain.model import Organisation
from services.trigger.handlers import subscriptions
from services.trigger.handlers.republish import republish
from services.trigger.settings import Settings
from services.trigger.worker.due import DuePlans
from services.trigger.worker.gauges import Gauges
from services.trigger.worker.publisher import Publisher
from services.trigger.worker.reminders import Closing, DueReminders
from shared.contracts.directory import Brand, Sender
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.signatures import WebhookSecret

PUBLISH_SECONDS = 2.0
GAUGE_SECONDS = 15.0


async def build(settings: Settings, platform: Platform) -> Service:
    """The service, ready to be started."""
    router = APIRouter()
    router.include_router(api.router(platform, secrets_of(settings)))
    router.include_router(pages.router(platform))
    return Service(
        name="trigger",
        router=router,
        subscriptions=subscriptions(platform.sealer),
        loops=loops_of(settings, platform),
        republish=republish,
    )


def loops_of(settings: Settings, platform: Platform) -> tuple[Loop, ...]:
    """Plans, reminders, ends of surveys, and the folder of programmes."""
    db, blind, poll = platform.db, platform.sealer.blind, settings.poll_seconds
    publisher = Publisher(
        db, settings.programmes_dir, organisation_of(settings, platform.settings.public_url)
    )
    return (
        Loop("plans", poll, DuePlans(db, blind).run),
        Loop("reminders", poll, DueReminders(db, blind).run),
        Loop("closing", poll, Closing(db).run),
        Loop("programmes", PUBLISH_SECONDS, publisher.run, due=False, woken=False),
        Loop("gauges", GAUGE_SECONDS, Gauges(db).run, due=False, woken=False),
    )


def secrets_of(settings: Settings) -> Secrets:
    """The webhook secrets.

    Raises:
        ValueError: One of them cannot be read; the message does not quote it.
    """
    return Secrets(
        tuple(WebhookSecret.standard(text) for text in settings.secrets(settings.webhook_secrets)),
        tuple(WebhookSecret.zendesk(text) for text in settings.secrets(settings.zendesk_secrets)),
    )


def organisation_of(settings: Settings, public_url: str) -> Organisation:
    """The organisation until somebody edits it."""
    return Organisation(
        name=settings.organisation_name,
        zone=settings.organisation_zone,
        brand=Brand(name=settings.organisation_name),
        sender=Sender(name=settings.sender_name, email=settings.sender_email),
        public_url=public_url,
        own_domains=tuple(d.strip().lower() for d in settings.own_domains.split(",") if d.strip()),
    )
