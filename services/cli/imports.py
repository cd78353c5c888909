"""`afterword import`: contacts, accounts and historic events from CSV or NDJSON; answers of form tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.cli import answers
from services.cli.deployment import DATA_DIR, opened
from services.cli.forms import DEFAULT as FORMS
from services.cli.forms import PROGRAMMES
from services.cli.rows import Layout, Row, Source, passed_over
from services.cli.tables import AT_ONCE, Outcome, say
from services.trigger.domain.reports import Report
from services.trigger.handlers.intake import take
from services.trigger.sources.table import (
    COLUMNS,
    ROUTE,
    Kind,
    problems_of,
    report_of,
    unknown_columns,
)
from services.trigger.webhooks.body import BadBodyError
from shared.runtime.service import Platform

console = Console(markup=False)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class What(StrEnum):
    """What a file holds: a `Kind` of rows, or answers of a form tool."""

    CONTACTS = "contacts"
    ACCOUNTS = "accounts"
    EVENTS = "events"
    ANSWERS = "answers"


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
    return asyncio.run(_import(Source(file, kind, layout or Layout.of(file), names), data))


async def _import(source: Source, data: Path | None) -> Outcome:
    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip
    with bar:
        task = bar.add_task(source.file.name, total=source.file.stat().st_size or 1, rows=0)
        rows = source.rows(lambda count: bar.advance(task, count))

        def progress(count: int) -> None:
            bar.update(task, rows=count)

        async with nullcontext() if data is None else opened("trigger", data) as platform:
            outcome = await run(rows, source, platform, progress)
    for name in unknown_columns(source.kind, outcome.passed_over):
        console.print(Text.assemble(("Passed over:", "yellow"), f" column {name}"))
    return outcome


async def run(
    rows: Iterator[Row], source: Source, platform: Platform | None, progress: Callable[[int], None]
) -> Outcome:
    """Take rows in, some hundred a transaction; without a platform they are only checked."""
    outcome, count = Outcome(), 0
    while part := tuple(islice(rows, AT_ONCE)):
        if platform is None:
            reports = list(_reports(part, source, LONG_AGO, outcome))
            outcome.taken["fit"] += len(reports)
        else:
            async with platform.db.begin() as tx:
                reports = list(_reports(part, source, tx.now, outcome))
                taken = await take(tx, platform.sealer, ROUTE, reports)
            outcome.taken.update(taken)
        count += len(part)
        progress(count)
    return outcome


def _reports(part: tuple[Row, ...], source: Source, now: datetime, outcome: Outcome) -> Iterator[Report]:
    for line, row, problem in part:
        if problem:
            outcome.problems.append(problem)
        if row is None:
            continue
        outcome.passed_over |= dict.fromkeys(passed_over(row, source.kind))
        try:
            yield report_of(source.kind, row, now)
        except BadBodyError as error:
            found = problems_of(line, error)
            outcome.problems += [replace(one, field=source.header(one.field)) for one in found]


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
