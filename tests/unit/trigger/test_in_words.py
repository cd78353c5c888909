"""What a programme does, in plain words, is all that its file says and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from services.cli import programmes as command
from services.trigger.domain.groups import Group
from services.trigger.domain.in_words import rows_of
from tests.unit.trigger.support import edition

PRESETS = Path(__file__).parents[3] / "programmes" / "presets"
pytestmark = pytest.mark.requirement("R87", "R88")


def test_what_is_not_used_is_left_out() -> None:
    names = [name for name, _ in rows_of(edition().programme)]
    assert "objective" not in names
    assert "only if" not in names
    assert "variants" not in names
    assert "subjects" not in names
    assert {"when", "asks", "send", "unhappy (csat at or below 2)"} <= set(names)


def test_everything_that_decides_whom_it_asks_and_what_follows_is_said() -> None:
    goal = {"metric": "cancellations", "change": "-30%", "baseline": "6mo", "by": "2027-06-30"}
    group = Group.model_validate(
        {"title": {"en": "Keep"}, "objective": "churn", "secondary": ["upsell"], "goal": goal}
    )
    of = edition(
        group="keep", consent="opt_in", stage="delivery",
        when__where={"plan": ["pro", "team"], "seats": {"gte": 5}},
        audience={"tier": ["key"], "sample": 0.5},
        quarantine={"contact": "14d", "family": "60d", "exempt": True, "account": {"max": 3, "per": "30d"}},
        close_the_loop={
            "unhappy": {"playbook": "delivery-help", "send": {"help": "faq"}, "task": "training"},
            "neutral": {"task": "call"},
            "happy": {"links": [{"text": {"en": "Review us"}, "url": "https://reviews.example/us"}]},
        },
        variants={"later": {"when": {"delay": "3d"}}}, variant="later",
        letter__subjects=[{"id": "short", "text": {"en": "Short?"}, "part": 2}],
    )  # fmt: skip
    said = dict(rows_of(of.programme, group, ["later", "sooner"]))
    assert said["objective"] == "keep: churn, also upsell; cancellations -30% by 2027-06-30"
    assert said["only if"] == "plan is pro, team; seats is gte 5"
    assert said["who"] == "people in the event; key accounts; 50% of them"
    assert said["consent"] == "only those who said yes"
    assert said["when"].startswith("3d after order.delivered")
    assert said["not again within"] == "14d; same family 60d; per account 3 within 30d; itself not held back"
    unhappy = said["unhappy (csat at or below 2)"]
    assert unhappy == (
        "ticket: contact within 24h, settled within 14d; playbook delivery-help; sends faq; task training"
    )
    assert said["neutral"] == "task call"
    assert said["happy"] == "links to https://reviews.example/us"
    assert said["subjects"] == "first, short; recipients 1 : 2"
    assert said["variants"] == "later, sooner; active: later"


def test_the_command_shows_questions_with_their_conditions_and_the_goal_of_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "console", Console(width=300, markup=False))
    found = CliRunner().invoke(command.app, ["show", "saas-onboarding", "--folder", str(PRESETS)])
    assert found.exit_code == 0
    said = re.sub(r"\s+", " ", found.output)
    for words in (
        "keep-contracts: churn, also perception; cancellations -30% by 2027-06-30",
        "why_middle: What one thing would have made it easier? [if ces 4 to 5]",
        "drivers: How do you rate us on each of these? (implementation, account_manager, ui, value)",
        "playbook onboarding-help; sends getting-started",
        "csat; active: none of them",
    ):
        assert words in said
