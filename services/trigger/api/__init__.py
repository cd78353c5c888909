"""HTTP in: webhooks, the ledger, the directory, programmes, brake and organisation."""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger.api import (
    accounts,
    asks,
    consent,
    contacts,
    decisions,
    duplicates,
    moments,
    operation,
    parked,
    programmes,
    segment,
    shared_links,
    sources,
    trials,
    webhooks,
)
from services.trigger.api.webhooks import Inbound
from services.trigger.sources.live import LiveSources
from shared.runtime.service import Platform
from shared.web.routing import join

__all__ = ["Inbound", "router"]


def router(platform: Platform, inbound: Inbound, live: LiveSources) -> APIRouter:
    """All routes for programs."""
    routes = APIRouter()
    join(routes, sources.router(platform, live))
    for part in (
        *(p.router(platform, inbound) for p in (webhooks, segment)),
        # Duplicates before contacts: their word is no contact's reference.
        *(
            p.router(platform)
            for p in (
                asks,
                decisions,
                duplicates,
                consent,
                contacts,
                accounts,
                moments,
                operation,
                parked,
                programmes,
                shared_links,
                trials,
            )
        ),
    ):
        join(routes, part)
    return routes
