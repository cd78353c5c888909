"""`afterword import`: contacts, accounts and historic events from CSV or NDJSON."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.cli.deployment import DATA_DIR, opened
from services.trigger.domain.reports import Report
from services.trigger.handlers.intake import take
from services.trigger.sources.table import (
    COLUMNS,
    ROUTE,
    Kind,
    Problem,
    problem_of,
    report_of,
    unknown_columns,
    unread,
)
from services.trigger.webhooks.body import BadBodyError
from shared.runtime.service import Platform

console = Console(markup=False)
AT_ONCE = 500
SHOWN = 20
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[int, Mapping[str, Any] | None, str]
"""A line number, what stands there, or why it cannot be read."""


class Layout(StrEnum):
    """How a file is written."""

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(slots=True)
class Outcome:
    """What became of the rows."""

    taken: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


def command(  # noqa: PLR0913, PLR0917 - one option a choice
    kind: Annotated[Kind, typer.Argument(help="What the rows are.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file to read.")],
    layout: Annotated[Layout | None, typer.Option("--format", help="Else by the file's ending.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=HEADER where a column has another name; repeat it.")
    ] = None,
    errors: Annotated[Path | None, typer.Option(help="Where the error report goes: a CSV file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, take nothing in.")] = False,  # noqa: FBT002 - an option
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Take in a file of contacts, accounts or historic events. What cannot be used is reported by line.

    Repeating is fine: a row that was taken is not taken again. Exit code 1 when some rows cannot be used.
    """
    names = _renamed(kind, column or [])
    written = layout or (Layout.NDJSON if file.suffix in {".ndjson", ".jsonl", ".json"} else Layout.CSV)
    outcome = asyncio.run(_import(Source(file, written, names), kind, None if dry_run else data))
    _say(outcome, errors or file.with_suffix(".errors.csv"), dry_run=dry_run)
    if outcome.problems:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is read; `names` leads from the file's headers to our columns."""

    file: Path
    layout: Layout
    names: Mapping[str, str]

    def rows(self, read: Callable[[int], None]) -> Iterator[Row]:
        """All rows; `read` is told the bytes as they go by."""
        with self.file.open("rb") as raw:
            lines = _lines(raw, read)
            yield from self._csv(lines) if self.layout is Layout.CSV else self._ndjson(lines)

    def columns(self) -> list[str]:
        """The headers of a CSV file in our words."""
        with self.file.open("rb") as raw:
            first = next(_lines(raw, lambda _: None), "")
        return [
            self.names.get(name.strip(), name.strip())
            for name in next(csv.reader([first], _dialect(first)), [])
        ]

    def _csv(self, lines: Iterator[str]) -> Iterator[Row]:
        first = next(lines, "")
        dialect = _dialect(first)
        header = self.columns()
        reader = csv.reader(lines, dialect)
        for values in reader:
            number = reader.line_num + 1
            if not any(value.strip() for value in values):
                continue
            if any("\udc80" <= letter <= "\udcff" for value in values for letter in value):
                yield number, None, "not UTF-8"
            elif len(values) != len(header):
                yield number, None, f"{len(values)} values in {len(header)} columns"
            else:
                row = {name: value.strip() for name, value in zip(header, values, strict=True)}
                yield number, {name: value for name, value in row.items() if value}, ""

    def _ndjson(self, lines: Iterator[str]) -> Iterator[Row]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                yield number, None, "not readable as JSON in UTF-8"
                continue
            if isinstance(found, dict):
                yield number, {self.names.get(name, name): value for name, value in found.items()}, ""
            else:
                yield number, None, "must be a JSON object"


async def _import(source: Source, kind: Kind, data: Path | None) -> Outcome:
    if source.layout is Layout.CSV:
        for name in unknown_columns(kind, source.columns()):
            console.print(Text.assemble(("Passed over:", "yellow"), f" column {name}"))
    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip
    with bar:
        task = bar.add_task(source.file.name, total=source.file.stat().st_size or 1, rows=0)
        rows = source.rows(lambda count: bar.advance(task, count))

        def progress(count: int) -> None:
            bar.update(task, rows=count)

        if data is None:
            return await run(rows, kind, None, progress)
        async with opened("trigger", data) as platform:
            return await run(rows, kind, platform, progress)


async def run(
    rows: Iterator[Row], kind: Kind, platform: Platform | None, progress: Callable[[int], None]
) -> Outcome:
    """Take rows in, some hundred a transaction; without a platform they are only checked."""
    outcome, count = Outcome(), 0
    while part := tuple(islice(rows, AT_ONCE)):
        if platform is None:
            reports = list(_reports(part, kind, LONG_AGO, outcome))
            outcome.taken["fit"] += len(reports)
        else:
            async with platform.db.begin() as tx:
                reports = list(_reports(part, kind, tx.now, outcome))
                taken = await take(tx, platform.sealer, ROUTE, reports)
            outcome.taken.update(taken)
        count += len(part)
        progress(count)
    return outcome


def _reports(part: tuple[Row, ...], kind: Kind, now: datetime, outcome: Outcome) -> Iterator[Report]:
    for line, row, defect in part:
        if row is None:
            outcome.problems.append(unread(line, defect))
            continue
        try:
            yield report_of(kind, row, now)
        except BadBodyError as error:
            outcome.problems.append(problem_of(line, error))


def _lines(raw: Iterator[bytes], read: Callable[[int], None]) -> Iterator[str]:
    """Lines as text; what is no UTF-8 stays recognisable, so that one bad line costs one row."""
    for number, line in enumerate(raw):
        read(len(line))
        yield line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape")


def _dialect(header: str) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever the header has most of."""

    class Found(csv.excel):
        delimiter = max(",;\t", key=header.count)

    return Found


def _renamed(kind: Kind, given: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in given:
        ours, equals, header = pair.partition("=")
        if not equals or ours not in COLUMNS[kind]:
            raise typer.BadParameter(
                f"{pair!r}: write FIELD=HEADER; fields of {kind}: {', '.join(COLUMNS[kind])}",
                param_hint="--column",
            )
        names[header.strip()] = ours
    return names


def _say(outcome: Outcome, errors: Path, *, dry_run: bool) -> None:
    counts = ", ".join(f"{count} {what}" for what, count in sorted(outcome.taken.items())) or "nothing"
    console.print(
        f"{'Checked' if dry_run else 'Imported'}: {counts}, {len(outcome.problems)} cannot be used."
    )
    for problem in outcome.problems[:SHOWN]:
        where = f"line {problem.line}" + (f", {problem.field}" if problem.field else "")
        todo = f" {problem.what_to_do}" if problem.what_to_do else ""
        console.print(Text.assemble((f"  {where}:", "red"), f" {problem.reason}.", (todo, "dim")))
    if outcome.problems:
        with errors.open("w", newline="", encoding="utf-8") as sink:
            writer = csv.writer(sink)
            writer.writerow(("line", "field", "reason", "what_to_do"))
            writer.writerows((p.line, p.field, p.reason, p.what_to_do) for p in outcome.problems)
        console.print(f"All of them: {errors}", highlight=False)
