"""Tables as files: CSV for spreadsheets, NDJSON for programs, Parquet for analysis. All made page by page."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

import msgspec
from typing_extensions import override

from services.collector.domain.tables import Cell, Column, Kind, harmless, row

Items = AsyncIterator[list[dict[str, Any]]]
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
    write: Callable[[Items, Sequence[Column]], AsyncIterator[bytes]]


async def _csv(pages: Items, shape: Sequence[Column]) -> AsyncIterator[bytes]:
    """Comma, CRLF, UTF-8 (RFC 4180); texts that could be formulas are disarmed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(BOM)
    writer.writerow([column.name for column in shape])
    async for items in pages:
        writer.writerows([_plain(cell) for cell in row(item, shape)] for item in items)
        yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    """What was written since the last time."""
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written


def _plain(cell: Cell) -> str | int | None:
    match cell:
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.isoformat()
        case str():
            return harmless(cell)
        case _:
            return cell


async def _ndjson(pages: Items, _: Sequence[Column]) -> AsyncIterator[bytes]:
    """One answer a line, as `GET /v1/responses` gives it."""
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


async def _parquet(pages: Items, shape: Sequence[Column]) -> AsyncIterator[bytes]:
    # Sixty megabytes of library that only this needs: loaded when somebody asks for the first file.
    arrow, files = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    kinds = {
        Kind.TEXT: arrow.string(), Kind.NUMBER: arrow.int16(), Kind.TRUTH: arrow.bool_(),
        Kind.INSTANT: arrow.timestamp("us", tz="UTC"),
    }  # fmt: skip
    schema = arrow.schema([(column.name, kinds[column.kind]) for column in shape])
    pipe = _Pipe()
    with files.ParquetWriter(pipe, schema) as writer:
        async for items in pages:
            cells = zip(*(row(item, shape) for item in items), strict=True)
            arrays = [arrow.array(list(column), one.type) for column, one in zip(cells, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            yield pipe.taken()
    yield pipe.taken()


WRITERS: dict[Format, Writer] = {
    Format.CSV: Writer("text/csv; charset=utf-8", _csv),
    Format.NDJSON: Writer("application/x-ndjson", _ndjson),
    Format.PARQUET: Writer("application/vnd.apache.parquet", _parquet),
}
