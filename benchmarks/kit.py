"""What all benchmarks share: how a result is kept and said, and how quiet the machine was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from shared.runtime.clock import SystemMachine

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results")
RIVALS = ROOT / ".venv" / "rivals" / "bin" / "python"
QUIET = 1.0
"""Load average above which a figure says more about the neighbours than about us."""


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison: what each side reached in every round, in the same unit.

    Attributes:
        figure: its name in the table, such as P5.
        what: what our side does.
        against: the other side.
        unit: of both sides' numbers.
        goal: ratio ours by theirs to reach; 0 states the ratio without a goal.
        at_least: whether more is better.
        ours: one number a round.
        theirs: one number a round; each round ran both sides in turn.
        notes: further numbers, such as microseconds of CPU, by name.
    """

    figure: str
    what: str
    against: str
    unit: str
    goal: float
    at_least: bool
    ours: Sequence[float]
    theirs: Sequence[float]
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, of the same round, lowest first."""
        return sorted(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        """The middle of all rounds."""
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        """Whether the goal is."""
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def line(self) -> str:
        """One line for people."""
        sign = "≥" if self.at_least else "≤"
        word = (
            ""
            if not self.goal
            else f"  goal {sign} {self.goal:g}x: {'reached' if self.reached else 'MISSED'}"
        )
        return (
            f"{self.figure}  {self.what}: {number(statistics.median(self.ours))} {self.unit}"
            f" against {number(statistics.median(self.theirs))} ({self.against})"
            f" = {self.ratio:.2f}x [{self.ratios[0]:.2f}..{self.ratios[-1]:.2f}]{word}"
        )


def number(value: float) -> str:
    """A number with three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def say_load() -> float:
    """Print how busy the machine is before we begin; returns the load of the last minute."""
    load = os.getloadavg()[0]
    print(f"load before: {load:.2f} on {os.cpu_count()} cores", flush=True)
    if load > QUIET:
        print("  warning: others are at work here; figures taken now are a hint at most", flush=True)
    return load


def machine() -> str:
    """What the figures were taken on."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores {platform.machine()}, {memory:.0f} GiB, Python {platform.python_version()}"
    )


def keep(results: Sequence[Result], command: str, load: float, *, rounds: int) -> None:
    """Say the results and, when they were taken with five rounds or more, write them for the page."""
    print()
    for result in results:
        print(result.line())
        for name, text in result.notes.items():
            print(f"      {name}: {text}")
    if rounds < 5:
        print("not kept: fewer than five rounds")
        return
    RESULTS.mkdir(exist_ok=True)
    for result in results:
        told = {
            **asdict(result),
            "ratio": round(result.ratio, 3),
            "command": command,
            "machine": machine(),
            "load": round(load, 2),
            "taken_at": SystemMachine().wall().isoformat(timespec="minutes"),
        }
        name = f"{result.figure}-{_slug(result.what)}-{_slug(result.against)}.json"
        (RESULTS / name).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _slug(text: str) -> str:
    words = "".join(char if char.isalnum() else " " for char in text.lower()).split()
    return "-".join(words[:6])


def run_side(
    command: Sequence[str], environment: Mapping[str, str], *, show_errors: bool = False
) -> list[float]:
    """Run one side in a process of its own; gives the numbers of its line "RESULT …".

    Raises:
        SystemExit: it said none; with the end of what it said instead.
    """
    ran = subprocess.run(  # noqa: S603 - our own programs
        list(command),
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    if show_errors:
        print(ran.stderr)
    for line in ran.stdout.splitlines():
        if line.startswith("RESULT "):
            return [float(part) for part in line.split()[1:]]
    sys.exit(f"{' '.join(command)} said no result:\n{ran.stdout[-1000:]}\n{ran.stderr[-3000:]}")
