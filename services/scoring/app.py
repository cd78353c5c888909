"""Composition root of scoring."""

from __future__ import annotations

from fastapi import APIRouter

from services.scoring.api import routes
from services.scoring.domain.health import WEIGHTS, Part
from services.scoring.handlers import SUBSCRIPTIONS
from services.scoring.pages import pages
from services.scoring.pages.views import Thresholds
from services.scoring.settings import Settings
from services.scoring.worker import announcing, refreshing, republish, watching
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.web.routing import join


async def build(settings: Settings, platform: Platform) -> Service:
    """Scoring, ready to run."""
    router = APIRouter()
    weights = {Part(name): weight for name, weight in settings.health_weights.items()} or WEIGHTS
    join(router, routes(platform.db, platform.clock, weights))
    thresholds = Thresholds(settings.response_floor, settings.response_target)
    join(router, pages(platform.db, platform.clock, thresholds, weights))
    return Service(
        name="scoring",
        router=router,
        subscriptions=SUBSCRIPTIONS,
        loops=(
            Loop("announce", settings.announce_seconds, announcing(platform.db), due=False, woken=False),
            Loop("watch", settings.watch_seconds, watching(platform.db), due=False, woken=False),
            Loop("gauges", settings.gauges_seconds, refreshing(platform.db), due=False, woken=False),
        ),
        republish=republish,
    )
