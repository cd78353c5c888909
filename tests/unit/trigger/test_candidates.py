"""Moments that may be worth a question, and the programmes to begin with (R93)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.trigger.domain.candidates import FEWEST, SetAside, Spotted, candidates
from services.trigger.domain.habits import habit_of
from services.trigger.domain.lint import check
from shared.contracts.programmes import ProgrammeState
from shared.contracts.touchpoints import Touchpoint
from tests.unit.trigger.support import edition

pytestmark = pytest.mark.requirement("R93")

USE = Spotted('use:Nordlicht "Cloud"/export', 12, 5, 40, 24, 31, 4.0)
HELP = Spotted("help", 7, 4, 90, 6, 3)
FEATURE = {"kind": "feature", "id": "export"}
RENEWAL = Spotted("renewal", 9, 6, 9, 60, 1)


@pytest.mark.parametrize("one", [USE, HELP, RENEWAL], ids=lambda one: one.habit)
def test_each_comes_with_a_programme_that_passes_the_check(one: Spotted) -> None:
    (found,) = candidates([one], [], {})
    report = check([("new.yaml", found.sketch)], ("en",))
    assert report.errors == ()
    (checked,) = report.programmes
    assert (checked.edition.key, checked.edition.state) == (found.key, ProgrammeState.SHADOW)
    assert str(one.people) in found.why


def test_what_a_rep_reads() -> None:
    use, renewal, sought = candidates([USE, HELP, RENEWAL], [], {})
    assert use.title == 'Heavy use of Nordlicht "Cloud", export'
    assert "12 of 40 people used it in a week at least twice as much" in use.why
    assert use.delay == "typically 24 days after the first use, after 31 times"
    assert sought.title == "Help sought 3 times in 14 days"
    assert sought.delay == "typically 6 days from the first time to the third"
    assert renewal.why.startswith("9 people belong to accounts whose contract renews")


@pytest.mark.parametrize(("days", "said"), [(0, "less than a day"), (1, "a day"), (2, "2 days")])
def test_how_long_is_said_in_words(days: int, said: str) -> None:
    (found,) = candidates([Spotted("help", 7, 4, 90, days, 3)], [], {})
    assert found.delay == f"typically {said} from the first time to the third"


@pytest.mark.parametrize(("people", "shown"), [(FEWEST - 1, 0), (FEWEST, 1)])
def test_few_people_are_no_pattern(people: int, shown: int) -> None:
    assert len(candidates([Spotted("help", people, 1, 9, 1, 3)], [], {})) == shown


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"when": {"touchpoint": "product.used", "fresh_for": "3d"}}, True),
        ({"when": {"touchpoint": "product.used", "where": {"product": "CRM"}, "fresh_for": "3d"}}, True),
        ({"when": {"touchpoint": "product.used", "where": {"product": "ERP"}, "fresh_for": "3d"}}, False),
        ({"when": {"touchpoint": "product.used", "fresh_for": "3d"}, "state": "archived"}, False),
        ({}, False),
    ],
)
def test_what_is_asked_about_already_is_named_and_comes_last(changes: dict[str, Any], asked: bool) -> None:
    use = Spotted("use:CRM", 50, 5, 60, 10, 9, 2.0)
    found = candidates([use, HELP], [edition(**changes)], {})
    assert [bool(one.asked_by) for one in found] == ([False, True] if asked else [False, False])


def test_what_somebody_set_aside_comes_last_with_who_it_was() -> None:
    aside = SetAside("user:1", datetime(2026, 3, 3, tzinfo=UTC))
    first, last = candidates([Spotted("help", 70, 4, 90, 6, 3), USE], [], {"help-sought-again": aside})
    assert (first.set_aside, last.set_aside, last.key) == (None, aside, "help-sought-again")


@pytest.mark.parametrize(
    ("kind", "data", "habit"),
    [
        ("product.used", {"product": "CRM"}, ("use:CRM", date(2026, 3, 2))),
        ("product.used", {"product": "CRM", "subject": FEATURE}, ("use:CRM/export", date(2026, 3, 2))),
        ("product.used", {"account": {"id": "a"}}, None),
        ("support_ticket.opened", {"account": {"id": "a"}}, ("help", date(2026, 3, 5))),
        ("support.contacted", {"account": {"id": "a"}}, ("help", date(2026, 3, 5))),
        ("support_ticket.resolved", {"account": {"id": "a"}}, None),
        ("order.delivered", {"product": "CRM"}, None),
    ],
)  # fmt: skip
def test_what_counts_as_a_habit(kind: str, data: dict[str, Any], habit: object) -> None:
    told = Touchpoint.model_validate({"occurred_at": datetime.fromisoformat("2026-03-05T10:00:00Z"), **data})
    assert habit_of(kind, told) == habit
