"""Pages of trigger: why somebody was asked or not, the programmes with their brake.

The organisation's settings.
"""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger.pages import moments, organisation, programme, programmes, why
from shared.runtime.service import Platform


def router(platform: Platform) -> APIRouter:
    """All pages."""
    routes = APIRouter(include_in_schema=False)
    for part in (why, programmes, moments, programme, organisation):
        routes.include_router(part.router(platform))
    return routes
