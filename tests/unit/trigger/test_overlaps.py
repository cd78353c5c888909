"""Programmes that want the same people after the same event: what the check says is what the gate does."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.findings import Finding
from services.trigger.domain.lint import check
from services.trigger.domain.model import Decision
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Outcome
from shared.contracts.touchpoints import Touchpoint
from tests.unit.trigger.support import ORGANISATION, definition

PRESETS = Path(__file__).parents[3] / "programmes/presets"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHEN = {"touchpoint": "order.delivered", "per": "order", "delay": "1d", "fresh_for": "7d"}
STRONG = {"key": "strong", "priority": 60, "when": WHEN, "quarantine": {"contact": "14d"}}
WEAK = {"key": "weak", "priority": 50, "when": WHEN, "quarantine": {"contact": "14d"}}


def checked(*changes: dict[str, Any]) -> tuple[list[Finding], list[Edition]]:
    texts = [(f"{one['key']}.yaml", json.dumps(definition(**one))) for one in changes]
    report = check(texts, ("en",))
    assert not report.errors
    return _never(report.findings), [one.edition for one in report.programmes]


def _never(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if "never asks anybody" in one.reason]


def invited(editions: list[Edition], kind: str, subject: str) -> Counter[str]:
    """How often each programme asks, when things happen to ten people three weeks apart."""
    found: Counter[str] = Counter()

    def note(_at: datetime, decision: Decision) -> None:
        found[decision.programme] += decision.outcome is Outcome.REQUESTED and not decision.step

    simulation = Simulation(editions, ORGANISATION, note, People())
    for number in range(30):
        at = MONDAY + timedelta(days=21 * (number // 10), hours=number % 10)
        contact = {"id": f"c{number % 10}", "email": f"p{number % 10}@kund.example"}
        told = {"occurred_at": at, "contact": contact, "subject": {"kind": subject, "id": str(number)}}
        simulation.happen(kind, "/shop", f"e{number}", Touchpoint.model_validate(told), at)
    simulation.until(MONDAY + timedelta(days=90))
    return found


@pytest.mark.requirement("R54")
def test_two_presets_on_one_touchpoint_ask_once_and_the_check_names_the_one_that_never_asks() -> None:
    texts = [(name, (PRESETS / name).read_text("utf-8")) for name in ("any.yaml", "saas.yaml")]
    report = check(texts, ())
    (found,) = _never(report.findings)
    assert (found.file, found.path) == ("any.yaml", "priority")
    assert "'saas-support'" in found.reason
    asked = invited([one.edition for one in report.programmes], "support_ticket.resolved", "ticket")
    assert asked["saas-support"] == 30
    assert asked["any-support-effort"] == 0


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(
    ("strong", "weak", "silent"),
    [
        ({}, {}, True),
        # The moment lasts until the quarantine ends, and an hour more.
        ({}, {"when": {**WHEN, "fresh_for": "14d"}}, True),
        ({}, {"when": {**WHEN, "fresh_for": "18d"}}, False),
        ({}, {"quarantine": {"contact": "14d", "exempt": True}}, False),
        ({"audience": {"persona": ["decision_maker"]}}, {}, False),
        ({"state": "shadow"}, {}, False),
        ({"when": {**WHEN, "where": {"carrier": "DHL"}}}, {}, False),
        ({"quarantine": {"contact": "14d", "account": {"max": 1, "per": "30d"}}}, {}, False),
        # The more important comes due later: it is seen coming for as long as its own quarantine lasts.
        ({"when": {**WHEN, "delay": "5d"}}, {}, True),
        ({"when": {**WHEN, "delay": "20d"}}, {}, False),
        ({"priority": 50}, {}, False),
    ],
)
def test_a_programme_is_said_to_be_silent_only_where_another_always_goes_first(
    strong: dict[str, Any], weak: dict[str, Any], *, silent: bool
) -> None:
    found, editions = checked({**STRONG, **strong}, {**WEAK, **weak})
    assert [one.file for one in found] == (["weak.yaml"] if silent else [])
    asked = invited(editions, "order.delivered", "order")
    if silent:
        assert asked["strong"]
        assert not asked["weak"]
