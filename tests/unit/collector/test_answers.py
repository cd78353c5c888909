from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.answers import MAX_TEXT, Given, Problem, clean, read
from shared.contracts.forms import Bounds, Form, Item, Question, QuestionType
from shared.contracts.responses import Mood

UI, VALUE = Item(id="ui", text={"en": "Interface"}), Item(id="value", text={"en": "Value"})

FORM = Form(
    primary="ces",
    low=3,
    title={"en": "Onboarding"},
    questions=(
        Question(id="ces", type=QuestionType.CES, text={"en": "How easy?"}),
        Question(
            id="hard",
            type=QuestionType.TEXT,
            text={"en": "What was hard?"},
            when={"ces": Bounds(lte=5)},
            optional=True,
        ),
        Question(
            id="best",
            type=QuestionType.SINGLE,
            text={"en": "Best?"},
            items=(UI, VALUE),
            when={"ces": Bounds(gte=6)},
        ),
        Question(
            id="praise",
            type=QuestionType.TEXT,
            text={"en": "More?"},
            when={"best": Bounds(eq="ui")},
            optional=True,
        ),
        Question(
            id="drivers", type=QuestionType.MATRIX, text={"en": "Rate"}, items=(UI, VALUE), optional=True
        ),
        Question(
            id="brand", type=QuestionType.BRAND, text={"en": "Matters"}, items=(UI, VALUE), optional=True
        ),
        Question(id="quote", type=QuestionType.CONSENT, text={"en": "Quote me"}),
    ),
)


@pytest.mark.requirement("R4", "R37", "R38", "R41", "R42")
def test_a_whole_answer_is_read() -> None:
    reading = read(
        FORM,
        {
            "ces": "2",
            "hard": " The import\r\nfailed. ",
            "drivers": {"ui": "4"},
            "brand": ["ui", "value"],
            "quote": "yes",
        },
    )
    assert reading.complete
    assert reading.mood is Mood.UNHAPPY
    assert [(s.question, s.item, s.value) for s in reading.scores] == [("ces", "", 2), ("drivers", "ui", 4)]
    assert reading.texts == {"hard": "The import\nfailed."}
    assert reading.choices == {"brand": ("ui", "value"), "quote": ("yes",)}


@pytest.mark.requirement("R38")
@pytest.mark.parametrize(
    ("given_", "texts", "problems"),
    [
        pytest.param(
            {"ces": 6, "hard": "x", "best": "ui", "praise": "y"}, {"praise": "y"}, {}, id="happy branch"
        ),
        pytest.param(
            {"ces": 5, "hard": "x", "best": "ui", "praise": "y"}, {"hard": "x"}, {}, id="unhappy branch"
        ),
        pytest.param({"ces": 6, "best": "value", "praise": "y"}, {}, {}, id="condition on another choice"),
        pytest.param({"hard": "x"}, {}, {"ces": Problem.MISSING}, id="condition without an answer"),
    ],
)
def test_only_questions_whose_condition_holds_are_read(
    given_: dict[str, Any], texts: dict[str, str], problems: dict[str, Problem]
) -> None:
    reading = read(FORM, given_)
    assert (dict(reading.texts), dict(reading.problems)) == (texts, problems)


@pytest.mark.parametrize(
    ("field", "value", "where", "problem"),
    [
        pytest.param("ces", "", "ces", Problem.MISSING, id="nothing chosen"),
        pytest.param("ces", "8", "ces", Problem.NOT_ON_SCALE, id="above the scale"),
        pytest.param("ces", 0, "ces", Problem.NOT_ON_SCALE, id="below the scale"),
        pytest.param("ces", True, "ces", Problem.NOT_ON_SCALE, id="a boolean is no score"),
        pytest.param("ces", 4.0, "ces", Problem.NOT_ON_SCALE, id="a fraction is no score"),
        pytest.param("ces", "٣", "ces", Problem.NOT_ON_SCALE, id="digits of another script"),
        pytest.param("ces", "9" * 5000, "ces", Problem.NOT_ON_SCALE, id="a number that is only long"),
        pytest.param("ces", {"a": 1}, "ces", Problem.NOT_ON_SCALE, id="an object"),
        pytest.param("best", "price", "best", Problem.NOT_AN_OPTION, id="unknown option"),
        pytest.param("best", ["ui", "value"], "best", Problem.NOT_AN_OPTION, id="two of one"),
        pytest.param("best", None, "best", Problem.MISSING, id="required choice"),
        pytest.param("drivers", {"ui": "6"}, "drivers.ui", Problem.NOT_ON_SCALE, id="matrix row"),
        pytest.param("brand", [1], "brand", Problem.NOT_AN_OPTION, id="option that is no text"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, where: str, problem: Problem) -> None:
    reading = read(FORM, cast("Given", {"ces": 7, "best": "ui", field: value}))
    assert reading.problems == {where: problem}
    assert not reading.complete


def test_what_can_be_read_survives_an_error_elsewhere() -> None:
    reading = read(FORM, {"ces": "7", "best": "nonsense", "drivers": {"ui": 5}})
    assert reading.mood is Mood.HAPPY
    assert [s.value for s in reading.scores] == [7, 5]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("x" * MAX_TEXT, None), ("x" * (MAX_TEXT + 1), Problem.TOO_LONG), (["x"], Problem.NOT_A_TEXT)],
)
def test_a_text_has_a_limit(text: object, problem: Problem | None) -> None:
    assert read(FORM, cast("Given", {"ces": 1, "hard": text})).problems.get("hard") is problem


def test_texts_lose_what_cannot_be_seen_and_keep_what_people_write() -> None:
    assert clean(" a\x00b\u202ec\ud800\r\nd\te ") == "abc\nd\te"
    assert clean("Ñandú 👩‍💻 räksmörgås") == "Ñandú 👩‍💻 räksmörgås"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([q.id for q in FORM.questions] + ["other"]), _json))
def test_nothing_that_can_be_sent_breaks_the_reader(sent: dict[str, Any]) -> None:
    reading = read(FORM, sent)
    assert (reading.mood is None) == ("ces" in reading.problems)
    assert all("\x00" not in text and len(text) <= MAX_TEXT for text in reading.texts.values())
