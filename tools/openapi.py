"""docs/openapi: what the HTTP interface of each service says of itself, as `/v1/openapi.json` serves it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from shared.web.app import web_app
from shared.web.routing import join
from tests.support.assembled import SERVICES, assemble, platform

FOLDER = Path("docs/openapi")


def render() -> dict[Path, str]:
    """The description of each service, by its file."""
    return asyncio.run(_all())


async def _all() -> dict[Path, str]:
    return {FOLDER / f"{name}.json": await _of(name) for name in SERVICES}


async def _of(name: str) -> str:
    given = platform(name)
    app = web_app(given.access, given.settings.public_url)
    join(app, (await assemble(name)).router)
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
