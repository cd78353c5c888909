"""Composition root of the collector."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from services.collector.api import ResponsesApi, review_routes
from services.collector.domain.limits import Rate
from services.collector.domain.settling import Patience
from services.collector.handlers.answering import Answering
from services.collector.handlers.events import SUBSCRIPTIONS
from services.collector.handlers.guards import Guards
from services.collector.handlers.review import Review
from services.collector.handlers.verdicts import Verdicts
from services.collector.handlers.visits import Visits
from services.collector.pages.routes import SurveyPages
from services.collector.settings import Settings
from services.collector.worker import Settling
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.web.routing import join

NAME = "collector"


async def build(settings: Settings, platform: Platform) -> Service:
    """Put the collector together."""
    patience = Patience(
        settling=timedelta(seconds=settings.settling_seconds),
        unknown_hand_over=timedelta(seconds=settings.unknown_hand_over_seconds),
    )
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
    join(router, review_routes(Review(platform.db), Verdicts(platform.db)))
    join(router, SurveyPages(visits, answering, platform.tokens, platform.clock, guards).router())
    settling = Settling(platform.db, patience)
    return Service(
        name=NAME,
        router=router,
        hot={"/v1/responses": api},
        subscriptions=SUBSCRIPTIONS,
        loops=(
            Loop("settle", settings.settle_every_seconds, settling.run),
            Loop("gauges", 5.0, settling.gauge, due=False, woken=False),
        ),
    )
