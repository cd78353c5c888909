"""What a tick allows, and whether it may still be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.collector.domain.permissions import allowed_since, granted, open_request
from shared.contracts.forms import Bounds, Form, Permission, Question, QuestionType

FORM = Form(
    primary="nps",
    low=6,
    title={"en": "x"},
    questions=(
        Question(id="nps", type=QuestionType.NPS, text={"en": "?"}),
        Question(
            id="call_me", type=QuestionType.CONSENT, text={"en": "Call?"}, when={"nps": Bounds(lte=6)},
            permission=Permission.CONTACT,
        ),
        Question(id="quote", type=QuestionType.CONSENT, text={"en": "Quote?"}, permission=Permission.QUOTE),
    ),
)  # fmt: skip


@pytest.mark.requirement("R45")
def test_a_tick_allows_what_its_question_asked_for_and_nothing_else() -> None:
    assert granted(FORM, {"nps": 3, "call_me": "yes"}) == {Permission.CONTACT}
    assert granted(FORM, {"nps": 9, "quote": True}) == {Permission.QUOTE}
    assert granted(FORM, {"nps": 9, "call_me": "yes"}) == frozenset(), "nobody was asked at 9"


@pytest.mark.requirement("R45")
def test_whoever_was_asked_and_did_not_tick_may_be_asked_again() -> None:
    assert open_request(FORM, {"nps": 6}, Permission.CONTACT) == "call_me"
    assert open_request(FORM, {"nps": 6, "call_me": "yes"}, Permission.CONTACT) == ""
    assert open_request(FORM, {"nps": 7}, Permission.CONTACT) == ""


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    ("ticks", "since"),
    [
        pytest.param(("quote",), 0, id="at once"),
        pytest.param(("quote", "quote", "quote call_me"), 0, id="whatever else is changed"),
        pytest.param(("", "quote", "quote"), 1, id="later"),
        pytest.param(("quote", "", "quote"), 2, id="taken out and set anew"),
        pytest.param(("quote", ""), None, id="taken out"),
    ],
)
def test_a_tick_counts_since_it_was_set_last(ticks: tuple[str, ...], since: int | None) -> None:
    start = datetime(2026, 3, 3, tzinfo=UTC)
    found = allowed_since(FORM, [(start + timedelta(days=day), t.split()) for day, t in enumerate(ticks)])
    assert found.get(Permission.QUOTE) == (None if since is None else start + timedelta(days=since))
