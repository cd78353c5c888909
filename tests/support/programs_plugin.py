"""Leave out the tests whose outside program is missing, and say at the end how many and what would help."""

from collections import Counter

import pytest

from tests.support.programs import CHROMIUM, PROMETHEUS, Program

NEEDS: dict[str, Program] = {"browser": CHROMIUM, "promql": PROMETHEUS}
_PREFIX = "needs "


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that cannot run here as skipped."""
    missing = {mark: program for mark, program in NEEDS.items() if program.path() is None}
    for item in items:
        for mark, program in missing.items():
            if item.get_closest_marker(mark) is not None:
                item.add_marker(pytest.mark.skip(reason=f"{_PREFIX}{program.title} ({program.get})"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each kind of test that was not run."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        said = str(reason).removeprefix("Skipped: ")
        if said.startswith(_PREFIX):
            reasons[said] += 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"not run: {count} tests, {reason}", yellow=True)
