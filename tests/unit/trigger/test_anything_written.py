"""Whatever stands in a file, the check says something about it: nothing is dropped in silence."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.trigger.domain.lint import check
from shared.config.documents import UnreadableError, read_documents
from tests.unit.trigger.support import definition

ROOT = Path(__file__).parents[3]
SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas" / "programme.schema.json").read_text()))
WHOLE: dict[str, Any] = definition(
    purpose={"en": "Why"},
    when__where={"plan": ["pro"], "seats": {"gte": 5}},
    when__hold_while=["incident", {"name": "audit", "from": ["audit.started"], "until": ["audit.passed"]}],
    audience={"who": "account", "persona": ["user"], "tier": ["key"], "sample": 0.5, "max_per_account": 3,
              "coverage": {"user": 1}},
    send__window={"days": ["tue"], "hours": "09:00-12:00", "holidays": "recipient"},
    send__from={"user": "Rita <rita@example.com>"},
    quarantine={"contact": "14d", "family": "30d", "account": {"max": 3, "per": "30d"}},
    close_the_loop={"unhappy": {"contact_within": "24h"}, "happy": {"task": "review"}},
    variants={"later": {"when": {"delay": "3d"}}},
)  # fmt: skip
"""A programme with about everything that can be written."""

JUNK: list[Any] = [
    "always", "", "14d", "-1d", "9999y", 5, -1, 10**18, 0.5, True, None, [], {}, [5], ["a"], [None], {"a": 1},
    {"gte": "many"}, [["x"]], "{name", "x" * 600, "\u202e", "2026-02-30",
]  # fmt: skip


def places(part: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a definition."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [where, *(place for key, value in inner for place in places(value, (*where, key)))]


def changed(where: tuple[Any, ...], value: Any) -> Any:
    found = deepcopy(WHOLE)
    if not where:
        return value
    part = found
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = value
    return found


def test_the_whole_one_is_fine() -> None:
    report = check([("p.yaml", json.dumps(WHOLE))], ("en",))
    assert [found.text for found in report.errors] == []


@given(st.sampled_from(places(WHOLE)), st.sampled_from(JUNK))
def test_a_programme_is_read_or_something_is_said(where: tuple[Any, ...], value: Any) -> None:
    """A file of which nothing is said and nothing is read would end the programme that runs by its key."""
    told = changed(where, value)
    report = check([("p.yaml", json.dumps(told, indent=1))], ("en",))
    empty = told in (None, "")
    assert report.programmes or report.errors or empty
    for found in report.errors:
        assert found.reason.endswith(".")
        assert "Input should" not in found.reason, "in words of who wrote it"
        assert "[key]" not in found.path
        assert found.what_to_do


@given(st.text(max_size=200) | st.text(alphabet="[]{}:,-\n \"'&*!|>%@`#ab1.", max_size=60))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    for found in check([("p.yaml", text)], ("en",)).errors:
        assert 1 <= found.line <= text.count("\n") + 2
        assert found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("a: " + "[" * 3000 + "]" * 3000, "nested deeper than 30 levels", id="deep"),
        pytest.param("low: .inf", ".inf is no number that is taken", id="infinity"),
        pytest.param("low: .nan", ".nan is no number that is taken", id="no number"),
        pytest.param("hours: 12:30.5", "12:30.5 is no number that is taken", id="a time that looks like one"),
        pytest.param(f"low: {'9' * 5000}", "is no number that is taken", id="far too long"),
        pytest.param('title: "a\\0b"', "the character NUL", id="what Postgres does not keep"),
    ],
)
def test_what_nobody_could_keep_is_refused(text: str, reason: str) -> None:
    (found,) = check([("p.yaml", text)], ("en",)).errors
    assert reason in found.reason
    assert found.line == 1


@pytest.mark.parametrize(
    ("changes", "line", "said"),
    [
        ({"send": {"window": "always"}}, "send.window", "'always' is not a mapping of keys or 'anytime'."),
        ({"when__hold_while": [5]}, "when.hold_while.0", "5 is not a text or a mapping of keys."),
        ({"when__hold_while": "incident"}, "when.hold_while", "'incident' is not a list."),
        ({"send__from": {"boss": "A <a@x.example>"}}, "send.from.boss",
         "'boss' is not 'user' or 'decision_maker'."),
        ({"when__where": {"seats": {"min": 3}}}, "when.where.seats.min", "unknown key 'min'."),
        ({"when__where": {"seats": {}}}, "when.where.seats", "write at least one of gte, lte, gt and lt."),
        ({"when__where": {"plan": []}}, "when.where.plan", "is empty."),
        ({"close_the_loop": {"booking": "http://x.example/a"}}, "close_the_loop.booking",
         "'http://x.example/a' is no https address."),
        ({"key": "my_key"}, "key", "'my_key' is no key."),
        ({"priority": 200}, "priority", "200 is more than 100."),
        ({"title": "Delivery"}, "title", "'Delivery' is not a mapping of keys."),
        ({"when__delay": "9000y"}, "when.delay", "'9000y' is too long; write 10y at most."),
        ({"quarantine": {"contact": "3y"}}, "quarantine.contact", "36mo is longer than asks are remembered."),
        ({"quarantine": {"contact": "1d", "account": {"max": 1, "per": "0d"}}}, "quarantine.account.per",
         "a budget over no time."),
        ({"send__open_for": "0d", "send__reminders": []}, "send.open_for", "the survey closes at once."),
        ({"send__reminders": [{"after": "0d"}]}, "send.reminders",
         "a reminder goes out with the invitation."),
        ({"close_the_loop": {"unhappy": {"contact_within": "0h"}}}, "close_the_loop.unhappy.contact_within",
         "the promise would be broken at once; write for example 24h."),
        ({"close_the_loop": {"unhappy": {"contact_within": "3d", "resolve_within": "1d"}}},
         "close_the_loop.unhappy.resolve_within", "is shorter than contact_within."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_plain_words_at_its_place(
    changes: dict[str, Any], line: str, said: str
) -> None:
    report = check([("p.yaml", json.dumps(definition(**changes), indent=1))], ("en",))
    assert [(found.path, found.reason) for found in report.errors] == [(line, said)]


def choice(**condition: Any) -> list[dict[str, Any]]:
    core, why = definition()["questions"]
    one = {
        "id": "use",
        "type": "single",
        "optional": True,
        "text": {"en": "Which?"},
        "items": ["value", "ui"],
    }
    more = {"id": "more", "type": "text", "optional": True, "text": {"en": "Why that?"}, "when": condition}
    return [core, {**why, "when": {"csat": {"lte": 2}}}, one, more]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"use": {"eq": "ui"}}, True),
        ({"use": {"eq": "price"}}, False),
        ({"use": {"gte": 3}}, False),
        ({"why": {"gte": 3}}, False),
        ({"csat": {"eq": "3"}}, False),
        ({"csat": {"eq": 3}}, True),
    ],
)
def test_a_question_that_is_never_shown_is_named(condition: dict[str, Any], *, shown: bool) -> None:
    told = definition(questions=choice(**condition))
    report = check([("p.yaml", json.dumps(told))], ("en",))
    found = [one.path for one in report.errors if one.reason.startswith("never shown")]
    assert found == ([] if shown else [f"questions.3.when.{next(iter(condition))}"])


@pytest.mark.parametrize(
    ("name", "close"),
    [("order.delivred", "order.delivered"), ("order.delivered", ""), ("shop.visited", "")],
)
def test_an_event_that_looks_misspelt_is_named(name: str, close: str) -> None:
    report = check([("p.yaml", json.dumps(definition(when__touchpoint=name)))], ("en",))
    found = [one for one in report.findings if "is no event that is known here" in one.reason]
    assert [f"Did you mean '{close}'?" in one.what_to_do for one in found] == ([True] if close else [])
    assert not report.errors


UNSEEN = {
    # What keys say of each other, what texts and scales are like, and what other programmes say.
    "account-start-per-contact", "condition-never-met",
    "condition-on-later", "coverage-above-most", "coverage-of-an-event", "every-in-hours",
    "hold-begins-and-ends", "hours-backwards", "item-twice", "low-outside-the-scale",
    "manual-account", "matrix-without-items", "moment-over-at-once", "no-open-question",
    "no-reply", "nth-of-each-event", "open-too-long", "primary-optional", "primary-unknown",
    "primary-without-score",
    "reminder-after-the-end", "reminder-without-text", "reminders-not-rising", "same-hold-other-events",
    "same-key-twice", "same-question-twice", "scale-without-words", "sender-slot", "sender-without-address",
    "series-held-by-itself", "series-overlaps", "stray-brace", "too-many-questions", "translation-missing",
    "unknown-hold", "unknown-slot", "variant-broken", "variant-unknown",
}  # fmt: skip
"""Broken files of which an editor with the schema sees nothing: only the check does."""

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_schema_for_editors_refuses_what_one_value_alone_shows(path: Path) -> None:
    try:
        documents = read_documents(path.read_text("utf-8"))
    except UnreadableError:
        return  # an editor says so without a schema
    refused = any(list(SCHEMA.iter_errors(document.data)) for document in documents)
    assert refused is (path.stem not in UNSEEN)
