"""Puts the trigger service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from fastapi import APIRouter

from services.trigger import api, pages
from services.trigger.api import Inbound, segment
from services.trigger.connectors.contract import Connector
from services.trigger.connectors.partners import Credentials, connectors_of
from services.trigger.domain.model import Organisation
from services.trigger.handlers import subscriptions
from services.trigger.handlers.foreign import foreign_topics
from services.trigger.handlers.intake import Intake
from services.trigger.handlers.republish import republish
from services.trigger.settings import Settings, listed
from services.trigger.sources.live import LiveSources
from services.trigger.webhooks import PROVIDERS
from services.trigger.webhooks.contract import Options
from services.trigger.webhooks.generic import TYPE
from services.trigger.webhooks.segment import Browsers
from services.trigger.worker.due import DuePlans
from services.trigger.worker.gauges import Gauges
from services.trigger.worker.learning import Learning
from services.trigger.worker.lookups import LookUps
from services.trigger.worker.parked import ParkedReports
from services.trigger.worker.publisher import Publisher
from services.trigger.worker.purging import Purge
from services.trigger.worker.refusing import RefusalLog
from services.trigger.worker.reminders import Closing, DueReminders
from services.trigger.worker.sources import SourceWatch
from services.trigger.worker.stopping import EndedProgrammes
from shared.contracts.directory import Brand, Sender
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.partners import PartnerAccess
from shared.security.schemes import shared_text
from shared.security.signatures import WebhookSecret
from shared.web.routing import join

PUBLISH_SECONDS = 2.0
PARKED_SECONDS = 5.0
LOOK_UP_SECONDS = 2.0
GAUGE_SECONDS = 15.0
LEARN_SECONDS = 60.0
REFUSED_SECONDS = 2.0
PURGE_SECONDS = 600.0


async def build(settings: Settings, platform: Platform) -> Service:
    """The service, ready to be started."""
    router = APIRouter()
    connectors = connectors_of(credentials_of(settings), platform.machine)
    kept = timedelta(days=settings.parked_days)
    intake = Intake(platform.sealer, platform.machine, kept, frozenset(connectors))
    sources = sources_of(settings)
    inbound = inbound_of(settings, intake)
    join(router, api.router(platform, inbound, sources))
    join(router, pages.router(platform))
    others = foreign_topics(sources.topics, sources.decode, intake)
    refusals = RefusalLog(platform.db, inbound.refusals)
    return Service(
        name="trigger",
        router=router,
        subscriptions=(*subscriptions(platform.sealer), others),
        loops=(
            *loops_of(settings, platform, connectors),
            *_watching(settings, platform, sources),
            Loop("refused", REFUSED_SECONDS, refusals.run, due=False, woken=False),
        ),
        republish=republish,
    )


def loops_of(settings: Settings, platform: Platform, connectors: Mapping[str, Connector]) -> tuple[Loop, ...]:
    """Plans, reminders, ends of surveys, and whoever is looked up."""
    db, blind, poll = platform.db, platform.sealer.blind, settings.poll_seconds
    return (
        Loop("plans", poll, DuePlans(db, blind).run),
        Loop("reminders", poll, DueReminders(db, blind).run),
        Loop("closing", poll, Closing(db).run),
        Loop("parked", PARKED_SECONDS, ParkedReports(db, platform.sealer).run),
        Loop(
            "lookups",
            LOOK_UP_SECONDS,
            LookUps(db, platform.sealer, platform.machine, connectors).run,
            due=False,
        ),
        Loop("purge", PURGE_SECONDS, Purge(db, timedelta(days=settings.receipts_days)).run, woken=False),
        Loop("ended", PUBLISH_SECONDS, EndedProgrammes(db).run, due=False),
        Loop("learning", LEARN_SECONDS, Learning(db).run, due=False, woken=False),
        Loop("gauges", GAUGE_SECONDS, Gauges(db).run, due=False, woken=False),
    )


def _watching(settings: Settings, platform: Platform, sources: LiveSources) -> tuple[Loop, ...]:
    """What is taken up when a file changes."""
    defaults = organisation_of(settings, platform.settings.public_url)
    publisher = Publisher(platform.db, settings.programmes_dir, defaults, also=lambda: sources.findings)
    return (
        Loop("sources", PUBLISH_SECONDS, SourceWatch(sources).run, due=False, woken=False),
        Loop("programmes", PUBLISH_SECONDS, publisher.run, due=False, woken=False),
    )


def credentials_of(settings: Settings) -> Credentials:
    """With what partners are asked; an empty token leaves one out."""
    return Credentials(
        per_second=settings.look_ups_per_second,
        hubspot=PartnerAccess(settings.hubspot_url, token=settings.hubspot_token.get_secret_value()),
        zendesk=PartnerAccess(
            settings.zendesk_url, settings.zendesk_user, settings.zendesk_token.get_secret_value()
        ),
        intercom=PartnerAccess(settings.intercom_url, token=settings.intercom_token.get_secret_value()),
        jira=PartnerAccess(settings.jira_url, settings.jira_user, settings.jira_token.get_secret_value()),
        shopify=PartnerAccess(settings.shopify_url, token=settings.shopify_token.get_secret_value()),
        stripe=PartnerAccess(settings.stripe_url, token=settings.stripe_key.get_secret_value()),
    )


def sources_of(settings: Settings) -> LiveSources:
    """What `sources.yaml` says at the start.

    Raises:
        ValueError: It is not fit to run; the message has every complaint.
    """
    sources = LiveSources(settings.sources_file)
    sources.refresh()
    if sources.findings:
        raise ValueError("\n".join(finding.text for finding in sources.findings))
    return sources


def inbound_of(settings: Settings, intake: Intake) -> Inbound:
    """What is known of those who send webhooks.

    Raises:
        ValueError: A secret cannot be read; the message names its sender and does not quote it. Or options
            contradict each other.
    """
    readers = {provider.name: provider.secret for provider in PROVIDERS} | {segment.NAME: shared_text}
    secrets = {name: _secrets(name, read, settings) for name, read in readers.items()}
    return Inbound(intake, secrets, options_of(settings), browsers=browsers_of(settings))


def options_of(settings: Settings) -> Options:
    """What words and stages of partners mean here.

    Raises:
        ValueError: A stage of deals means two things at once.
    """
    renewed, lost = listed(settings.hubspot_renewed_stages), listed(settings.hubspot_lost_stages)
    both = sorted(set(renewed) & set(lost))
    if both:
        raise ValueError(
            f"hubspot_renewed_stages, hubspot_lost_stages: {', '.join(both)} stands in both; a stage of deals"
            " means a renewed contract or a lost one"
        )
    return Options(
        hubspot_closed_stages=frozenset(listed(settings.hubspot_closed_stages)),
        hubspot_renewal_properties=frozenset(listed(settings.hubspot_renewal_properties)),
        hubspot_renewed_stages=frozenset(renewed),
        hubspot_lost_stages=frozenset(lost),
        jira_done=frozenset(listed(settings.jira_done.lower())),
    )


def browsers_of(settings: Settings) -> Browsers:
    """What pages in browsers may send to Segment's tracking API.

    Raises:
        ValueError: It is half set, or would let strangers do harm.
    """
    parts = (settings.segment_browser_keys, settings.segment_browser_origins, settings.segment_browser_events)
    keys, origins, events = map(listed, parts)
    if not (keys or origins or events):
        return Browsers()
    if not (keys and origins and events):
        raise ValueError(
            "AFTERWORD_TRIGGER_SEGMENT_BROWSER_KEYS, _ORIGINS and _EVENTS go together: by which key pages "
            "send, whose pages, and what they may report"
        )
    if set(keys) & set(settings.secrets_of(segment.NAME)):
        raise ValueError(
            "AFTERWORD_TRIGGER_SEGMENT_BROWSER_KEYS holds a key of AFTERWORD_TRIGGER_SEGMENT_WRITE_KEYS: "
            "pages give theirs away, so they need one of their own"
        )
    for name in events:
        if not TYPE.fullmatch(name) or name.startswith(("contact.", "account.")):
            raise ValueError(
                f"AFTERWORD_TRIGGER_SEGMENT_BROWSER_EVENTS: {name} is no touchpoint that pages may report; "
                "names are as feature.used, and people and companies are not changed by pages"
            )
    return Browsers(
        tuple(shared_text(key) for key in keys),
        frozenset(origin.rstrip("/") for origin in origins),
        frozenset(events),
    )


def _secrets(
    sender: str, read: Callable[[str], WebhookSecret], settings: Settings
) -> tuple[WebhookSecret, ...]:
    try:
        return tuple(read(text) for text in settings.secrets_of(sender))
    except ValueError as error:
        raise ValueError(f"{sender}: {error}") from error


def organisation_of(settings: Settings, public_url: str) -> Organisation:
    """The organisation until somebody edits it."""
    return Organisation(
        name=settings.organisation_name,
        zone=settings.organisation_zone,
        brand=Brand(name=settings.organisation_name),
        sender=Sender(name=settings.sender_name, email=settings.sender_email),
        public_url=public_url,
        own_domains=listed(settings.own_domains.lower()),
    )
