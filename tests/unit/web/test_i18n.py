from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from shared.web.errors import _HEADINGS, _OTHER
from shared.web.i18n import OWN_CATALOGUE, babel_locale, language_name, negotiate, translations
from shared.web.signin import WRONG
from shared.web.templates import NAVIGATION, SHARED_TEMPLATES


@pytest.mark.parametrize(
    ("explicit", "header", "expected"),
    [
        pytest.param("sv", "es", "sv", id="a choice beats the browser"),
        pytest.param("es-MX", None, "es", id="a variant of a known language"),
        pytest.param("es_AR", None, "es", id="underscore"),
        pytest.param("fr", "sv", "sv", id="an unknown choice leaves it to the browser"),
        pytest.param(None, "fr, es;q=0.4, sv;q=0.9", "sv", id="by weight"),
        pytest.param(None, "sv-SE,sv;q=0.9,en;q=0.8", "sv", id="a common header"),
        pytest.param(None, "en;q=0, es", "es", id="explicitly unwanted"),
        pytest.param(None, "*", "en", id="anything"),
        pytest.param(None, "de,fr", "en", id="nothing known"),
        pytest.param(None, None, "en", id="nothing said"),
        pytest.param("", ";;;q=,=q,sv;q=x" + ",a" * 5000, "en", id="garbage"),
    ],
)
def test_the_language_is_negotiated(explicit: str | None, header: str | None, expected: str) -> None:
    assert negotiate(explicit, header) == expected


def test_without_english_the_first_language_is_the_last_resort() -> None:
    assert negotiate("fr", None, ("sv", "es")) == "sv"


def test_plurals_follow_the_language() -> None:
    swedish = translations("sv").ngettext
    assert swedish("%(num)s key", "%(num)s keys", 1) == "%(num)s nyckel"
    assert swedish("%(num)s key", "%(num)s keys", 2) == "%(num)s nycklar"


def test_a_services_texts_come_before_the_shared_ones(tmp_path: Path) -> None:
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    (tmp_path / "sv.po").write_text(f'{header}\nmsgid "Inbox"\nmsgstr "Att göra"\n', encoding="utf-8")
    texts = translations("sv", tmp_path)
    assert texts.gettext("Inbox") == "Att göra"
    assert texts.gettext("Scores") == "Resultat"
    assert texts.gettext("Unheard of") == "Unheard of"
    assert translations("en", tmp_path).gettext("Inbox") == "Inbox"


def test_languages_are_named_in_themselves() -> None:
    assert [language_name(tag) for tag in ("en", "es", "sv")] == ["English", "Español", "Svenska"]
    assert babel_locale("no such language").language == "en"


def shown_texts() -> set[str]:
    """Every text that the shared pages hand to the translator."""
    texts: set[str | None] = {WRONG, *_OTHER, *(item.label for item in NAVIGATION)}
    texts |= {text for pair in _HEADINGS.values() for text in pair}
    for template in SHARED_TEMPLATES.glob("*.html"):
        with template.open("rb") as file:
            for _, _, message, _ in babel_extract(file, ["_", "ngettext"], [], {}):
                texts.add(message[0] if isinstance(message, tuple) else message)
    return {text for text in texts if text}


def pairs(catalogue: Catalog) -> list[tuple[list[str], list[str]]]:
    """The texts and translations of each message; more than one where it has a plural."""
    return [
        (
            [message.id] if isinstance(message.id, str) else list(message.id),
            [message.string or ""] if isinstance(message.string, str | None) else list(message.string),
        )
        for message in catalogue
        if message.id
    ]


@pytest.mark.parametrize("locale", ["es", "sv"])
def test_every_text_of_the_shared_pages_is_translated(locale: str) -> None:
    with (OWN_CATALOGUE / f"{locale}.po").open("rb") as file:
        catalogue = read_po(file, locale=locale, abort_invalid=True)
    translated = {ids[0] for ids, strings in pairs(catalogue) if all(strings)}
    assert shown_texts() - translated == set()


@pytest.mark.parametrize("locale", ["es", "sv"])
def test_translations_keep_their_slots(locale: str) -> None:
    with (OWN_CATALOGUE / f"{locale}.po").open("rb") as file:
        catalogue = read_po(file, locale=locale, abort_invalid=True)
    for ids, strings in pairs(catalogue):
        for text in strings:
            assert text.count("%(") == ids[0].count("%("), ids[0]
