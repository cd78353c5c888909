"""Tables as files: CSV for spreadsheets, NDJSON for programs, Parquet for analysis. All made page by page."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

import msgspec
from fastapi.responses import StreamingResponse
from typing_extensions import override

from shared.tables import Cell, Column, Kind, cells, harmless
from shared.web.problems import Problem

Items = AsyncIterator[list[dict[str, Any]]]
Row = Callable[[dict[str, Any], Sequence[Column]], list[Cell]]
INSTALL = "Install it with pip install 'afterword[parquet]', or take csv or ndjson."
BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""


class Format(StrEnum):
    """Kinds of files."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def installed(self) -> bool:
        """Whether what writes it is there; Parquet is an extra."""
        return self is not Format.PARQUET or find_spec("pyarrow") is not None


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written."""

    media_type: str
    write: Callable[[Items, Sequence[Column], Row], AsyncIterator[bytes]]


def sent(
    name: str, kind: Format, pages: Items, shape: Sequence[Column], row: Row = cells
) -> StreamingResponse:
    """A table as a file, made while it is sent.

    Args:
        name: of the file, without what says its format.
        kind: the format.
        pages: the items, so many at a time as are to be kept in memory.
        shape: the columns.
        row: the cells of an item; NDJSON has the items themselves.

    Raises:
        Problem: 501, the library that writes this format is not installed.
    """
    if not kind.installed:
        raise Problem(501, f"{kind} needs a library that is not here.", what_to_do=INSTALL)
    writer = WRITERS[kind]
    return StreamingResponse(
        writer.write(pages, shape, row),
        media_type=writer.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )


def written(kind: Format, pages: Items, shape: Sequence[Column], row: Row = cells) -> AsyncIterator[bytes]:
    """The bytes of a table, for a file that is not sent; the format has to be installed."""
    return WRITERS[kind].write(pages, shape, row)


async def _csv(pages: Items, shape: Sequence[Column], row: Row) -> AsyncIterator[bytes]:
    """Comma, CRLF, UTF-8 (RFC 4180); texts that could be formulas are disarmed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(BOM)
    writer.writerow([column.name for column in shape])
    async for items in pages:
        writer.writerows([plain(cell) for cell in row(item, shape)] for item in items)
        yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    """What was written since the last time."""
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written


def plain(cell: Cell) -> str | float | None:
    """A cell as a spreadsheet reads it, which runs none."""
    match cell:
        case bool():
            return "yes" if cell else "no"
        case date():
            return cell.isoformat()
        case str():
            return harmless(cell)
        case _:
            return cell


async def _ndjson(pages: Items, _: Sequence[Column], __: Row) -> AsyncIterator[bytes]:
    """One item a line, as the API gives it."""
    encode = msgspec.json.Encoder().encode
    async for items in pages:
        yield b"".join(encode(item) + b"\n" for item in items)


class _Pipe(io.RawIOBase):
    """A file that only grows; what was written can be taken out of it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    @override
    def writable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


async def _parquet(pages: Items, shape: Sequence[Column], row: Row) -> AsyncIterator[bytes]:
    # Sixty megabytes of library that only this needs: loaded when somebody asks for the first file.
    arrow, files = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    kinds = {
        Kind.TEXT: arrow.string(), Kind.NUMBER: arrow.int16(), Kind.TRUTH: arrow.bool_(),
        Kind.COUNT: arrow.int64(), Kind.REAL: arrow.float64(), Kind.DAY: arrow.date32(),
        Kind.INSTANT: arrow.timestamp("us", tz="UTC"),
    }  # fmt: skip
    schema = arrow.schema([(column.name, kinds[column.kind]) for column in shape])
    pipe = _Pipe()
    with files.ParquetWriter(pipe, schema) as writer:
        async for items in pages:
            rows = zip(*(row(item, shape) for item in items), strict=True)
            arrays = [arrow.array(list(column), one.type) for column, one in zip(rows, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            yield pipe.taken()
    yield pipe.taken()


WRITERS: dict[Format, Writer] = {
    Format.CSV: Writer("text/csv; charset=utf-8", _csv),
    Format.NDJSON: Writer("application/x-ndjson", _ndjson),
    Format.PARQUET: Writer("application/vnd.apache.parquet", _parquet),
}

FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {writer.media_type: {"schema": {"type": "string"}} for writer in WRITERS.values()}},
    501: {"description": "The library that writes Parquet is not installed."},
}
"""What a route that sends a table says of itself (`responses=`), with `response_class=StreamingResponse`."""
