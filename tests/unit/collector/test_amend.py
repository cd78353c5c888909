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
    assert next_version(None, first) == Write(1)
    assert next_version(Latest(1, first, complete=True), first) == Same(1)
    assert next_version(Latest(1, first, complete=True), second) == Write(2)
    assert next_version(Latest(2, second, complete=True), first) == Write(3)


def test_another_word_is_another_answer() -> None:
    assert content_of(read(FORM, {"nps": 9, "why": "Good"})) != content_of(
        read(FORM, {"nps": 9, "why": "good"})
    )
