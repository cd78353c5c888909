"""HTTP in: webhooks, the ledger, the directory, programmes, brake and organisation."""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger.api import asks, decisions, directory, operation, parked, programmes, segment, webhooks
from services.trigger.api.webhooks import Inbound
from shared.runtime.service import Platform

__all__ = ["Inbound", "router"]


def router(platform: Platform, inbound: Inbound) -> APIRouter:
    """All routes for programs."""
    routes = APIRouter()
    for part in (
        *(p.router(platform, inbound) for p in (webhooks, segment)),
        *(p.router(platform) for p in (asks, decisions, directory, operation, parked, programmes)),
    ):
        routes.include_router(part)
    return routes
