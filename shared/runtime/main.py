"""Entry of a service that runs alone: settings from the environment, clear words when they are wrong."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import uvloop
from pydantic import ValidationError

from shared.errors import CannotStart
from shared.runtime.host import run
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings, ServiceSettings, explain

S = TypeVar("S", bound=ServiceSettings)


def run_alone(name: str, settings_type: type[S], build: Callable[[S, Platform], Awaitable[Service]]) -> None:
    """Run one service by the environment until it is told to stop.

    `--check-config` only reads the settings, prints them without secrets, and ends. Exit 2: they are wrong.
    """
    platform_settings = read_settings(PlatformSettings)
    settings = read_settings(settings_type)
    if "--check-config" in sys.argv[1:]:
        sys.stdout.write(f"{platform_settings!r}\n{settings!r}\n")
        return

    async def built(platform: Platform) -> Service:
        return await build(settings, platform)

    try:
        uvloop.run(run({name: built}, platform_settings))
    except CannotStart as error:
        give_up(str(error))


def read_settings(settings_type: type[S], **known: Any) -> S:  # noqa: ANN401 - fields of any settings
    """Settings by the environment, with what is known already.

    Raises:
        SystemExit: 2, settings are missing or wrong; all of them are named.
    """
    try:
        return settings_type(**known)
    except ValidationError as error:
        give_up(explain(error, str(settings_type.model_config.get("env_prefix", ""))))


def give_up(why: str) -> NoReturn:
    """End with the code of wrong settings, 2, and say why."""
    sys.stderr.write(f"{why}\n")
    raise SystemExit(2) from None
