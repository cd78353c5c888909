"""A test of a programme: sample values, its marks, and what answers of each kind bring."""

from __future__ import annotations

from typing import Any

import pytest

from services.trigger.domain.trials import Expected, Like, Trial, expected, trial_survey
from shared.contracts.model import Channel
from tests.support.changed import replace
from tests.unit.trigger.support import ANNA, NOW, ORGANISATION, edition

TRIAL = Trial(email="maria@nordlicht.example", locale="sv", reference="1")


def survey(**changes: Any) -> Any:
    return trial_survey(TRIAL, edition(**changes), replace(ANNA, person="sealed"), ORGANISATION, NOW)


def test_it_says_that_it_is_a_test() -> None:
    made = survey(letter__subject={"en": "How was {subject}?", "sv": "Hur var {subject}?"})
    assert made.snapshot.test
    assert made.letter.subject == {"en": "[Test] How was {subject}?", "sv": "[Test] Hur var {subject}?"}
    assert made.letter.intro["en"] == "This is a test. What you answer counts nowhere.\n\nHello"
    assert made.letter.intro["sv"].startswith("Detta är ett test.")


def test_each_of_several_subjects_says_that_it_is_a_test() -> None:
    made = survey(letter__subjects=[{"id": "short", "text": {"en": "Short?"}, "part": 2}])
    assert [(line.id, line.part, line.text["en"][:6]) for line in made.letter.subjects] == [
        ("first", 1, "[Test]"),
        ("short", 2, "[Test]"),
    ]


def test_every_slot_has_a_value_and_it_goes_by_mail_to_whoever_tries_it() -> None:
    made = survey(send__channels=["sms"], send__deliver_to="owner")
    assert all(made.slots.values())
    assert made.channels == (Channel.EMAIL,)
    assert made.pass_on_to == TRIAL.email
    assert (made.snapshot.locale, made.snapshot.owner, made.snapshot.account_id) == ("en", "", None)


def test_whoever_tries_it_at_night_need_not_wait_for_the_window() -> None:
    assert survey(send__window={"days": ["tue"]}).send_hours is None


def test_the_same_reference_is_the_same_test() -> None:
    other = trial_survey(replace(TRIAL, reference="2"), edition(), ANNA, ORGANISATION, NOW)
    assert survey().survey_id == survey().survey_id != other.survey_id


@pytest.mark.parametrize(
    ("like", "score", "questions", "follows"),
    [
        (
            Like.UNHAPPY,
            1,
            ("How satisfied?", "What went wrong?"),
            ("a ticket; contact within 24 h, settled in 336",),
        ),
        (Like.NEUTRAL, 3, ("How satisfied?",), ()),
        (Like.HAPPY, 5, ("How satisfied?", "What was good?"), ("a task for the account's owner: referral",)),
    ],
)
def test_what_an_answer_brings(
    like: Like, score: int, questions: tuple[str, ...], follows: tuple[str, ...]
) -> None:
    def more(name: str, text: str, **when: int) -> dict[str, Any]:
        return {"id": name, "type": "text", "optional": True, "text": {"en": text}, "when": {"csat": when}}

    asked = [
        {"id": "csat", "type": "csat", "text": {"en": "How satisfied?"}},
        more("bad", "What went wrong?", lte=2),
        more("good", "What was good?", gte=5),
    ]
    of = edition(questions=asked, close_the_loop={"happy": {"task": "referral"}})
    assert expected(of, like, "sv") == Expected(score, questions, follows)


@pytest.mark.parametrize(("type_", "score"), [("nps", 5), ("nps5", 2), ("csat", 1), ("ces", 2)])
def test_a_detractor_of_each_scale(type_: str, score: int) -> None:
    of = edition(questions=[{"id": "csat", "type": type_, "text": {"en": "?"}}])
    assert expected(of, Like.UNHAPPY, "en").score == score
