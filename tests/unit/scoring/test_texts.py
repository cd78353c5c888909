"""Every text of the score pages is there in all three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.scoring import channels, pages
from shared import web

_SHARED = Path(web.__file__).parent / "locales"
_FOLDERS = [
    pytest.param(Path(str(part.__file__)).parent, id=part.__name__.rpartition(".")[2])
    for part in (pages, channels)
]
_CALLS = {
    "*.html": re.compile(r"\b_\(\s*(['\"])(.*?)\1\s*\)"),
    "*.txt": re.compile(r"\b_\(\s*(['\"])(.*?)\1\s*\)"),
    "*.py": re.compile(r"\bsay\(\s*(['\"])(.*?)\1\s*\)", re.DOTALL),
}
_MANY = re.compile(r"\b(?:ngettext|say_many)\(\s*(['\"])(.*?)\1")


def _texts(folder: Path) -> Iterator[str]:
    for pattern, call in _CALLS.items():
        for file in folder.rglob(pattern):
            written = file.read_text(encoding="utf-8")
            for found in (*call.findall(written), *_MANY.findall(written)):
                yield found[1]


def _known(own: Path, locale: str) -> Iterator[str]:
    for folder in (own / "locales", _SHARED):
        with (folder / f"{locale}.po").open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.string:
                    yield message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("folder", _FOLDERS)
@pytest.mark.parametrize("locale", ["es", "sv"])
def test_every_text_of_pages_and_digests_is_translated(locale: str, folder: Path) -> None:
    assert sorted(set(_texts(folder)) - set(_known(folder, locale))) == []
