"""The list of requirements is complete, and the tool tells proven from failed from none."""

from collections import Counter
from pathlib import Path

import pytest

from tools import requirements

ROOT = Path(__file__).parents[2]


def test_every_number_has_one_title() -> None:
    titles = requirements.titles((ROOT / "docs/requirements.md").read_text(encoding="utf-8"))
    assert list(titles) == [f"R{number}" for number in range(1, 96)]


@pytest.mark.parametrize(
    ("counted", "state"),
    [
        pytest.param(Counter(passed=2), "proven", id="passed"),
        pytest.param(Counter(passed=2, failed=1), "failed", id="one failed"),
        pytest.param(Counter(skipped=1), "none", id="only skipped proves nothing"),
        pytest.param(Counter[str](), "none", id="no test"),
    ],
)
def test_a_requirement_is_proven_only_by_passed_tests(counted: Counter[str], state: str) -> None:
    assert requirements.line("R1", "title", counted).split()[0] == state


def test_outcomes_are_counted_for_each_number_of_a_test() -> None:
    tests = {
        "a": {"requirements": ["R1", "R2"], "outcome": "passed"},
        "b": {"requirements": ["R2"], "outcome": "failed"},
    }
    assert requirements.outcomes(tests) == {"R1": Counter(passed=1), "R2": Counter(passed=1, failed=1)}
