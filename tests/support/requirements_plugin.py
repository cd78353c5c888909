"""Record which requirement each test proves, and whether it passed.

A test says `@pytest.mark.requirement("R11", "R12")`. Results are kept per test in `.requirements.json`, which
`make requirements` lists; runs of a part of the suite add to it. It works the same under xdist, where the
numbers travel from the workers inside the reports.
"""

import json
import re
from pathlib import Path

import pytest

RESULTS = ".requirements.json"
_NUMBER = re.compile(r"R([1-9]\d?)")
_LAST = 95
_PROPERTY = "requirement"


def numbers(item: pytest.Item) -> list[str]:
    """Return the requirement numbers of a test.

    Raises:
        pytest.UsageError: a mark without a number, or with one that docs/requirements.md does not have.
    """
    found: list[str] = []
    for mark in item.iter_markers("requirement"):
        if not mark.args:
            raise pytest.UsageError(f"{item.nodeid}: requirement() names no number")
        for number in mark.args:
            match = _NUMBER.fullmatch(str(number))
            if match is None or int(match[1]) > _LAST:
                raise pytest.UsageError(f"{item.nodeid}: {number!r} is no requirement (R1 to R{_LAST})")
            found.append(match[0])
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attach the numbers to each test, where reports carry them on."""
    for item in items:
        item.user_properties.extend((_PROPERTY, number) for number in numbers(item))


class Recorder:
    """Collects outcomes on the process that prints the result, and writes them when the run ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of setup, call and teardown: a test whose teardown fails proves nothing."""
        found = sorted({str(value) for name, value in report.user_properties if name == _PROPERTY})
        if not found:
            return
        known = self._tests.get(report.nodeid)
        if known is None or known["outcome"] == "passed":
            self._tests[report.nodeid] = {"requirements": found, "outcome": report.outcome}

    def pytest_sessionfinish(self) -> None:
        """Write the results beside those of earlier runs; tests whose file is gone are dropped."""
        if not self._tests:
            return
        root = self._path.parent
        tests = {**read(self._path), **self._tests}
        kept = {name: test for name, test in sorted(tests.items()) if (root / name.split("::")[0]).exists()}
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        draft.replace(self._path)


def read(path: Path) -> dict[str, dict[str, object]]:
    """Return the recorded tests by node id, none when nothing was recorded yet."""
    if not path.exists():
        return {}
    recorded: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return recorded


def pytest_configure(config: pytest.Config) -> None:
    """Record on the controller only: workers send it their reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config.rootpath / RESULTS), "afterword-requirements")
