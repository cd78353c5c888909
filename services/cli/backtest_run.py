"""Runs a backtest: one walk through the history for all sets of programmes, then the report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path
from zoneinfo import ZoneInfo

from services.cli.imports import Layout, Source
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Group, group, score
from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.report import Assumptions, BacktestReport, Broken
from services.trigger.domain.backtest.report import Source as Told
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.backtest.summing import UNKNOWN, Ran, differences, sum_up
from services.trigger.domain.backtest.tally import Tally
from services.trigger.domain.model import Organisation
from services.trigger.domain.programme import Edition
from services.trigger.sources.history import Happening, History, of_report
from services.trigger.sources.table import Kind, Problem, problem_of, report_of
from services.trigger.webhooks.body import BadBodyError
from shared.contracts.forms import QuestionType
from shared.errors import Unprocessable

SHOWN = 100
STEP = 2000
Progress = Callable[[int], None]


@dataclass(slots=True)
class One:
    """One set of programmes with its simulation."""

    name: str
    editions: list[Edition]
    simulation: Simulation
    tally: Tally


@dataclass(slots=True)
class Sets:
    """The sets of programmes to which everything happens, and what could not be used."""

    organisation: Organisation
    begins: datetime
    ends: datetime
    ran: list[One] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    events: int = 0

    def add(self, name: str, editions: list[Edition]) -> None:
        """One more set."""
        people = People()
        tally = Tally(ZoneInfo(self.organisation.zone), people.accounts, self.begins, self.ends)
        simulation = Simulation(editions, self.organisation, tally.note, people)
        self.ran.append(One(name, editions, simulation, tally))

    def happen(self, one: Happening) -> None:
        """An event happens to all of them."""
        try:
            for ran in self.ran:
                ran.simulation.happen(one.type, one.source, one.id, one.told, one.at)
        except Unprocessable as error:
            self.problems.append(Problem(one.line, "", str(error)))
        else:
            self.events += 1


def directory_of(
    accounts: Path | None, contacts: Path | None, history: History, sets: Sets
) -> Iterator[Happening]:
    """Accounts and contacts of files, as if they had been imported just before the first event."""
    now = history.begins
    for kind, file in ((Kind.ACCOUNTS, accounts), (Kind.CONTACTS, contacts)):
        if file is None or now is None:
            continue
        layout = Layout.NDJSON if file.suffix in {".ndjson", ".jsonl", ".json"} else Layout.CSV
        for line, row, defect in Source(file, layout, {}).rows(lambda _: None):
            if row is None:
                sets.problems.append(Problem(line, file.name, defect))
                continue
            try:
                one = of_report(line, report_of(kind, row, now))
            except BadBodyError as error:
                problem = problem_of(line, error)
                sets.problems.append(replace(problem, field=f"{file.name} {problem.field}".strip()))
                continue
            told = one.told.model_copy(update={"occurred_at": min(one.at, now)})
            yield one._replace(at=now, told=told)


def run(history: History, sets: Sets, known: Iterator[Happening], step: Progress) -> None:
    """Let everything happen, and time pass to the end of what is counted; `step` is told the lines."""
    with _without_collector():
        for number, one in enumerate(chain(known, history.happenings())):
            if one.at > sets.ends:
                break
            sets.happen(one)
            if number % STEP == 0:
                step(number)
        for ran in sets.ran:
            ran.simulation.until(sets.ends)
        step(history.count)


def report_of_sets(events: Path, history: History, sets: Sets, assumed: Assumptions) -> BacktestReport:
    """Everything that is to be said of a run."""
    outcomes = tuple(sum_up(_ran(one), assumed, interval) for one in sets.ran)
    people = sets.ran[0].simulation.people
    problems = [*sets.problems, *sorted(history.problems, key=lambda problem: problem.line)]
    return BacktestReport(
        assumptions=assumed,
        source=Told(
            file=events.name,
            begins=history.begins or sets.begins,
            ends=history.ends or sets.ends,
            counted_from=sets.begins.astimezone(ZoneInfo(assumed.zone)),
            counted_to=sets.ends.astimezone(ZoneInfo(assumed.zone)),
            in_order=history.ordered,
            events=sets.events,
            repeated=history.repeated,
            passed_over=history.passed_over,
            broken=len(problems),
            contacts=len(people.contacts),
            accounts=len(people.accounts),
            sealed=len(people.sealed),
        ),
        problems=tuple(Broken(line=p.line, field=p.field, reason=p.reason) for p in problems[:SHOWN]),
        sets=outcomes,
        differences=tuple(differences(*outcomes)) if len(outcomes) > 1 else (),
        unknown=UNKNOWN,
    )


def _ran(one: One) -> Ran:
    found = one.simulation
    plans = found.diary.book.plans.values()
    return Ran(one.name, one.editions, one.tally, found.people, plans, found.unmatched)


def interval(kind: QuestionType, answers: int, assumed: Assumptions) -> tuple[float, float] | None:
    """The interval of a score from so many answers, split as assumed; worked out as the scores are."""
    metric = Metric(kind.value)
    high, low = round(answers * assumed.happy), round(answers * assumed.unhappy)
    middle = next(v for v in range(metric.lowest, metric.highest) if group(metric, v) is Group.MIDDLE)
    values = chain(
        repeat(metric.highest, high), repeat(metric.lowest, low), repeat(middle, max(answers - high - low, 0))
    )
    found = score(Histogram.of(metric, values))
    return (found.low, found.high) if found.low is not None and found.high is not None else None


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here is garbage until the end, and looking for it would take a third of the time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor does the report look through all of it
        gc.enable()
