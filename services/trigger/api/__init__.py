"""HTTP in: webhooks, the ledger, the directory, programmes, brake and organisation."""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger.api import decisions, directory, operation, webhooks
from services.trigger.api.webhooks import Secrets
from shared.runtime.service import Platform

__all__ = ["Secrets", "router"]


def router(platform: Platform, secrets: Secrets) -> APIRouter:
    """All routes for programs."""
    routes = APIRouter()
    for part in (
        webhooks.router(platform, secrets),
        *(p.router(platform) for p in (decisions, directory, operation)),
    ):
        routes.include_router(part)
    return routes
