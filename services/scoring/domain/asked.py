"""What a definition says: words of its attributes, which question is of brands, what it asks after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.forms import QuestionType


def attributes_of(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Words by language for each row of a matrix and each option, as far as the definition has them."""
    return {
        str(item["id"]): dict(item["text"])
        for question in _questions(definition)
        for item in question.get("items") or ()
        if isinstance(item, Mapping) and isinstance(item.get("text"), Mapping) and item.get("id")
    }


def brand_questions(definition: Mapping[str, Any]) -> list[str]:
    """Questions that ask which attributes matter when a partner is chosen (R42)."""
    found = [q for q in _questions(definition) if q.get("type") == QuestionType.BRAND.value]
    return [str(question["id"]) for question in found if question.get("id")]


def touchpoints_of(definition: Mapping[str, Any]) -> list[str]:
    """The touchpoints that a programme asks after; none where it goes by a date, or asks by hand."""
    names = (definition.get("when") or {}).get("touchpoint") or ()
    return [names] if isinstance(names, str) else [str(name) for name in names]


def named(attribute: str, words: Mapping[str, Mapping[str, str]], locale: str) -> str:
    """An attribute as readers see it; its own name, made readable, where nobody gave it words."""
    known = words.get(attribute, {})
    return known.get(locale) or known.get("en") or attribute.replace("_", " ").capitalize()


def _questions(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for question in definition.get("questions") or ():
        if isinstance(question, Mapping):
            yield question
