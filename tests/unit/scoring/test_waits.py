"""How long it takes until a change shows, as a person is told it."""

from __future__ import annotations

import pytest

from services.scoring.pages.routes import HERE
from services.scoring.pages.views import Speech
from shared.web.i18n import translations

pytestmark = pytest.mark.requirement("R63")


def _speech(locale: str) -> Speech:
    spoken = translations(locale, HERE / "locales")
    return Speech(locale, spoken.gettext, spoken.ngettext)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (1, "1 day"),
        (90, "90 days"),
        (91, "about 3 months"),
        (730, "about 24 months"),
        (731, "about 2 years"),
        (7002, "about 19 years"),
        (7305, "about 20 years"),
    ],
)
def test_a_wait_is_told_as_exactly_as_it_can_be_known(days: int, told: str) -> None:
    assert _speech("en").wait(days) == told


def test_a_wait_for_which_nobody_would_plan_is_told_as_none() -> None:
    assert _speech("en").wait(7500) == ""
    assert _speech("es").wait(10_000_000) == ""


@pytest.mark.parametrize(
    ("locale", "months", "years"),
    [("es", "unos 7 meses", "unos 19 años"), ("sv", "ungefär 7 månader", "ungefär 19 år")],
)
def test_each_language_has_its_own_words_for_a_wait(locale: str, months: str, years: str) -> None:
    assert (_speech(locale).wait(212), _speech(locale).wait(7002)) == (months, years)
