"""Themes and tone of open answers, as people write them in three languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.words.dictionary import Dictionary, compiled
from shared.words.file import dictionary_of
from shared.words.reading import Tone, language_of, read

WRITTEN = dictionary_of(None)
READY = compiled(WRITTEN)
KEYS = {theme.key for theme in WRITTEN.themes}
POSITIVE, NEGATIVE, NEUTRAL = Tone.POSITIVE, Tone.NEGATIVE, Tone.NEUTRAL


@pytest.mark.requirement("R70")
@pytest.mark.parametrize(
    ("text", "locale", "themes"),
    [
        (
            "Support is great, but the invoices are never right and always late.", "en",
            {"support_quality": POSITIVE, "billing": NEGATIVE},
        ),
        ("Waited three days for a reply. Nobody called back.", "en", {"support_speed": NEGATIVE}),
        (
            "Delivery was on time and nothing was damaged", "en",
            {"delivery_time": POSITIVE, "delivery_condition": POSITIVE},
        ),
        (
            "The portal is slow, takes ages to load, and the menu is confusing", "en",
            {"speed": NEGATIVE, "usability": NEGATIVE},
        ),
        ("We had no problems at all during onboarding!", "en", {"onboarding": POSITIVE}),
        (
            "el soporte tarda mucho en contestar, aunque el equipo es muy amable", "es",
            {"support_quality": NEGATIVE, "support_speed": NEGATIVE, "people": POSITIVE},
        ),
        (
            "Pedido llegó tarde y la mercancía dañada. Nadie responde.", "es",
            {"delivery_time": NEGATIVE, "delivery_condition": NEGATIVE, "support_speed": NEGATIVE},
        ),
        ("The invoices are never right", "en", {"billing": NEGATIVE}),
        ("La facturacion es un desastre", "es", {"billing": NEGATIVE}),
        (
            "Leveransen kom tre dagar för sent och två kartonger var trasiga", "sv",
            {"delivery_time": NEGATIVE, "delivery_condition": NEGATIVE},
        ),
        (
            "Kunnig personal och snabb återkoppling, men fakturorna är svåra att förstå", "sv",
            {"people": POSITIVE, "support_speed": POSITIVE, "billing": NEGATIVE},
        ),
        ("Systemet är segt och hänger sig ofta", "sv", {"speed": NEGATIVE, "reliability": NEGATIVE}),
        ("ok", "en", {}),
    ],
)  # fmt: skip
def test_each_theme_has_the_tone_of_its_part_of_the_sentence(
    text: str, locale: str, themes: dict[str, Tone]
) -> None:
    assert read(text, locale, "passive", READY).themes == themes


GOOD = {
    "en": (
        "Not bad", "No complaints", "Nothing to complain about", "Can't complain", "Couldn't be better",
        "cannot recommend it enough", "No, it is good", "Not only fast but also friendly", "It never fails",
        "Hardly any problems", "No issues so far, thank you",
    ),
    "es": (
        "No está mal", "Nada mal", "Sin problemas", "No me puedo quejar", "Ningún problema", "No, todo bien",
        "No podría ser mejor", "No solo es rápido, también es amable",
    ),
    "sv": (
        "Inte dåligt", "Inga problem", "Inget att klaga på", "Kan inte bli bättre", "Nej, det är bra",
        "Inte bara snabb utan också trevlig", "Har aldrig haft några problem",
    ),
}  # fmt: skip
BAD = {
    "en": (
        "I would not recommend it", "Could be better", "Could have been faster", "Nothing works",
        "It didn't work", "Not happy with the delivery", "Took far too long.", "Room for improvement",
    ),
    "es": ("No lo recomiendo", "Podría ser mejor", "No funciona bien", "Ni rápido ni amable"),
    "sv": ("Fungerar inte bra", "Kunde varit bättre", "Bra är det inte", "Tog alldeles för lång tid."),
}  # fmt: skip


@pytest.mark.requirement("R70")
@pytest.mark.parametrize(
    ("language", "text", "tone"),
    [
        (language, text, tone)
        for of, tone in ((GOOD, POSITIVE), (BAD, NEGATIVE))
        for language, texts in of.items()
        for text in texts
    ],
)
def test_what_is_denied_is_meant_the_other_way_round(language: str, text: str, tone: Tone) -> None:
    found = read(text, language, None, READY)
    assert (found.tone, found.language) == (tone, language)


@pytest.mark.requirement("R70")
@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "It took far too long."), ("es", "Tardó demasiado."), ("sv", "Det tog alldeles för lång tid.")],
)
def test_what_took_too_long_has_its_theme_in_each_language(language: str, text: str) -> None:
    assert read(text, language, "unhappy", READY).themes == {"support_speed": NEGATIVE}


@pytest.mark.requirement("R70")
@pytest.mark.parametrize(
    ("mood", "text", "tone", "at_odds"),
    [
        ("unhappy", "Everything is great", NEGATIVE, True),
        ("happy", "Everything is great", POSITIVE, False),
        ("happy", "Terrible, nothing works and the system is unstable", POSITIVE, True),
        ("happy", "ok", POSITIVE, False),
        ("passive", "Everything is great", POSITIVE, False),
        ("passive", "Too expensive", NEGATIVE, False),
        ("passive", "ok", NEUTRAL, False),
        (None, "Not good", NEGATIVE, False),
    ],
)
def test_the_score_decides_first_and_the_text_second(
    mood: str | None, text: str, tone: Tone, *, at_odds: bool
) -> None:
    found = read(text, "en", mood, READY)
    assert (found.tone, found.at_odds) == (tone, at_odds)


def test_a_theme_that_nothing_is_felt_of_has_the_tone_of_the_score() -> None:
    assert read("The price increase", "en", "unhappy", READY).themes == {"price": NEGATIVE}
    assert read("The price increase", "en", "passive", READY).themes == {"price": NEUTRAL}


@pytest.mark.parametrize(
    ("text", "asked_in", "language"),
    [
        ("The delivery was late and nobody told us", "es", "en"),
        ("Todo muy bien con el equipo de soporte", "en", "es"),
        ("Det är inte bra", "en", "sv"),
        ("Support", "sv", "sv"),
        ("", "es-MX", "es"),
        ("Die Lieferung kam leider viel zu spät und niemand hat uns informiert", "en", None),
        ("La livraison était en retard et le support ne répond pas, nous ne sommes pas contents", "en", None),
        ("Leveringen var sen og jeg fikk ikke svar, det er ikke bra, vi er meget skuffet og", "sv", None),
        ("Merci", "fr", None),
    ],
)
def test_the_language_is_told_by_the_text_and_else_by_the_survey(
    text: str, asked_in: str, language: str | None
) -> None:
    assert language_of(text, asked_in, READY) == language


def test_of_a_language_without_dictionary_the_score_alone_is_told() -> None:
    found = read(
        "Die Lieferung kam leider viel zu spät und niemand hat uns informiert", "en", "unhappy", READY
    )
    assert (found.language, found.tone, found.themes) == ("", NEGATIVE, {})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lead time", True),
        ("the lead, at any time", True),
        ("lead at just any time", False),
        ("time to lead", False),
    ],
)
def test_a_phrase_stands_in_order_with_two_words_between_at_most(text: str, *, found: bool) -> None:
    assert ("delivery_time" in read(text, "en", None, READY).themes) is found


def test_forms_of_a_word_and_accents_left_out_are_the_same_word() -> None:
    for text in ("las entregas con retraso", "un RETRASO", "retrasos"):
        assert read(text, "es", None, READY).themes == {"delivery_time": NEGATIVE}
    assert read("dañados", "es", None, READY).themes == read("danados", "es", None, READY).themes


@given(
    st.text(), st.sampled_from(["en", "es", "sv", "de", ""]), st.sampled_from(["unhappy", "passive", None])
)
def test_any_text_can_be_read(text: str, locale: str, mood: str | None) -> None:
    found = read(text, locale, mood, READY)
    assert set(found.themes) <= KEYS


def test_another_word_makes_another_version_of_the_dictionary() -> None:
    assert WRITTEN.version == dictionary_of(None).version
    changed = WRITTEN.model_copy(deep=True)
    changed.themes[0].words["en"].append("carrier pigeon")
    assert changed.version != WRITTEN.version


@pytest.mark.parametrize("entry", ["", "ab*", "with  two", " a", "a*b"])
def test_an_entry_that_could_never_be_found_is_refused(entry: str) -> None:
    theme = {"key": "x_y", "name": {"en": "X"}, "words": {"en": [entry]}}
    with pytest.raises(ValidationError):
        Dictionary.model_validate({"themes": [theme], "feelings": {}})


def test_every_theme_is_named_and_worded_in_all_three_languages() -> None:
    for theme in WRITTEN.themes:
        assert set(theme.name) == set(theme.words) == {"en", "es", "sv"}
        assert theme.team
