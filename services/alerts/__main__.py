"""Runs the alerts service alone: `python -m services.alerts`."""

from __future__ import annotations

import asyncio
import sys

from pydantic import ValidationError

from services.alerts.app import build
from services.alerts.settings import Settings
from shared.runtime.host import run
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings, explain


def main() -> None:
    """Read the settings, run until told to stop."""
    try:
        platform = PlatformSettings()
    except ValidationError as error:
        sys.exit(explain(error))
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(explain(error, "AFTERWORD_ALERTS_"))

    async def alerts(given: Platform) -> Service:
        return build(settings, given)

    asyncio.run(run({"alerts": alerts}, platform))


if __name__ == "__main__":
    main()
