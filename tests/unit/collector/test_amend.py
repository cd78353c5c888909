from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.collector.domain.amend import (
    Door,
    Latest,
    Same,
    SurveyState,
    Write,
    content_of,
    door,
    next_version,
)
from services.collector.domain.answers import read
from shared.contracts.forms import Form, Question, QuestionType

T = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
LATER = T + timedelta(hours=1)
FORM = Form(
    primary="nps",
    low=6,
    title={"en": "x"},
    questions=(
        Question(id="nps", type=QuestionType.NPS, text={"en": "?"}),
        Question(id="why", type=QuestionType.TEXT, text={"en": "Why?"}, optional=True),
    ),
)


@pytest.mark.requirement("R48")
@pytest.mark.parametrize(
    ("state", "closes_in", "expected"),
    [
        (SurveyState.OPEN, 1, Door.OPEN),
        (SurveyState.OPEN, 0, Door.OVER),
        (SurveyState.CLOSED, 1, Door.OVER),
        (SurveyState.CANCELLED, 1, Door.OVER),
        (SurveyState.ERASED, 1, Door.GONE),
    ],
)
def test_answers_end_with_the_survey(state: SurveyState, closes_in: int, expected: Door) -> None:
    assert door(state, T + timedelta(seconds=closes_in), T) is expected


def test_the_last_of_three_changes_of_mind_counts() -> None:
    first, second = content_of(read(FORM, {"nps": 9})), content_of(read(FORM, {"nps": "3"}))
    assert next_version(None, first, T) == Write(1)
    assert next_version(Latest(1, first, T), first, T) == Same(1)
    assert next_version(Latest(1, first, T), second, T) == Write(2)
    assert next_version(Latest(2, second, T), first, T) == Write(3)


@pytest.mark.parametrize(
    ("human", "rendered_at", "step"),
    [
        pytest.param(None, T, Same(1), id="a double click"),
        pytest.param(None, LATER, Write(2), id="perhaps a gateway's, not judged yet"),
        pytest.param(False, LATER, Write(2), id="a gateway's"),
        pytest.param(False, T, Write(2), id="a gateway's, judged while the page was open"),
        pytest.param(True, LATER, Same(1), id="a person's own"),
    ],
)
def test_the_same_answer_again_is_new_until_it_is_known_to_be_a_person_s(
    human: bool | None, rendered_at: datetime, step: Write | Same
) -> None:
    assert next_version(Latest(1, "nine", T, human), "nine", rendered_at) == step


def test_another_word_is_another_answer() -> None:
    assert content_of(read(FORM, {"nps": 9, "why": "Good"})) != content_of(
        read(FORM, {"nps": 9, "why": "good"})
    )


@pytest.mark.requirement("R49")
def test_a_draft_follows_drafts_and_never_stands_in_for_what_was_sent() -> None:
    reading = read(FORM, {"nps": 9})
    kept, sent = content_of(reading, draft=True), content_of(reading)
    begun = Latest(1, kept, T, complete=False)
    assert next_version(None, kept, T, draft=True) == Write(1)
    assert next_version(begun, kept, T, draft=True) == Same(1)
    assert next_version(begun, content_of(read(FORM, {"nps": 3}), draft=True), T, draft=True) == Write(2)
    assert next_version(begun, sent, T) == Write(2)
    assert next_version(Latest(2, sent, T), kept, T, draft=True) == Same(2)
