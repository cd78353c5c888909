"""Texts of a form in the language of a reader, with the survey's slots filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.contracts.forms import Form
from shared.contracts.model import LocalText

LANGUAGES: tuple[str, ...] = ("en", "es", "sv", "de", "fr", "pt")
"""Languages that the page's own texts exist in."""

_STRAY_SPACE = re.compile(r" +([,.;:!?])")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def language_of(wanted: Sequence[str], offered: Sequence[str] = LANGUAGES) -> str:
    """The first wanted language that is offered; a region is ignored (`es-MX` is read as `es`)."""
    for tag in wanted:
        base = tag.replace("_", "-").split("-")[0].lower()
        if base in offered:
            return base
    return offered[0]


def offered_languages(form: Form) -> tuple[str, ...]:
    """Languages in which the whole page can be shown: ours, as far as the questions have them too."""
    common = [lang for lang in LANGUAGES if all(_has(question.text, lang) for question in form.questions)]
    return tuple(common) or LANGUAGES[:1]


def text_in(text: LocalText, language: str, slots: Mapping[str, str]) -> str:
    """One text in a language, else in English, else in whatever there is; unknown slots are left out."""
    found = written_in(text, language)
    filled = " ".join(_SLOT.sub(lambda match: slots.get(match[1], ""), found).split())
    return _STRAY_SPACE.sub(r"\1", filled) if filled != found else found


def written_in(text: Mapping[str, str], language: str) -> str:
    """One text in a language, else in English, else in whatever there is, with its slots as they stand."""
    return next((text[tag] for tag in _order(text, language)), "")


def _order(text: Mapping[str, str], language: str) -> list[str]:
    exact = [tag for tag in text if tag.split("-")[0].lower() == language]
    return exact + [tag for tag in text if tag.split("-")[0].lower() == "en"] + list(text)


def _has(text: LocalText, language: str) -> bool:
    return any(tag.split("-")[0].lower() == language for tag in text)
