"""Pages of trigger: why somebody was asked or not, the programmes with their brake, people and companies.

The organisation's settings.
"""

from __future__ import annotations

from fastapi import APIRouter

from services.trigger.pages import (
    by_hand,
    directory,
    links,
    moments,
    organisation,
    programme,
    programmes,
    why,
)
from shared.runtime.service import Platform
from shared.web.routing import join


def router(platform: Platform) -> APIRouter:
    """All pages."""
    routes = APIRouter(include_in_schema=False)
    for part in (why, programmes, links, moments, programme, organisation, directory, by_hand):
        join(routes, part.router(platform))
    return routes
