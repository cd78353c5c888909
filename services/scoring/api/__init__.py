"""HTTP for programs: scores, and as they change, what changed, sides, parts, readings, plans, accounts."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from services.scoring.api import accounts, compare, drivers, reports, scores, segments, stream
from services.scoring.domain.health import WEIGHTS, Part
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.web.routing import join

__all__ = ["routes"]


def routes(db: Database, clock: Clock, weights: Mapping[Part, float] = WEIGHTS) -> APIRouter:
    """All routes of the API; `weights` are those of the health score."""
    router = APIRouter()
    join(
        router,
        accounts.routes(db, clock, weights),
        compare.routes(db, clock),
        drivers.routes(db, clock),
        reports.routes(db, clock),
        scores.routes(db),
        segments.routes(db, clock),
        stream.routes(db, clock),
    )
    return router
