"""Files with a row a line: how they are read, and how it is told what became of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.trigger.sources.table import Problem

console = Console(markup=False)
AT_ONCE = 500
"""Rows of one transaction."""

SHOWN = 20


@dataclass(slots=True)
class Outcome:
    """What became of the rows."""

    taken: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


def lines_of(raw: Iterator[bytes], read: Callable[[int], None]) -> Iterator[str]:
    """Lines as text; what is no UTF-8 stays recognisable, so that one bad line costs one row."""
    for number, line in enumerate(raw):
        read(len(line))
        yield line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape")


def dialect_of(header: str) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever the header has most of."""

    class Found(csv.excel):
        delimiter = max(",;\t", key=header.count)

    return Found


def is_garbled(values: Iterable[str]) -> bool:
    """Whether something of a row was no UTF-8."""
    return any("\udc80" <= letter <= "\udcff" for value in values for letter in value)


def say(outcome: Outcome, errors: Path, *, dry_run: bool) -> None:
    """Tell what became of a file, and leave a report of what cannot be used beside it."""
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
