"""Cells: histograms and counts that are only ever added to, in key order."""

from __future__ import annotations

from services.scoring.domain.histogram import BUCKETS
from services.scoring.domain.rollups import Cell, Deltas, RateCell, RateDeltas
from shared.db.database import Connection

_ALL_SECONDS = 600.0
"""For an operator who compares all cells; no page reads them all."""

_BUCKETS = [f"b{number}" for number in range(BUCKETS)]
_ADD_CELLS = f"""
insert into score_cells as held
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[],
    {", ".join(f"${number}::int[]" for number in range(6, 6 + BUCKETS))})
on conflict (metric, family, rollup, value, day) do update set
    {", ".join(f"{bucket} = held.{bucket} + excluded.{bucket}" for bucket in _BUCKETS)}
"""  # noqa: S608 - names of our own columns
_ADD_RATES = """
insert into rate_cells as held
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::date[], $5::int[], $6::int[], $7::int[], $8::int[])
on conflict (family, rollup, value, day) do update set
    requested = held.requested + excluded.requested,
    handed_over = held.handed_over + excluded.handed_over,
    answered = held.answered + excluded.answered,
    held = held.held + excluded.held
"""
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
    rows = [(*cell, *deltas[cell]) for cell in sorted(deltas)]
    await conn.execute(_ADD_CELLS, *zip(*rows, strict=True))
    touched = sorted(
        {(cell.metric, cell.family, cell.value) for cell in deltas if cell.rollup == "programme"}
    )
    if touched:
        await conn.execute(_TOUCH_HEADLINES, *zip(*touched, strict=True))


async def add_rates(conn: Connection, deltas: RateDeltas) -> None:
    """Add to the cells of response rates."""
    if deltas:
        rows = [(*cell, *deltas[cell]) for cell in sorted(deltas)]
        await conn.execute(_ADD_RATES, *zip(*rows, strict=True))


async def all_scores(conn: Connection) -> Deltas:
    """Every cell of scores as it is kept."""
    rows = await conn.fetch("select * from score_cells", timeout=_ALL_SECONDS)
    return {Cell(*row[:5]): list(row[5:]) for row in map(tuple, rows)}


async def all_rates(conn: Connection) -> RateDeltas:
    """Every cell of rates as it is kept."""
    rows = await conn.fetch("select * from rate_cells", timeout=_ALL_SECONDS)
    return {RateCell(*row[:4]): list(row[4:]) for row in map(tuple, rows)}


async def clear_cells(conn: Connection) -> None:
    """Empty all cells; writers wait until the rebuild has committed, readers see the old cells until then."""
    await conn.execute("lock table answer_facts, asks, score_cells, rate_cells in exclusive mode")
    await conn.execute("delete from score_cells")
    await conn.execute("delete from rate_cells")
