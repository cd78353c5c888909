"""Files with a row a line: how they are read, and how it is told what became of them."""

from __future__ import annotations

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rich.console import Console
from rich.text import Text

from services.trigger.sources.table import Problem

console = Console(markup=False)
AT_ONCE = 500
"""Rows of one transaction."""

SHOWN = 20
LONGEST = 1024 * 1024
"""Most characters of a line."""

ROW_LINES = 1000
"""Most lines of one row in quotes."""

CUT = "\udcff"
"""What stands for a line that is too long; no text of UTF-8 can be it."""

AS_UTF8 = "Save the file as UTF-8 (in Excel: CSV UTF-8)."
SHORTER = "Shorten it, or leave the row out."


@dataclass(slots=True)
class Outcome:
    """What became of the rows."""

    taken: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    passed_over: dict[str, None] = field(default_factory=dict)
    """Names of what nobody knows, in the order in which they came."""


def lines_of(raw: BinaryIO, read: Callable[[int], None]) -> Iterator[str]:
    """Lines as text, in UTF-8 or in UTF-16 with its mark; closes the file.

    `read` is told the bytes as they go by. What is no UTF-8 stays recognisable: a bad line costs one row.
    Of a line that is too long nothing but that stays (`CUT`).
    """
    wide = raw.read(2) in {BOM_UTF16_LE, BOM_UTF16_BE}
    raw.seek(0)
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    with TextIOWrapper(raw, encoding, errors, newline="\n") as text:
        while line := text.readline(LONGEST + 1):
            read(_bytes(line, wide=wide))
            if len(line) > LONGEST and not line.endswith("\n"):
                while (rest := text.readline(LONGEST)) and not rest.endswith("\n"):
                    read(_bytes(rest, wide=wide))
                line = CUT
            yield line


def _bytes(line: str, *, wide: bool) -> int:
    return 2 * len(line) if wide else len(line.encode("utf-8", "surrogateescape"))


def dialect_of(header: str) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever the header has most of outside of quotes."""
    plain = "".join(header.split('"')[::2])

    class Found(csv.excel):
        delimiter = max(",;\t", key=plain.count)
        strict = True

    return Found


def defect_of(values: Iterable[str]) -> str:
    """Why the text of a row cannot be read; "" when it can."""
    found = list(values)
    if found == [CUT]:
        return f"longer than {LONGEST:,} characters"
    garbled = any("\udc80" <= letter <= "\udcff" for value in found for letter in value)
    return "not UTF-8" if garbled else ""


class Record(NamedTuple):
    """A row of a CSV file, by the line on which it begins: its values, or why it has none."""

    line: int
    values: list[str]
    defect: Defect | None = None


class Defect(NamedTuple):
    """Why a row cannot be read, and what mends it."""

    reason: str
    what_to_do: str


def records_of(lines: Iterator[str], dialect: type[csv.Dialect], number: int) -> Iterator[Record]:
    """Rows that are not blank, from a line number on.

    A row may go over several lines in quotes. A quote that is never closed costs its line alone.
    """
    ahead: deque[str] = deque()

    def following() -> str | None:
        return ahead.popleft() if ahead else next(lines, None)

    while (line := following()) is not None:
        whole = [line]
        found = _parsed(line, dialect)
        while found is _OPEN and len(whole) < ROW_LINES and (more := following()) is not None:
            whole.append(more)
            if '"' in more:
                found = _parsed("".join(whole), dialect)
        if found is _OPEN or (isinstance(found, Defect) and len(whole) > 1):
            found = UNCLOSED
            ahead.extendleft(reversed(whole[1:]))
            whole = whole[:1]
        if isinstance(found, Defect):
            yield Record(number, [], found)
        elif any(value.strip() for value in found):
            broken = defect_of(found)
            todo = SHORTER if found == [CUT] else AS_UTF8
            yield Record(number, found, Defect(broken, todo) if broken else None)
        number += len(whole)


UNCLOSED = Defect(
    "a quote that is opened here is not closed as it should be",
    "Close it, and write a quote inside a value twice.",
)
_OPEN = Defect("", "")


def _parsed(text: str, dialect: type[csv.Dialect]) -> list[str] | Defect:
    """The values of a row; `_OPEN` while a quote of it is."""
    try:
        return next(csv.reader([text], dialect), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return _OPEN
        if "field larger" in str(error):
            return Defect(f"a value is longer than {csv.field_size_limit():,} characters", SHORTER)
        if "new-line" in str(error):
            return Defect("its lines end as on old Macs", "Save the file with line ends of Unix or Windows.")
        return UNCLOSED


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
