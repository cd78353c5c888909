"""Text messages: measured as the network does, short enough, and read when they come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.letter import Ask, Letter, Links, Reader, invite
from services.dispatch.domain.phone import parse_phone
from services.dispatch.domain.sms import MAX_SEGMENTS, Encoding, measure, plain, read_number, survey_text
from services.dispatch.domain.text import UnsafeText
from services.dispatch.domain.wording import ENGLISH, LANGUAGES, WORDINGS
from shared.contracts.forms import Form, Question, QuestionType
from shared.contracts.model import Person
from tests.support.dispatch import LETTER, NOW, NPS, ORGANISATION, snapshot

LINKS = Links("https://ask.northwind.example/u/x", "https://ask.northwind.example/s/" + "s" * 44)


LONG = Form(
    primary="nps",
    low=6,
    title={},
    questions=(Question(id="nps", type=QuestionType.NPS, text={"en": "How about it all? " * 60}),),
)


def letter(locale: str = "en", form: Form = NPS, promise: str = "") -> Letter:
    reader = Reader(Person(), snapshot("anna", locale=locale), {"product": "Cloud"})
    texts = LETTER.model_copy(update={"incentive": {locale: promise} if promise else {}})
    return invite(Ask(texts, form, NOW + timedelta(days=30)), reader, ORGANISATION, LINKS)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", Encoding.GSM7, 0, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM7, 306, 3),
        ("å" * 160, Encoding.GSM7, 160, 1),
        ("á" * 70, Encoding.UCS2, 70, 1),
        ("á" * 71, Encoding.UCS2, 71, 2),
        ("a" * 66 + "😀" + "a" * 10, Encoding.UCS2, 78, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
    ],
)
def test_a_text_is_measured_as_the_network_cuts_it(
    text: str, encoding: Encoding, units: int, segments: int
) -> None:
    found = measure(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=600))
def test_a_text_never_gets_shorter_by_more_text(text: str) -> None:
    assert measure(text + "a").segments >= measure(text).segments
    length = measure(text)
    alone, part = (160, 153) if length.encoding is Encoding.GSM7 else (70, 67)
    assert (length.segments == 1) == (length.units <= alone)
    assert length.segments * part >= length.units or length.segments == 1


@pytest.mark.requirement("R52")
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("reminder", [True, False])
@pytest.mark.parametrize("form", [NPS, LONG], ids=["short", "long"])
def test_an_invitation_fits_and_keeps_its_link(locale: str, form: Form, *, reminder: bool) -> None:
    text = survey_text(letter(locale, form), reminder=reminder, replies=True)
    assert measure(text).segments <= MAX_SEGMENTS
    assert LINKS.survey in text
    assert "Northwind" in text
    assert "STOP" in text


def test_a_number_is_asked_for_only_where_replies_arrive() -> None:
    text = survey_text(letter(), reminder=False, replies=False)
    assert "STOP" not in text
    assert "number" not in text
    assert measure(text).encoding is Encoding.GSM7


@pytest.mark.requirement("R55", "R52")
@pytest.mark.parametrize("reminder", [True, False])
@pytest.mark.parametrize("replies", [True, False])
def test_a_promise_is_told_in_its_own_words_beside_the_question(*, reminder: bool, replies: bool) -> None:
    text = survey_text(
        letter(promise="We plant a  tree \N{EN DASH} for you"), reminder=reminder, replies=replies
    )
    assert "? We plant a tree - for you. " in text, "words follow, so it ends with a full stop"
    assert measure(text).encoding is Encoding.GSM7
    assert measure(text).segments <= MAX_SEGMENTS
    assert LINKS.survey in text


@pytest.mark.requirement("R55")
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("form", [NPS, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "promise", ["A voucher for everybody. " * 30, "\N{WRAPPED PRESENT}" * 90], ids=["long", "wide"]
)
def test_a_promise_that_finds_no_room_is_hinted_at_in_the_reader_s_language(
    locale: str, form: Form, promise: str
) -> None:
    text = survey_text(letter(locale, form, promise), reminder=False, replies=True)
    hint = plain(WORDINGS[locale].sms_promise)
    assert hint in text
    assert promise[:3] not in text
    assert measure(text).segments <= MAX_SEGMENTS
    assert measure(hint).encoding is Encoding.GSM7, "it does not make the message dearer"
    assert LINKS.survey in text


@pytest.mark.requirement("R55")
def test_where_nothing_was_promised_nothing_is_told() -> None:
    text = survey_text(letter(), reminder=False, replies=True)
    assert ENGLISH.sms_promise not in text


@pytest.mark.requirement("R55")
def test_a_question_goes_before_a_hint_at_a_promise() -> None:
    """The link leaves room for one word of the question, or for the hint."""
    words = invite(
        Ask(LETTER.model_copy(update={"incentive": {"en": "A tree"}}), LONG, NOW + timedelta(days=30)),
        Reader(Person(), snapshot("anna")),
        ORGANISATION,
        Links("https://x.example/u/x", "https://x.example/s/" + "s" * 405),
    )
    text = survey_text(words, reminder=False, replies=False)
    assert measure(text).segments == MAX_SEGMENTS
    assert "How" in text
    assert "thank-you" not in text


def test_a_link_that_fits_nowhere_is_an_error() -> None:
    words = invite(
        Ask(LETTER, NPS, NOW + timedelta(days=30)),
        Reader(Person(), snapshot("anna"), {"product": "Cloud"}),
        ORGANISATION,
        Links("https://x.example/u/x", "https://x.example/s/" + "s" * 500),
    )
    with pytest.raises(UnsafeText, match="longer than 3 parts"):
        survey_text(words, reminder=False, replies=True)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("9", 9), (" 10 \n", 10), ("0", 0), ("7.", 7), ("8!", 8), ("100", None), ("nine", None), ("", None),
        ("9 great", None), ("-1", None), ("9/10", None), ("\u0669", None),
    ],
)  # fmt: skip
def test_a_reply_is_a_number_or_nothing(body: str, number: int | None) -> None:
    assert read_number(body) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+46 70 174 06 05", "+46701740605"),
        ("+46701740605", "+46701740605"),
        ("+15005550006", "+15005550006"),
        ("0701740605", None),
        ("+46 8 123 456 78", None),
        ("+46 1", None),
        ("anna", None),
        ("", None),
    ],
)
def test_only_international_numbers_that_take_text_are_written_to(text: str, number: str | None) -> None:
    found = parse_phone(text)
    assert (str(found) if found else None) == number
