"""What every page is given, and the look that these pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from jinja2 import Environment

from services.alerts.domain import words
from services.alerts.handlers.applying import Desk
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.static import load
from shared.web.streams import live
from shared.web.templates import environment

FOLDER = Path(__file__).parent
_FILES = load(FOLDER)
STYLE = _FILES["style.css"]
STYLE_PATH = "/inbox/style.css"
KEYS = _FILES["keys.js"]
KEYS_PATH = "/inbox/keys.js"
CLOCKS_SECONDS = 60
"""After so long a page with running clocks asks for itself again."""

Rep = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


@dataclass(frozen=True, slots=True)
class House:
    """What the pages stand on."""

    desk: Desk
    db: Database
    clock: Clock
    env: Environment


def templates() -> Environment:
    """The templates, which know where the pages' own style sheet is."""
    env = environment(FOLDER)
    env.globals["style_url"] = f"{STYLE_PATH}?v={STYLE.version}"
    env.filters["short_span"] = words.span
    env.globals["keys_url"] = f"{KEYS_PATH}?v={KEYS.version}"
    return env


def followed(place: str, *, clocks: bool) -> Mapping[str, str | int]:
    """What lets a page of cases follow what happens to them (`live.html`)."""
    return live("/v1/tickets/stream", "ticket.changed", place, every=CLOCKS_SECONDS if clocks else 0)


def uuid_in(text: str) -> UUID | None:
    """The id in a field of a form; None where there is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
