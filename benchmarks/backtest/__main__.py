"""P9: how long a year of a company takes on one core, and how many events a minute.

The other side is the goal itself: a minute for a million events, two minutes for a year of 100,000 people.
Both are the time of one core: on a machine that others use too, the wall clock says more about them.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.backtest.company import BEGINS, DAYS, Size, write
from benchmarks.kit import ROOT, Result, keep, say_load
from services.cli.backtest_run import Sets, report_of_sets, run
from services.trigger.domain.backtest.report import Assumptions
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
    seconds = []
    told = ""
    for number in range(1, given.rounds + 1):
        took, told = once(file, editions)
        seconds.append(took)
        rate = given.events / took * MINUTE
        print(f"round {number}  {took:6.1f} s of one core, {rate:,.0f} events a minute; {told}", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    notes = {
        "history": f"{given.events:,} events of {given.people:,} people",
        "it says": told,
        "programmes": str(len(editions)),
        "memory": f"{memory:,.0f} MB",
    }
    rates = [given.events / one * MINUTE for one in seconds]
    rate = partial(Result, figure="P9", what="historic events backtested", against="a million a minute")
    results = [
        rate(unit="events/min", goal=1, at_least=True, ours=rates, theirs=[1e6] * len(rates), notes=notes)
    ]
    if size == FULL:
        goals = [YEAR] * len(seconds)
        year = f"a year of {given.people:,} people with {given.events:,} events backtested"
        whole = partial(Result, figure="P9", what=year, against="two minutes of one core", unit="s")
        results.append(whole(goal=1, at_least=False, ours=seconds, theirs=goals, notes=notes))
    keep(results, "make bench-backtest", load, rounds=given.rounds)


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
    sets = Sets(ORGANISATION, BEGINS, BEGINS + timedelta(days=DAYS))
    sets.add("presets", editions)
    run(history, sets, iter(()), lambda _: None)
    report = report_of_sets(file, history, sets, Assumptions(zone=ORGANISATION.zone))
    took = time.process_time() - started
    (found,) = report.sets
    return (
        took,
        f"{found.invited:,} invitations, {found.planned:,} planned, {found.people.asked:,} people asked",
    )


main()
