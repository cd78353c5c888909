"""The organisation's colour as a style sheet, with an ink that can be read on it (WCAG 2.2, 4.5 : 1)."""

from __future__ import annotations

import re

READABLE = 4.5
STEPS = 20
LIGHT, DARK = "#ffffff", "#191c26"
"""Surfaces of the shared style sheet."""

DEFAULT_COLOUR = "#1f5eff"
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_CHANNELS = (0.2126, 0.7152, 0.0722)


def colour_of(text: str) -> str:
    """A colour as `#rrggbb`; anything else gives the default, for it ends up in a style sheet."""
    match = _HEX.fullmatch(text.strip())
    return f"#{match[1].lower()}" if match else DEFAULT_COLOUR


def contrast(one: str, other: str) -> float:
    """Contrast of two colours by WCAG, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour."""
    return max("#ffffff", "#111111", key=lambda ink: contrast(colour, ink))


def style_sheet(colour: str) -> str:
    """Custom properties of one brand for light and dark screens, over those of the shared style sheet."""
    light = _properties(readable(colour, LIGHT, "#000000"))
    dark = _properties(readable(colour, DARK, "#ffffff"))
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def readable(colour: str, ground: str, towards: str) -> str:
    """The colour itself where it reads on a ground, else with as little of another mixed in as is needed."""
    mixes = (_mix(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next((mixed for mixed in mixes if contrast(mixed, ground) >= READABLE), towards)


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(own + (its - own) * share):02x}" for own, its in pairs)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _properties(accent: str) -> str:
    soft = "color-mix(in srgb,var(--accent) 14%,var(--surface))"
    strong = "color-mix(in srgb,var(--accent) 82%,var(--text))"
    ink = ink_on(accent)
    return f"--accent:{accent};--on-accent:{ink};--accent-strong:{strong};--accent-soft:{soft}"


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, with its constants."""
    shares = (part / 255 for part in _parts(colour))
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]  # noqa: PLR2004 - WCAG's
    return sum(weight * part for weight, part in zip(_CHANNELS, linear, strict=True))
