"""Every text of the score pages is there in all three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.scoring import pages
from shared import web

_PAGES = Path(pages.__file__).parent
_CATALOGUES = (_PAGES / "locales", Path(web.__file__).parent / "locales")
_CALLS = {
    "*.html": re.compile(r"\b_\(\s*(['\"])(.*?)\1\s*\)"),
    "*.py": re.compile(r"\bsay\(\s*(['\"])(.*?)\1\s*\)", re.DOTALL),
}
_MANY = re.compile(r"\b(?:ngettext|say_many)\(\s*(['\"])(.*?)\1")


def _texts() -> Iterator[str]:
    for pattern, call in _CALLS.items():
        for file in _PAGES.rglob(pattern):
            written = file.read_text(encoding="utf-8")
            for found in (*call.findall(written), *_MANY.findall(written)):
                yield found[1]


def _known(locale: str) -> Iterator[str]:
    for folder in _CATALOGUES:
        with (folder / f"{locale}.po").open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.string:
                    yield message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("locale", ["es", "sv"])
def test_every_text_of_the_pages_is_translated(locale: str) -> None:
    assert sorted(set(_texts()) - set(_known(locale))) == []
