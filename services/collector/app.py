"""Composition root of the collector."""

from __future__ import annotations

from datetime import timedelta

import httpx
from fastapi import APIRouter

from services.collector.api.described import described
from services.collector.api.forms import Inbound, form_routes
from services.collector.api.incentives import incentive_routes
from services.collector.api.listing import listing_routes
from services.collector.api.review import review_routes
from services.collector.api.taking import ResponsesApi
from services.collector.api.webhooks import webhook_routes
from services.collector.channels.webhook import WebhookChannel
from services.collector.domain.limits import Rate
from services.collector.domain.settling import Patience
from services.collector.domain.widget import sound
from services.collector.handlers.answering import Answering
from services.collector.handlers.events import subscriptions
from services.collector.handlers.form_listing import FormListing
from services.collector.handlers.form_rules import forms_of
from services.collector.handlers.forms import FormIntake
from services.collector.handlers.guards import Guards
from services.collector.handlers.incentives import Incentives
from services.collector.handlers.links import Links
from services.collector.handlers.listing import Listing
from services.collector.handlers.replies import replies_route
from services.collector.handlers.review import Review
from services.collector.handlers.sharing import Sharing
from services.collector.handlers.verdicts import Verdicts
from services.collector.handlers.visits import Visits
from services.collector.handlers.webhooks import Secrets, Webhooks
from services.collector.handlers.widget import Widget
from services.collector.pages.forms import form_page_routes
from services.collector.pages.held import held_routes
from services.collector.pages.links import link_routes
from services.collector.pages.open_link import OpenLinks
from services.collector.pages.routes import SurveyPages
from services.collector.pages.widget import WidgetPages
from services.collector.settings import Settings
from services.collector.worker.settling import Settling
from services.collector.worker.webhooks import Calling
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.signatures import WebhookSecret
from shared.web.routing import join

NAME = "collector"


async def build(settings: Settings, platform: Platform) -> Service:
    """Put the collector together."""
    patience = patience_of(settings)
    guards = Guards(
        platform.machine,
        Rate(settings.link_burst, settings.link_per_second),
        Rate(settings.address_burst, settings.address_per_second),
    )
    answering = Answering(platform.db, platform.sealer, platform.machine, patience)
    visits = Visits(platform.db, platform.sealer, patience.settling)
    https = platform.settings.public_url.startswith("https:")
    api = ResponsesApi(answering, visits, platform.tokens, platform.clock, guards, https=https)
    router = APIRouter()
    sharing = Sharing(platform.db, platform.sealer)
    open_links = OpenLinks(sharing, platform.tokens, guards, https=https)
    review, listing = Review(platform.db), Listing(platform.db, platform.sealer)
    join(
        router,
        described(api),
        review_routes(review, Verdicts(platform.db)),
        listing_routes(listing),
        incentive_routes(Incentives(platform.db)),
        held_routes(listing, review),
        link_routes(Links(platform.db, platform.tokens, platform.settings.public_url)),
        open_links.router(),
        SurveyPages(visits, answering, sharing, platform.tokens, platform.clock, guards).router(),
    )
    known = sound(_listed(settings.widget_secrets.get_secret_value()))
    widget = Widget(platform.db, platform.machine, visits, answering, sharing, known)
    origins, public_url = _listed(settings.widget_origins), platform.settings.public_url
    secrets = Secrets(platform.sealer)
    join(
        router,
        WidgetPages(widget, platform.tokens, origins, public_url).router(),
        webhook_routes(Webhooks(platform.db, secrets, private=settings.webhook_private)),
    )
    forms = forms_of(settings.forms_file)
    typeform = [WebhookSecret.plain(one) for one in _listed(settings.typeform_secrets.get_secret_value())]
    intake = FormIntake(platform.db, platform.sealer, answering)
    inbound = Inbound(intake, lambda: forms.current, typeform)
    listed_forms = FormListing(platform.db, lambda: forms.current, lambda: forms.complaints)
    join(
        router,
        form_routes(inbound, listed_forms, platform.machine, public_url),
        form_page_routes(listed_forms),
    )
    settling = Settling(platform.db, patience)
    channel = WebhookChannel(httpx.AsyncClient, private=settings.webhook_private)
    calling = Calling(platform.db, platform.sealer, secrets, channel, platform.machine)
    kept = timedelta(days=settings.webhook_days)
    return Service(
        name=NAME,
        router=router,
        hot={"/v1/responses": api},
        subscriptions=subscriptions(platform.sealer, replies_route(answering)),
        loops=(
            Loop("settle", settings.settle_every_seconds, settling.run),
            Loop("webhooks", 1.0, calling.run, woken=False),
            Loop("webhooks_forgotten", 3600.0, lambda: calling.forget(kept), woken=False),
            Loop("forms", 2.0, forms.run, due=False, woken=False),
            Loop("gauges", 5.0, settling.gauge, due=False, woken=False),
        ),
    )


def patience_of(settings: Settings) -> Patience:
    """How long answers wait."""
    return Patience(
        settling=timedelta(seconds=settings.settling_seconds),
        unknown_hand_over=timedelta(seconds=settings.unknown_hand_over_seconds),
    )


def _listed(text: str) -> list[str]:
    """Parts between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
