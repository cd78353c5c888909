"""Cells: histograms and counts that are only ever added to, in key order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.scoring.domain.histogram import BUCKETS
from services.scoring.domain.rollups import Cell, Deltas, Key, RateCell, RateDeltas, by_month
from services.scoring.store import months
from shared.db.database import Connection

_ALL_SECONDS = 600.0
"""For an operator who compares all cells; no page reads them all."""

_TABLES = ("score_cells", "score_months", "rate_cells", "rate_months")
_BUCKETS = [f"b{number}" for number in range(BUCKETS)]
_COUNTS = ("requested", "handed_over", "answered", "held")


def _add(table: str, key: str, kinds: str, counts: Sequence[str]) -> str:
    """Add rows to those of a table that have the same key."""
    types = [*kinds.split(), *["int"] * len(counts)]
    sums = ", ".join(f"{name} = known.{name} + excluded.{name}" for name in counts)
    return f"""
    insert into {table} as known
    select * from unnest({", ".join(f"${number}::{of}[]" for number, of in enumerate(types, 1))})
    on conflict ({key}) do update set {sums}
    """  # noqa: S608 - names of our own


def _add_scores(table: str, day: str) -> str:
    return _add(table, f"metric, family, rollup, value, {day}", "text text text text date", _BUCKETS)


def _add_rates(table: str, day: str) -> str:
    return _add(table, f"family, rollup, value, {day}", "text text text date", _COUNTS)


_ADD_SCORES = _add_scores("score_cells", "day"), _add_scores("score_months", "month")
_ADD_RATES = _add_rates("rate_cells", "day"), _add_rates("rate_months", "month")
_TOUCH_HEADLINES = """
insert into headlines as held (metric, family, programme, version)
select metric, family, programme, 1
from unnest($1::text[], $2::text[], $3::text[]) as t (metric, family, programme)
on conflict (metric, family, programme) do update set version = held.version + 1
"""


async def add_scores(conn: Connection, deltas: Deltas) -> None:
    """Add to the cells of scores, and mark the headlines that changed."""
    if not deltas:
        return
    await _add_each(conn, _ADD_SCORES, deltas)
    touched = sorted(
        {(cell.metric, cell.family, cell.value) for cell in deltas if cell.rollup == "programme"}
    )
    if touched:
        await conn.execute(_TOUCH_HEADLINES, *zip(*touched, strict=True))


async def add_rates(conn: Connection, deltas: RateDeltas) -> None:
    """Add to the cells of response rates."""
    if deltas:
        await _add_each(conn, _ADD_RATES, deltas)


async def _add_each(
    conn: Connection, statements: tuple[str, str], deltas: Mapping[Key, Sequence[int]]
) -> None:
    """To the days, and to those months that are closed."""
    late = by_month(deltas, await months.hold(conn))
    for statement, changes in zip(statements, (deltas, late), strict=True):
        if changes:
            rows = [(*cell, *changes[cell]) for cell in sorted(changes)]
            await conn.execute(statement, *zip(*rows, strict=True))


async def all_scores(conn: Connection) -> Deltas:
    """Every cell of scores as it is kept."""
    return {Cell(*row[:5]): list(row[5:]) for row in await _all(conn, "score_cells")}


async def all_rates(conn: Connection) -> RateDeltas:
    """Every cell of rates as it is kept."""
    return {RateCell(*row[:4]): list(row[4:]) for row in await _all(conn, "rate_cells")}


async def all_months(conn: Connection) -> tuple[Deltas, RateDeltas, date]:
    """Every month's cell as it is kept, and the first day of which there is none."""
    scores = {Cell(*row[:5]): list(row[5:]) for row in await _all(conn, "score_months")}
    rates = {RateCell(*row[:4]): list(row[4:]) for row in await _all(conn, "rate_months")}
    return scores, rates, await months.closed_before(conn)


async def _all(conn: Connection, table: str) -> list[tuple[Any, ...]]:
    rows = await conn.fetch(f"select * from {table}", timeout=_ALL_SECONDS)  # noqa: S608 - a table of ours
    return [tuple(row) for row in rows]


async def clear_cells(conn: Connection) -> None:
    """Empty all cells; writers wait until the rebuild has committed, readers see the old cells until then.

    Closed months stay closed: they are counted with their days.
    """
    await conn.execute("lock table answer_facts, asks, fates, closed_months in exclusive mode")
    await conn.execute(f"lock table {', '.join(_TABLES)} in exclusive mode")
    for table in _TABLES:
        await conn.execute(f"delete from {table}")  # noqa: S608 - a table of ours
