"""The fixed texts of survey pages in every language they are offered in."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.collector.domain.texts import LANGUAGES
from services.collector.pages.frame import FOLDER

_SLOT = re.compile(r"%\(\w+\)s")
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


@cache
def texts_of_the_pages() -> frozenset[str]:
    """Every text that a page or its code hands to the catalogue; of a pair with a plural, the first."""
    found = extract_from_dir(str(FOLDER), _METHODS, options_map={"templates/**.html": {"trimmed": "true"}})
    return frozenset(text[0] if isinstance(text, tuple) else text for _, _, text, _, _ in found)


def test_the_pages_speak_six_languages() -> None:
    assert LANGUAGES == ("en", "es", "sv", "de", "fr", "pt")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_fixed_text_is_there_and_keeps_its_slots(language: str) -> None:
    catalogue = read_po(BytesIO((Path(FOLDER) / "locales" / f"{language}.po").read_bytes()), locale=language)
    wanted = texts_of_the_pages()
    assert len(wanted) > 50
    said = {}
    for message in catalogue:
        if message.id:
            one, many = (message.id, message.id) if isinstance(message.id, str) else message.id
            forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
            assert all(forms), (language, one)
            for form in forms:
                assert set(_SLOT.findall(form)) == set(_SLOT.findall(many)), form
            said[one] = forms
    assert wanted - said.keys() == set()
    assert said.keys() - wanted == set(), "a text that no page says any more"
