"""What kind of program asks: all that is kept of its name, and what a page's script says of it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Agent(StrEnum):
    """Class of the program that asked, all that is kept of its name."""

    BROWSER = "browser"
    TOUCHED = "touched"
    TEXT = "text"
    TOOL = "tool"
    DRIVEN = "driven"
    NONE = "none"


_TOOLS = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|scanner|\bscan\b|curl|wget|python|httpx|aiohttp|go-http|java/|okhttp|libwww"
    r"|headless|phantom|preview|barracuda|mimecast|proofpoint|safelinks"
)
"""What programs call themselves. Cubot makes telephones, and a ScanPal is held by a person, too."""

_TEXT = ("lynx/", "w3m/", "links (", "elinks/", "url/emacs")


@lru_cache(maxsize=2048)
def agent_of(name: str) -> Agent:
    """Class of a User-Agent header; the same few come again and again."""
    lower = name.strip().lower()
    if lower.startswith(_TEXT):
        return Agent.TEXT
    if _TOOLS.search(lower):
        return Agent.TOOL
    return Agent.BROWSER if "mozilla/" in lower or lower.startswith("opera/") else Agent.NONE


HAND = "hand"
"""The field in which the page's script says what it saw."""


def agent_on_page(agent: Agent, hand: str) -> Agent:
    """Class of the program that sent a form.

    Args:
        agent: By its name.
        hand: What the page's script found: `driven` where the browser itself says that a program steers it,
            `none` where the form went off without a touch or a key, `touched` where there was one; empty
            where no script ran.
    """
    match hand:
        case "driven" | "none":
            return Agent.DRIVEN
        case "touched" if agent is Agent.BROWSER:
            return Agent.TOUCHED
        case _:
            return agent
