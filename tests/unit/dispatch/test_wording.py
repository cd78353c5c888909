"""Every fixed text stands in every language, with the same slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from babel.messages.pofile import read_po

from services.dispatch.domain.text import slots_of
from services.dispatch.domain.wording import CATALOGUE, ENGLISH, LANGUAGES, WORDINGS, language_of

TRANSLATED = [language for language in LANGUAGES if language != "en"]
OF_PAGES = {"Skip to content"}
"""Texts of the shared page that recipients see; it is translated here for languages that only they read."""


def texts() -> Iterator[str]:
    for one in fields(ENGLISH):
        value = getattr(ENGLISH, one.name)
        if isinstance(value, str):
            yield value
    for words in ENGLISH.scales.values():
        yield from words
    for note in ENGLISH.notes.values():
        yield note.subject
        yield from (paragraph for paragraph in note.paragraphs if paragraph != "{text}")


@pytest.mark.requirement("R43")
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_complete_and_says_nothing_else(language: str) -> None:
    with (CATALOGUE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    said = {str(message.id): str(message.string) for message in catalogue if message.id}
    assert set(said) == set(texts()) | OF_PAGES
    assert not any(message.fuzzy for message in catalogue if message.id)
    for english, translated in said.items():
        assert translated, english
        assert slots_of(english) == slots_of(translated), english


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_said_is_said_in_that_language(language: str) -> None:
    wording = WORDINGS[language]
    same = {
        one.name
        for one in fields(ENGLISH)
        if isinstance(value := getattr(ENGLISH, one.name), str) and getattr(wording, one.name) == value
    }
    assert same == {"sms_link"}


def test_a_language_that_is_not_spoken_is_answered_in_english() -> None:
    assert [language_of(tag) for tag in ("de_AT", "pt-BR", "nl", "")] == ["de", "pt", "en", "en"]
