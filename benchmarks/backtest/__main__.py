"""P9: how long a year of a company takes, and how many events a minute.

The other side is the goal itself: a minute for a million events, two minutes for a year of 100,000 people.
Once on one core, in that core's own time, as the wall clock says more about whoever else uses the machine;
and once with a process a core, by the wall clock.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.backtest.company import BEGINS, DAYS, Size, write
from benchmarks.kit import ROOT, Result, keep, say_load
from services.cli.backtest_run import Setting, report_of_run, run
from services.cli.backtest_shares import dealt, run_apart
from services.trigger.domain.backtest.apart import Bonds, Groups
from services.trigger.domain.backtest.report import Assumptions, BacktestReport
from services.trigger.domain.lint import check
from services.trigger.domain.model import Organisation
from services.trigger.domain.programme import Edition
from services.trigger.sources.history import History
from shared.contracts.directory import Brand, Sender

FOLDER = ROOT / ".artifacts" / "backtest"
PRESETS = ROOT / "programmes" / "presets"
CHOSEN = ("saas.yaml", "any.yaml")
"""What a company of this kind would copy: onboarding, support, features, renewals, relationships."""

FULL = Size(people=100_000, events=1_000_000)
MINUTE = 60.0
YEAR = 120.0
ORGANISATION = Organisation(
    name="Vendor",
    zone="Europe/Stockholm",
    brand=Brand(name="Vendor"),
    sender=Sender(name="Maria Lind", email="maria@vendor.example"),
    public_url="",
    own_domains=("vendor.example",),
)

ASSUMED = Assumptions(zone=ORGANISATION.zone)


def main() -> None:
    """Make the history once, then let it happen in every round."""
    parser = argparse.ArgumentParser(prog="make bench-backtest")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=FULL.people)
    parser.add_argument("--events", type=int, default=FULL.events)
    given = parser.parse_args()
    load = say_load()
    size = Size(given.people, given.events)
    file = history_of(size)
    editions = programmes()
    cores = len(os.sched_getaffinity(0))
    one_core, wall = [], []
    told = ""
    for number in range(1, given.rounds + 1):
        took, told = once(file, editions)
        one_core.append(took)
        print(f"round {number}  one core {_rate(took, given.events)}; {told}", flush=True)
        took, again = apart(file, editions, cores)
        wall.append(took)
        print(f"         {cores} cores, by the wall clock {_rate(took, given.events)}", flush=True)
        if again != told:
            raise SystemExit(f"several processes say something else: {again}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    notes = {
        "history": f"{given.events:,} events of {given.people:,} people",
        "it says": told,
        "programmes": str(len(editions)),
        "memory": f"{memory:,.0f} MB",
    }
    results = [
        *_results(size, "", one_core, notes),
        *_results(size, f" on {cores} cores, wall clock", wall, notes),
    ]
    keep(results, "make bench-backtest", load, rounds=given.rounds)


def _results(size: Size, how: str, took: list[float], notes: dict[str, str]) -> Iterator[Result]:
    """Against a million a minute; a whole year against its two minutes too. Without a `how`: on one core."""
    rates = [size.events / one * MINUTE for one in took]
    result = partial(Result, figure="P9", goal=1, notes=notes)
    what = f"historic events backtested{how}"
    against = "a million a minute"
    yield result(
        what=what, against=against, unit="events/min", at_least=True, ours=rates, theirs=[1e6] * len(took)
    )
    if size == FULL:
        what = f"a year of {size.people:,} people, {size.events:,} events, backtested{how}"
        goals = [YEAR] * len(took)
        yield result(what=what, against="two minutes", unit="s", at_least=False, ours=took, theirs=goals)


def _rate(seconds: float, events: int) -> str:
    return f"{seconds:6.1f} s, {events / seconds * MINUTE:,.0f} events a minute"


def history_of(size: Size) -> Path:
    """The file of a history; the same seed writes the same, so it is made once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{size.people}-{size.events}.ndjson"
    if not file.exists():
        print(f"writing {file.relative_to(ROOT)}", flush=True)
        part = file.with_suffix(".part")
        write(part, size)
        part.rename(file)
    return file


def programmes() -> list[Edition]:
    """The chosen presets."""
    report = check([(name, (PRESETS / name).read_text("utf-8")) for name in CHOSEN], ())
    return [checked.edition for checked in report.programmes]


def once(file: Path, editions: list[Edition]) -> tuple[float, str]:
    """Seconds of one core for everything: reading, deciding, summing up; and what came of it."""
    gc.collect()
    started = time.process_time()
    history = History(file)
    history.walk()
    setting = _setting(editions)
    report = report_of_run(history, setting, run(history, setting, lambda _: None), ASSUMED)
    return time.process_time() - started, _told(report)


def apart(file: Path, editions: list[Edition], cores: int) -> tuple[float, str]:
    """Seconds of the wall clock for the same with a process a core."""
    gc.collect()
    started = time.perf_counter()
    groups = Groups(Bonds.of(editions))
    history = History(file)
    history.walk(groups=groups)
    setting = _setting(editions)
    found = run_apart(dealt(history, groups, setting, cores), lambda _: None)
    report = report_of_run(history, setting, found, ASSUMED)
    return time.perf_counter() - started, _told(report)


def _setting(editions: list[Edition]) -> Setting:
    ends = BEGINS + timedelta(days=DAYS)
    return Setting(ORGANISATION, BEGINS, ends, (("presets", editions),), BEGINS)


def _told(report: BacktestReport) -> str:
    (found,) = report.sets
    return f"{found.invited:,} invitations, {found.planned:,} planned, {found.people.asked:,} people asked"


main()
