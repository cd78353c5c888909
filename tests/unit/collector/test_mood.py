from __future__ import annotations

import pytest

from services.collector.domain.mood import mood_of, primary_of
from shared.contracts.forms import Form, Question, QuestionType
from shared.contracts.responses import Mood

U, P, H = Mood.UNHAPPY, Mood.PASSIVE, Mood.HAPPY


@pytest.mark.requirement("R1", "R2", "R3", "R4", "R95")
@pytest.mark.parametrize(
    ("kind", "low", "first", "moods"),
    [
        pytest.param(QuestionType.NPS, 6, 0, [U] * 7 + [P] * 2 + [H] * 2, id="NPS 0-6, 7-8, 9-10"),
        pytest.param(QuestionType.NPS5, 3, 1, [U] * 3 + [P, H], id="five points: 1-3, 4, 5"),
        pytest.param(QuestionType.CSAT, 2, 1, [U, U, P, H, H], id="CSAT 1-2, 3, 4-5"),
        pytest.param(QuestionType.CES, 3, 1, [U] * 3 + [P] * 2 + [H] * 2, id="CES 1-3, 4-5, 6-7"),
        pytest.param(QuestionType.CES, 6, 1, [U] * 6 + [H], id="a stricter low wins over the usual reading"),
    ],
)
def test_each_value_has_one_mood(kind: QuestionType, low: int, first: int, moods: list[Mood]) -> None:
    assert [mood_of(kind, first + step, low) for step in range(len(moods))] == moods


def test_a_form_without_a_scaled_primary_question_is_refused() -> None:
    why = Question(id="why", type=QuestionType.TEXT, text={"en": "Why?"})
    with pytest.raises(ValueError, match=r"form\.primary: 'why'"):
        primary_of(Form(primary="why", low=6, title={"en": "x"}, questions=(why,)))
