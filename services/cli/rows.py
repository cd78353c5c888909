"""Rows of a file of contacts, accounts or events, in our columns; what cannot be read is named by line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from services.cli.tables import AS_UTF8, defect_of, dialect_of, lines_of, records_of
from services.trigger.sources.table import AGAIN, COLUMNS, Kind, Problem, missing_columns, own_column
from services.trigger.webhooks.body import BadBodyError, read_body

Row = tuple[int, Mapping[str, Any] | None, Problem | None]
"""A line number, what stands there, or why it cannot be read."""

SEPARATOR = "sep="
"""How a file of Excel may begin, with what separates its columns."""

A_LINE = "Write one JSON object a line (NDJSON), no list around them."


class Layout(StrEnum):
    """How a file is written."""

    CSV = "csv"
    NDJSON = "ndjson"

    @classmethod
    def of(cls, file: Path) -> Layout:
        """By the file's ending."""
        return cls.NDJSON if file.suffix.lower() in {".ndjson", ".jsonl", ".json"} else cls.CSV


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a CSV file.

    Attributes:
        headers: as they stand there.
        columns: the same in our words; one that we do not know as it is.
        dialect: how the file separates.
        line: where it stands, counted from 1; 0 in an empty file.
    """

    headers: tuple[str, ...]
    columns: tuple[str, ...]
    dialect: type[csv.Dialect]
    line: int


@dataclass(frozen=True)
class Source:
    """A file and how it is read; `names` leads from the file's headers to our columns."""

    file: Path
    kind: Kind
    layout: Layout
    names: Mapping[str, str] = field(default_factory=dict)

    def rows(self, read: Callable[[int], None] = lambda _: None) -> Iterator[Row]:
        """All rows; `read` is told the bytes as they go by. A head that cannot be used is the only one."""
        with self.file.open("rb") as raw:
            lines = lines_of(raw, read)
            yield from self._csv(lines) if self.layout is Layout.CSV else self._ndjson(lines)

    @cached_property
    def head(self) -> Head:
        """The head of a CSV file."""
        with self.file.open("rb") as raw:
            lines = lines_of(raw, lambda _: None)
            first, line, dialect = next(lines, ""), 1, None
            told = first.rstrip("\r\n").lower()
            if told.startswith(SEPARATOR) and len(told) == len(SEPARATOR) + 1:
                dialect, first, line = dialect_of(told[-1]), next(lines, ""), 2
            dialect = dialect or dialect_of(first)
            values = next(csv.reader([first], dialect), [])
        headers = tuple(value.strip() for value in values)
        columns = tuple(self.names.get(name) or own_column(self.kind, name) for name in headers)
        return Head(headers, columns, dialect, line if first.strip() else 0)

    def header(self, column: str) -> str:
        """How the file calls a column of ours."""
        if self.layout is Layout.CSV:
            known = dict(zip(self.head.columns, self.head.headers, strict=True))
        else:
            known = {ours: header for header, ours in self.names.items()}
        return known.get(column, column)

    def _faults(self) -> Iterator[Problem]:
        """Why no row of a CSV file can be read at all."""
        head = self.head
        if not head.line:
            yield Problem(1, "", "the file is empty", "Its first line names the columns.")
            return
        if any("\0" in name for name in head.headers):
            yield Problem(1, "", "not UTF-8; it looks like UTF-16 without its mark", AS_UTF8)
            return
        if defect_of(head.headers):
            yield Problem(head.line, "", defect_of(head.headers), AS_UTF8)
            return
        for column, count in Counter(filter(None, head.columns)).items():
            if count > 1:
                places = [n for n, name in enumerate(head.columns, 1) if name == column]
                where = " and ".join(map(str, places))
                names = dict.fromkeys(head.headers[n - 1] for n in places)
                yield Problem(
                    head.line, ", ".join(names), f"stands {count} times in the head, as columns {where}",
                    "Leave one of them out, or give the others another name.",
                )  # fmt: skip
        missing = missing_columns(self.kind, head.columns)
        if missing:
            one, there = missing.split(",")[0].split()[0], ", ".join(filter(None, head.headers))
            reason = f"the head has no column {missing}; it has {there}"
            known = ", ".join(COLUMNS[self.kind])
            todo = f'Say which it is, as --column {one}="Its header". Known are {known}.'
            yield Problem(head.line, "", reason, todo)

    def _csv(self, lines: Iterator[str]) -> Iterator[Row]:
        faults = list(self._faults())
        if faults:
            yield from ((fault.line, None, fault) for fault in faults)
            return
        head = self.head
        count = len(head.columns)
        for number, values, defect in records_of(islice(lines, head.line, None), head.dialect, head.line + 1):
            if defect:
                yield number, None, Problem(number, "", defect.reason, defect.what_to_do)
            elif len(values) != count:
                yield number, None, _uneven(number, len(values), count)
            else:
                row = {name: value.strip() for name, value in zip(head.columns, values, strict=True)}
                yield number, {name: value for name, value in row.items() if value}, None

    def _ndjson(self, lines: Iterator[str]) -> Iterator[Row]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            if defect := defect_of([line]):
                yield number, None, Problem(number, "", defect, AS_UTF8)
                continue
            try:
                found = read_body(line.encode()).value
            except BadBodyError as error:
                reason = str(error).partition(": ")[2]
                yield number, None, Problem(number, "", reason, A_LINE if "JSON" in reason else AGAIN)
                continue
            if isinstance(found, dict):
                yield number, {self.names.get(name, name): value for name, value in found.items()}, None
            else:
                yield number, None, Problem(number, "", "must be a JSON object", A_LINE)


def _uneven(number: int, values: int, columns: int) -> Problem:
    """A row with more or fewer values than the head has columns."""
    many = "value" if values == 1 else "values"
    todo = (
        "Put a value that holds the separator into quotes."
        if values > columns
        else "Write every separator, also of empty values."
    )
    return Problem(number, "", f"{values} {many} in {columns} columns", todo)


def passed_over(names: Iterable[str], kind: Kind) -> list[str]:
    """Names of fields that are no column of ours, each once; `data` holds the whole of an event."""
    read = {*COLUMNS[kind], "data"} if kind is Kind.EVENTS else set(COLUMNS[kind])
    return [name for name in dict.fromkeys(names) if name and name not in read]
