"""`afterword import`: contacts, accounts and historic events from CSV or NDJSON; answers of form tools."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.cli import answers
from services.cli.deployment import DATA_DIR, opened
from services.cli.forms import DEFAULT as FORMS
from services.cli.forms import PROGRAMMES
from services.cli.tables import AT_ONCE, Outcome, dialect_of, is_garbled, lines_of, say
from services.trigger.domain.reports import Report
from services.trigger.handlers.intake import take
from services.trigger.sources.table import (
    COLUMNS,
    ROUTE,
    Kind,
    problem_of,
    report_of,
    unknown_columns,
    unread,
)
from services.trigger.webhooks.body import BadBodyError
from shared.runtime.service import Platform

console = Console(markup=False)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[int, Mapping[str, Any] | None, str]
"""A line number, what stands there, or why it cannot be read."""


class What(StrEnum):
    """What a file holds: a `Kind` of rows, or answers of a form tool."""

    CONTACTS = "contacts"
    ACCOUNTS = "accounts"
    EVENTS = "events"
    ANSWERS = "answers"


class Layout(StrEnum):
    """How a file is written."""

    CSV = "csv"
    NDJSON = "ndjson"


def command(  # noqa: PLR0913, PLR0917 - one option a choice
    what: Annotated[What, typer.Argument(help="What the rows are.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file to read.")],
    layout: Annotated[Layout | None, typer.Option("--format", help="Else by the file's ending.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=HEADER where a column has another name; repeat it.")
    ] = None,
    errors: Annotated[Path | None, typer.Option(help="Where the error report goes: a CSV file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, take nothing in.")] = False,  # noqa: FBT002 - an option
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
    form: Annotated[str, typer.Option(help="For answers: the form's key in forms.yaml.")] = "",
    forms: Annotated[Path, typer.Option(help="For answers: the file that names the forms.")] = FORMS,
    programmes: Annotated[Path, typer.Option(help="For answers: the folder of programmes.")] = PROGRAMMES,
) -> None:
    """Take in a file of contacts, accounts, historic events, or answers of SurveyMonkey or Qualtrics.

    What cannot be used is reported by line. Repeating is fine: a row that was taken is not taken again. Exit
    code 1 when some rows cannot be used.
    """
    if what is What.ANSWERS:
        if column or layout:
            raise typer.BadParameter(
                "for answers forms.yaml says what the columns mean", param_hint="--column"
            )
        rule = answers.rule_of(form, forms, programmes)
        outcome = asyncio.run(answers.take_file(file, form, rule, None if dry_run else data))
    else:
        outcome = _rows(Kind(what.value), file, layout, column or [], None if dry_run else data)
    say(outcome, errors or file.with_suffix(".errors.csv"), dry_run=dry_run)
    if outcome.problems:
        raise typer.Exit(1)


def _rows(kind: Kind, file: Path, layout: Layout | None, column: list[str], data: Path | None) -> Outcome:
    names = _renamed(kind, column)
    written = layout or (Layout.NDJSON if file.suffix in {".ndjson", ".jsonl", ".json"} else Layout.CSV)
    return asyncio.run(_import(Source(file, written, names), kind, data))


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is read; `names` leads from the file's headers to our columns."""

    file: Path
    layout: Layout
    names: Mapping[str, str]

    def rows(self, read: Callable[[int], None]) -> Iterator[Row]:
        """All rows; `read` is told the bytes as they go by."""
        with self.file.open("rb") as raw:
            lines = lines_of(raw, read)
            yield from self._csv(lines) if self.layout is Layout.CSV else self._ndjson(lines)

    def columns(self) -> list[str]:
        """The headers of a CSV file in our words."""
        with self.file.open("rb") as raw:
            first = next(lines_of(raw, lambda _: None), "")
        return [
            self.names.get(name.strip(), name.strip())
            for name in next(csv.reader([first], dialect_of(first)), [])
        ]

    def _csv(self, lines: Iterator[str]) -> Iterator[Row]:
        first = next(lines, "")
        dialect = dialect_of(first)
        header = self.columns()
        reader = csv.reader(lines, dialect)
        for values in reader:
            number = reader.line_num + 1
            if not any(value.strip() for value in values):
                continue
            if is_garbled(values):
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
