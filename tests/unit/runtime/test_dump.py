"""An event is written as its model writes it, however much of it is remembered."""

from __future__ import annotations

import json

import pytest

from shared.contracts.model import Payload, dump_part
from shared.contracts.registry import PAYLOADS
from shared.contracts.surveys import SurveyRequested
from tools.examples import example


@pytest.mark.parametrize("model", PAYLOADS, ids=lambda model: model.TYPE)
def test_what_is_dumped_is_what_the_model_says(model: type[Payload]) -> None:
    told = model.model_validate(example(model))
    again = model.model_validate_json(told.dump())
    assert again == told
    assert json.loads(told.dump()) == json.loads(told.model_dump_json())


def test_two_surveys_that_share_a_form_each_say_their_own_letter() -> None:
    first = SurveyRequested.model_validate(example(SurveyRequested))
    letter = first.letter.model_copy(update={"sender_name": "Someone Else"})
    second = first.model_copy(update={"survey_id": "another", "letter": letter})
    assert SurveyRequested.model_validate_json(first.dump()) == first
    assert SurveyRequested.model_validate_json(second.dump()) == second


def test_a_form_is_written_once_and_another_of_the_same_words_by_itself() -> None:
    first, second = (SurveyRequested.model_validate(example(SurveyRequested)).form for _ in range(2))
    assert dump_part(first) is dump_part(first)
    assert dump_part(second) == dump_part(first)
