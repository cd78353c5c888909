"""Times, scores and notices as people read them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.alerts.domain import retry, words
from services.alerts.domain.alarm import MAX_WORDS, Alarm, compose
from services.alerts.domain.model import Occasion
from services.alerts.domain.priority import Priority, Stake, rank
from shared.contracts.forms import QuestionType
from shared.contracts.model import Persona, Tier
from tests.support.alerts import HOUR, T0

ALARM = Alarm(
    occasion=Occasion.OPENED,
    who="Ana Diaz",
    job="operations",
    account="Acme",
    tier="key",
    score=2,
    scale=QuestionType.NPS,
    said="Nobody called back.",
    phone="+46 70 123 45 67",
    email="ana@acme.test",
    priority="urgent",
    owner="Rita",
    why_owner="owns the account",
    due_at=T0 + 24 * HOUR,
    now=T0,
    link="https://afterword.test/tickets/1",
    touchpoint="support_ticket.resolved",
    zone="Europe/Stockholm",
)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=24), "24 h"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=3, hours=5), "3 d 5 h"),
        (timedelta(days=13, hours=10), "13 d"),
    ],
)
def test_spans_are_said_shortly(length: timedelta, said: str) -> None:
    assert words.span(length) == said


def test_a_deadline_is_left_or_late() -> None:
    assert words.left(T0 + HOUR, T0) == "1 h left"
    assert words.left(T0, T0 + 2 * HOUR) == "2 h late"
    assert words.ago(T0, T0 + 2 * HOUR) == "2 h ago"
    assert words.ago(T0, T0) == "just now"


def test_a_moment_is_said_on_the_clock_of_its_zone() -> None:
    assert words.moment(T0, "Europe/Stockholm") == "Tue 3 Mar, 10:00 CET"
    assert words.moment(T0, "Mars/Olympus") == "Tue 3 Mar, 09:00 UTC"


def test_scores_name_their_scale() -> None:
    assert words.score(2, QuestionType.NPS) == "2 of 10"
    assert words.score(1, QuestionType.CES) == "1 of 7"
    assert words.score(None, QuestionType.NPS) == "no score"


@pytest.mark.requirement("R72")
def test_a_notice_says_who_what_and_by_when() -> None:
    text = compose(ALARM)
    assert text.subject == "Ana Diaz (Acme) gave 2 of 10 (24 h left)"
    assert text.headline == "Ana Diaz is unhappy. Contact them within 24 h."
    assert text.action.startswith("Call +46 70 123 45 67")
    assert ("After", "support ticket resolved") in text.facts
    assert ("Contact by", "Wed 4 Mar, 10:00 CET") in text.facts


@pytest.mark.parametrize("occasion", list(Occasion))
@pytest.mark.parametrize("late", [False, True])
def test_every_occasion_has_its_words(occasion: Occasion, late: bool) -> None:
    now = T0 + (26 if late else 1) * HOUR
    text = compose(replace(ALARM, occasion=occasion, now=now))
    assert "Ana Diaz" in text.headline
    assert "{" not in text.headline
    timeless = {
        Occasion.UNRESOLVED, Occasion.TAKEN, Occasion.ENDED,
        Occasion.FOLLOW_UP, Occasion.RESOLVED, Occasion.CONFIRMED,
    }  # fmt: skip
    assert ("late" in text.headline or "late" in text.subject) is late or occasion in timeless


@pytest.mark.parametrize("occasion", [Occasion.TAKEN, Occasion.ENDED])
def test_of_a_case_that_is_taken_or_over_nothing_is_asked(occasion: Occasion) -> None:
    text = compose(replace(ALARM, occasion=occasion))
    assert "left" not in text.subject
    assert "Call" not in text.action


def test_one_notice_tells_of_several_cases() -> None:
    also = tuple((f"Bo {n} gave 1 of 10", f"https://afterword.test/tickets/{n}") for n in range(25))
    text = compose(replace(ALARM, also=also))
    assert text.subject.startswith("26 cases: Ana Diaz (Acme) gave 2 of 10")
    assert text.headline.endswith("25 other cases wait as well.")
    assert ("Also", "Bo 19 gave 1 of 10: https://afterword.test/tickets/19") in text.facts
    assert text.facts[-1] == ("And", "5 more in the inbox")
    assert compose(replace(ALARM, also=also[:1])).headline.endswith("1 other case waits as well.")


def test_of_nobody_known_a_notice_still_says_what_to_do() -> None:
    text = compose(replace(ALARM, who="", phone="", email="", said="", account=""))
    assert text.subject.startswith("A customer gave 2 of 10")
    assert text.action.startswith("Get in touch")
    assert compose(replace(ALARM, phone="")).action.startswith("Write to ana@acme.test")


def test_long_words_are_cut() -> None:
    assert len(compose(replace(ALARM, said="x" * 5000)).quote) == MAX_WORDS


TODAY = date(2026, 3, 3)


def _stake(**more: Any) -> Stake:
    return replace(Stake(Tier.SMALL, 6, QuestionType.NPS, 1), **more)


@pytest.mark.requirement("R59", "R60", "R76")
@pytest.mark.parametrize(
    ("stake", "priority"),
    [
        (Stake(Tier.SMALL, 6, QuestionType.NPS, 1), Priority.NORMAL),
        (Stake(None, 2, QuestionType.NPS, 1), Priority.HIGH),
        (Stake(None, 3, QuestionType.NPS, 1), Priority.NORMAL),
        (Stake(Tier.KEY, 6, QuestionType.NPS, 1), Priority.HIGH),
        (Stake(Tier.PREMIUM, 0, QuestionType.NPS, 1), Priority.URGENT),
        (Stake(Tier.SMALL, 1, QuestionType.CSAT, 1), Priority.HIGH),
        (Stake(Tier.SMALL, 2, QuestionType.CSAT, 3), Priority.HIGH),
        (Stake(Tier.KEY, 1, QuestionType.CES, 4), Priority.URGENT),
        (_stake(personas=frozenset({Persona.USER})), Priority.NORMAL),
        (_stake(personas=frozenset({Persona.DECISION_MAKER})), Priority.HIGH),
        (_stake(renewal_on=TODAY + timedelta(days=90)), Priority.HIGH),
        (_stake(renewal_on=TODAY + timedelta(days=91)), Priority.NORMAL),
        (_stake(renewal_on=TODAY - timedelta(days=90)), Priority.HIGH),
        (_stake(renewal_on=TODAY - timedelta(days=91)), Priority.NORMAL),
        (_stake(annual_value=49_999.99), Priority.NORMAL),
        (_stake(annual_value=50_000.0), Priority.HIGH),
        (_stake(annual_value=50_000.0, renewal_on=TODAY + timedelta(days=1)), Priority.URGENT),
    ],
)
def test_priority_has_its_reasons(stake: Stake, priority: Priority) -> None:
    found = rank(stake, TODAY)
    assert found.priority is priority
    assert found.priority.word == priority.name.lower()
    assert len(found.reasons) >= priority - 1


@pytest.mark.parametrize(
    ("attempts", "permanent", "asked", "wait"),
    [
        pytest.param(1, False, None, timedelta(seconds=5), id="first"),
        pytest.param(2, False, None, timedelta(seconds=10), id="doubles"),
        pytest.param(11, False, None, retry.MOST, id="up to ten minutes"),
        pytest.param(retry.TRIES, False, None, None, id="gives up"),
        pytest.param(10**9, False, None, None, id="no overflow"),
        pytest.param(1, True, None, None, id="no use"),
        pytest.param(1, False, timedelta(minutes=2), timedelta(minutes=2), id="the partner's wish"),
        pytest.param(1, False, timedelta(days=9), timedelta(hours=1), id="an absurd wish"),
    ],
)
def test_when_a_notice_is_tried_again(
    attempts: int, permanent: bool, asked: timedelta | None, wait: timedelta | None
) -> None:
    assert retry.next_attempt(attempts, permanent=permanent, retry_after=asked) == wait
