"""The page of an invitation says everything in every language."""

from __future__ import annotations

import re

import pytest

from services.alerts.pages.house import FOLDER
from services.alerts.pages.joining import CATALOGUE, LANGUAGES
from shared.web.i18n import translations

SAID = re.findall(r'_\("([^"]+)"\)', (FOLDER / "templates" / "joining.html").read_text(encoding="utf-8"))


@pytest.mark.requirement("R94")
def test_the_page_speaks_the_six_languages() -> None:
    assert set(LANGUAGES) == {"de", "en", "es", "fr", "pt", "sv"}
    assert len(SAID) == 12
    for language in set(LANGUAGES) - {"en"}:
        say = translations(language, CATALOGUE).gettext
        assert [text for text in SAID if say(text) == text] == [], language
