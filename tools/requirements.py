"""List every requirement with the tests of the last runs that prove it: `make requirements`."""

import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.support.requirements_plugin import RESULTS, read

ROOT = Path(__file__).parents[1]
_TITLE = re.compile(r"- \*\*(R\d+)\*\* (.*)")


def titles(text: str) -> dict[str, str]:
    """Return the requirements of docs/requirements.md by number, in its order."""
    return dict(_TITLE.findall(text))


def outcomes(tests: Mapping[str, Mapping[str, object]]) -> dict[str, Counter[str]]:
    """Count passed, failed and skipped tests of each requirement."""
    counted: dict[str, Counter[str]] = {}
    for test in tests.values():
        numbers = test["requirements"]
        if isinstance(numbers, list):
            for number in numbers:
                counted.setdefault(str(number), Counter())[str(test["outcome"])] += 1
    return counted


def line(number: str, title: str, counted: Counter[str]) -> str:
    """Say one requirement in one line, its state first."""
    state = "failed" if counted["failed"] else "proven" if counted["passed"] else "none"
    tests = ", ".join(f"{counted[kind]} {kind}" for kind in ("passed", "failed", "skipped") if counted[kind])
    return f"{state:7} {number:4} {title}" + (f"  [{tests}]" if tests else "")


def main() -> int:
    """Print the list and its sums; 1 when a test of a requirement failed."""
    known = titles((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    tests = read(ROOT / RESULTS)
    counted = outcomes(tests)
    rows = [line(number, title, counted.get(number, Counter())) for number, title in known.items()]
    print("\n".join(rows))
    sums = Counter(row.split(maxsplit=1)[0] for row in rows)
    proven, failed, none = (sums[state] for state in ("proven", "failed", "none"))
    print(f"\n{proven} of {len(rows)} proven by a passed test, {failed} failed, {none} without one")
    if not tests:
        print("nothing recorded yet: run make test first")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
