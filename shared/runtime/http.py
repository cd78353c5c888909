"""Probes and metrics of a process: `/livez` says it runs, `/readyz` whether it has what it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from shared.runtime.clock import Clock
from shared.runtime.metrics import TASKS

Check = Callable[[], Awaitable[str]]
"""A readiness check: an empty string when all is well, else what is wrong."""


def probes(
    checks: Mapping[str, Check], clock: Clock, warnings: Mapping[str, Check] | None = None
) -> APIRouter:
    """Routes for the supervisor, the gateway and Prometheus.

    Args:
        checks: what the process cannot work without.
        clock: business time.
        warnings: what somebody must see to before it becomes that; it is told and turns nothing red.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """The process answers, and what time it goes by; never fails because of a dependency."""
        return {"status": "alive", "business_time": clock.now().isoformat()}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Each dependency with its state, and what is to be seen to; 503 while a dependency is missing."""
        states = {name: await check() for name, check in checks.items()}
        told = {name: await check() for name, check in (warnings or {}).items()}
        ready = not any(states.values())
        body = {
            "ready": ready,
            "checks": {name: state or "ok" for name, state in states.items()},
            "warnings": {name: state for name, state in told.items() if state},
        }
        return JSONResponse(body, status_code=200 if ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus text format."""
        TASKS.set(len(asyncio.all_tasks()))
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router
