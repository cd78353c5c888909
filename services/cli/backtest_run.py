"""Runs a backtest: one walk through the history for all sets of programmes, then the report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path
from zoneinfo import ZoneInfo

from services.cli.rows import Layout, Source
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Group, group, score
from services.trigger.domain.backtest.alike import Alike
from services.trigger.domain.backtest.counting import Counts, Ran, counted, whole
from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.report import Assumptions, BacktestReport, Broken
from services.trigger.domain.backtest.report import Source as Told
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.backtest.summing import UNKNOWN, differences, sum_up
from services.trigger.domain.backtest.tally import Tally
from services.trigger.domain.model import Organisation
from services.trigger.domain.programme import Edition
from services.trigger.sources.history import History
from services.trigger.sources.lines import Happening, of_report
from services.trigger.sources.table import Kind, Problem, problems_of, report_of
from services.trigger.webhooks.body import BadBodyError
from shared.contracts.forms import QuestionType
from shared.errors import Unprocessable

SHOWN = 100
STEP = 2000
Progress = Callable[[int], None]
Mine = Callable[[int], bool]
"""Whether a row of the files of accounts and contacts, counted from 1 through both, is of a share."""


def _every(_row: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Setting:
    """What is let happen: to which programmes, for whom, and what is counted of it.

    Attributes:
        known_at: when files of accounts and contacts are taken in: as the history begins.
    """

    organisation: Organisation
    begins: datetime
    ends: datetime
    programmes: tuple[tuple[str, Sequence[Edition]], ...]
    known_at: datetime
    accounts: Path | None = None
    contacts: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a history or of a share of one: counts of each set of programmes, and of the lines."""

    counts: tuple[Counts, ...]
    problems: tuple[Problem, ...]
    events: int
    repeated: int
    passed_over: int
    contacts: int
    accounts: int
    sealed: int

    def __add__(self, other: Found) -> Found:
        """Of both shares."""
        return Found(
            tuple(one + another for one, another in zip(self.counts, other.counts, strict=True)),
            self.problems + other.problems,
            self.events + other.events,
            self.repeated + other.repeated,
            self.passed_over + other.passed_over,
            self.contacts + other.contacts,
            self.accounts + other.accounts,
            self.sealed + other.sealed,
        )


class One:
    """One set of programmes with its simulation."""

    def __init__(self, name: str, editions: Sequence[Edition], setting: Setting, history: History) -> None:
        people = People()
        self.name = name
        zone = ZoneInfo(setting.organisation.zone)
        self.tally = Tally(zone, people.accounts, people.contacts, setting.begins, setting.ends)
        self.alike = Alike(self.tally, first=history.first)
        note = self.alike.note if history.alike else self.tally.note
        self.simulation = Simulation(editions, setting.organisation, note, people)

    def happen(self, one: Happening, *, alike: bool, counts: bool) -> None:
        """An event happens; `alike` one is in every share, and counts in the first."""
        simulation = self.simulation
        if not alike:
            simulation.happen(one.type, one.source, one.id, one.told, one.at)
            return
        simulation.until(one.at)
        unmatched, self.alike.happening = simulation.unmatched, True
        simulation.happen(one.type, one.source, one.id, one.told, one.at)
        self.alike.happening = False
        if not counts:
            simulation.unmatched = unmatched

    def counted(self) -> Counts:
        """What is to be said of it."""
        found = self.simulation
        plans = found.diary.book.plans.values()
        return counted(Ran(self.name, self.tally, found.people, plans, found.unmatched, self.alike))


def run(history: History, setting: Setting, step: Progress, mine: Mine = _every) -> Found:
    """Let everything happen, and time pass to the end of what is counted.

    Args:
        history: all of it, or a share.
        setting: to whom it happens.
        step: is told the lines.
        mine: which rows of the files of accounts and contacts are of this share.
    """
    history = replace(history, problems=[], passed_over=0, repeated=0)  # of the walk the caller knows
    with _without_collector():
        sets = [One(name, editions, setting, history) for name, editions in setting.programmes]
        problems: list[Problem] = []
        events = 0
        known = directory_of(setting, problems, mine)
        for number, one in enumerate(chain(known, history.happenings())):
            if one.at > setting.ends:
                break
            alike = one.line in history.alike
            counts = history.first or not alike
            try:
                for ran in sets:
                    ran.happen(one, alike=alike, counts=counts)
            except Unprocessable as error:
                problems.append(Problem(one.line, "", str(error)))
            else:
                events += counts
            if number % STEP == 0:
                step(number)
        for ran in sets:
            ran.simulation.until(setting.ends)
        step(history.count)
        people = sets[0].simulation.people
        return Found(
            tuple(ran.counted() for ran in sets),
            (*problems, *history.problems),
            events,
            history.repeated,
            history.passed_over,
            len(people.contacts),
            len(people.accounts),
            len(people.sealed),
        )


def directory_of(setting: Setting, problems: list[Problem], mine: Mine = _every) -> Iterator[Happening]:
    """Accounts and contacts of files, as if they had been imported just before the first event."""
    number = 0
    for kind, file in ((Kind.ACCOUNTS, setting.accounts), (Kind.CONTACTS, setting.contacts)):
        if file is None:
            continue
        source = Source(file, kind, Layout.of(file))
        for line, row, defect in source.rows():
            number += 1
            if not mine(number):
                continue
            try:
                one = of_report(line, report_of(kind, row, setting.known_at)) if row is not None else None
                wrong = [defect] if defect else []
            except BadBodyError as error:
                one, wrong = None, problems_of(line, error)
            for told in wrong:
                where = f"{file.name} {source.header(told.field)}".strip()
                problems.append(replace(told, field=where))
            if one is not None:
                known = one.told.model_copy(update={"occurred_at": min(one.at, setting.known_at)})
                yield one._replace(at=setting.known_at, line=-number, told=known)


def report_of_run(history: History, setting: Setting, found: Found, assumed: Assumptions) -> BacktestReport:
    """Everything that is to be said of a run."""
    sets = zip(setting.programmes, found.counts, strict=True)
    outcomes = tuple(sum_up(whole(counts), editions, assumed, interval) for (_, editions), counts in sets)
    problems = sorted({*found.problems, *history.problems}, key=lambda one: (one.line, one.field, one.reason))
    return BacktestReport(
        assumptions=assumed,
        source=Told(
            file=history.file.name,
            begins=history.begins or setting.begins,
            ends=history.ends or setting.ends,
            counted_from=setting.begins.astimezone(ZoneInfo(assumed.zone)),
            counted_to=setting.ends.astimezone(ZoneInfo(assumed.zone)),
            in_order=history.ordered,
            events=found.events,
            repeated=found.repeated,
            passed_over=history.passed_over + found.passed_over,
            broken=len(problems),
            contacts=found.contacts,
            accounts=found.accounts,
            sealed=found.sealed,
        ),
        problems=tuple(Broken(line=p.line, field=p.field, reason=p.reason) for p in problems[:SHOWN]),
        sets=outcomes,
        differences=tuple(differences(*outcomes)) if len(outcomes) > 1 else (),
        unknown=UNKNOWN,
    )


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
