"""What may be seen of a published score, and in how many languages it is said."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.badges import MOST_QUOTES, Badge, Quote, Wanted, shown
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from services.scoring.pages.badge import CATALOGUE, HERE, LANGUAGES
from shared.web.i18n import translations

SPAN = Span(date(2026, 1, 1), date(2026, 3, 3))
SAID = [Quote(f"words {n}", "en", date(2026, 3, 3)) for n in range(MOST_QUOTES + 2)]


def _badge(least: int) -> Badge:
    wanted = Wanted("Northwind", "pulse", Metric.CSAT, least=least)
    return Badge(UUID(int=1), "key", wanted, "relationship", datetime(2026, 3, 3, tzinfo=UTC), "user:1")


@pytest.mark.requirement("R84", "R63")
@pytest.mark.parametrize(
    ("least", "n", "seen"), [(10, 9, False), (10, 10, True), (1, 4, False), (5, 5, True)]
)
def test_below_its_least_or_below_what_our_own_pages_show_nothing_is_published(
    least: int, n: int, *, seen: bool
) -> None:
    found = score(Histogram.of(Metric.CSAT, [5] * n))
    public = shown(_badge(least), SPAN, found, SAID)
    assert (public.score is not None, bool(public.quotes)) == (seen, seen)


@pytest.mark.requirement("R84", "R63")
def test_nothing_is_published_from_nothing() -> None:
    assert shown(_badge(5), SPAN, None, SAID) == shown(_badge(5), SPAN, score(Histogram.of(Metric.CSAT)), ())


def test_words_that_were_erased_leave_no_gap_and_there_are_never_too_many() -> None:
    found = score(Histogram.of(Metric.CSAT, [5] * 9))
    public = shown(_badge(5), SPAN, found, [Quote(" ", "", date(2026, 3, 3)), *SAID])
    assert public.quotes == tuple(SAID[:MOST_QUOTES])


@pytest.mark.requirement("R84")
def test_what_everybody_reads_is_said_in_six_languages() -> None:
    page = (HERE / "templates" / "badge.html").read_text(encoding="utf-8")
    code = (HERE / "badge.py").read_text(encoding="utf-8")
    texts = {*re.findall(r'_\("([^"]+)"\)', page), *re.findall(r'\bsay\("([^"]+)"\)', code)}
    assert len(texts) == 11
    assert set(LANGUAGES) == {"de", "en", "es", "fr", "pt", "sv"}
    for language in set(LANGUAGES) - {"en"}:
        known = translations(language, CATALOGUE).gettext
        assert [text for text in texts if known(text) == text] == [], language
