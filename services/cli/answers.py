"""`afterword import answers`: exports of SurveyMonkey and Qualtrics."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import typer
from rich.console import Console

from services.cli.deployment import opened
from services.cli.forms import forms_of_programmes, read_file
from services.cli.tables import AS_UTF8, AT_ONCE, Outcome, defect_of, dialect_of, lines_of
from services.collector.app import patience_of
from services.collector.domain.exports import HEADER_LINES, Export, PassedOver, open_export
from services.collector.domain.form_answers import RefusedError, Told, Trouble, read_told
from services.collector.domain.forms import Asked, FormRule, asked
from services.collector.handlers.answering import Answering
from services.collector.handlers.forms import Became, FormIntake, Result
from services.collector.settings import Settings
from services.collector.store import forms as store
from services.trigger.sources.table import AGAIN, Problem

console = Console(markup=False)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """A form of forms.yaml, and what it asks of its programme."""

    rule: FormRule
    asked: Asked


def rule_of(form: str, file: Path, programmes: Path) -> Answered:
    """The form that an export is of.

    Raises:
        Exit: forms.yaml is not fit to run; what is wrong was printed.
        BadParameter: It names no such form, or one that has no exports.
    """
    known = forms_of_programmes(programmes)
    forms = read_file(file, known).forms
    there = ", ".join(key for key, rule in forms.items() if rule.tool in HEADER_LINES) or "none"
    if form not in forms:
        raise typer.BadParameter(f"{file} names no form {form!r}; with exports: {there}", param_hint="--form")
    rule = forms[form]
    if rule.tool not in HEADER_LINES:
        hint = f"{form} is a Typeform: its answers come by the webhook; with exports: {there}"
        raise typer.BadParameter(hint, param_hint="--form")
    return Answered(rule, asked(rule, known[rule.programme]))


async def take_file(file: Path, key: str, answered: Answered, data: Path | None) -> Outcome:
    """Take in a file of answers; without a deployment it is only checked."""
    if data is None:
        return await run(file, key, answered, None)
    async with opened("collector", data) as platform:
        answering = Answering(platform.db, platform.sealer, platform.machine, patience_of(Settings()))
        intake = FormIntake(platform.db, platform.sealer, answering)
        outcome = await run(file, key, answered, intake)
        async with platform.db.read() as conn:
            left = (await store.sums(conn)).get(key, {}).get("findings", 0)
    if left:
        console.print(f"What could not be used is kept: afterword forms findings --form {key} ({left}).")
    return outcome


async def run(file: Path, key: str, answered: Answered, intake: FormIntake | None) -> Outcome:
    """Take rows in, some hundred a transaction; without an intake they are only checked."""
    outcome = Outcome()
    with file.open("rb") as raw:
        lines = lines_of(raw, lambda _: None)
        first = next(lines, "")
        reader = csv.reader(chain((first,), lines), dialect_of(first))
        headers = list(islice(reader, HEADER_LINES[answered.rule.tool]))
        export = open_export(answered.rule, headers)
        if isinstance(export, list):
            outcome.problems += [_problem(1, one) for one in export]
            return outcome
        rows = _rows(((reader.line_num, values) for values in reader), export, outcome)
        while part := list(islice(rows, AT_ONCE)):
            await _take(part, key, answered, intake, outcome)
    return outcome


def _rows(found: Iterator[tuple[int, list[str]]], export: Export, outcome: Outcome) -> Iterator[Told]:
    """The answers of a file; rows that are none are counted."""
    for line, values in found:
        if not any(value.strip() for value in values):
            continue
        if defect := defect_of(values):
            outcome.problems.append(_problem(line, Trouble("", defect, AS_UTF8)))
            continue
        try:
            told = export.told(values, line)
        except RefusedError as error:
            outcome.problems.append(_problem(line, error.trouble))
            continue
        if isinstance(told, PassedOver):
            outcome.taken[told.why] += 1
        else:
            yield told


async def _take(
    part: list[Told], key: str, answered: Answered, intake: FormIntake | None, outcome: Outcome
) -> None:
    if intake is None:
        results = [_checked(key, answered, one) for one in part]
    else:
        results = await intake.take(key, answered.rule, part)
    for told, result in zip(part, results, strict=True):
        if result.became in _REFUSED and result.trouble:
            outcome.problems.append(_problem(told.line, result.trouble))
        else:
            outcome.taken["fit" if intake is None else result.became.value] += 1


_REFUSED = frozenset({Became.REFUSED, Became.NOT_YET})


def _checked(key: str, answered: Answered, told: Told) -> Result:
    try:
        read_told(key, answered.rule, answered.asked, told, _END_OF_TIME)
    except RefusedError as error:
        return Result(Became.REFUSED, error.trouble)
    return Result(Became.ACCEPTED)


def _problem(line: int, trouble: Trouble) -> Problem:
    return Problem(line, trouble.field, trouble.reason, trouble.what_to_do or AGAIN)
