"""Entry of a service that runs alone: settings from the environment, clear words when they are wrong."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop
from pydantic import ValidationError

from shared.runtime.host import run
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings, ServiceSettings, explain

S = TypeVar("S", bound=ServiceSettings)


def run_alone(name: str, settings_type: type[S], build: Callable[[S, Platform], Awaitable[Service]]) -> None:
    """Run one service by the environment until it is told to stop.

    `--check-config` only reads the settings, prints them without secrets, and ends. Exit 2: they are wrong.
    """
    platform_settings = _read(PlatformSettings)
    settings = _read(settings_type)
    if "--check-config" in sys.argv[1:]:
        sys.stdout.write(f"{platform_settings!r}\n{settings!r}\n")
        return

    async def built(platform: Platform) -> Service:
        return await build(settings, platform)

    uvloop.run(run({name: built}, platform_settings))


def _read(settings_type: type[S]) -> S:
    try:
        return settings_type()
    except ValidationError as error:
        sys.stderr.write(explain(error, str(settings_type.model_config.get("env_prefix", ""))) + "\n")
        raise SystemExit(2) from None
