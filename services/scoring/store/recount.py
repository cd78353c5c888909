"""All sums counted once more from facts and asks: to compare with those kept, or to replace them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from services.scoring.domain import rollups
from services.scoring.domain.asks import Ask
from services.scoring.domain.facts import Fact
from services.scoring.domain.rollups import Key, by_month
from services.scoring.store import cells, fates
from services.scoring.store.asks import asks_after
from services.scoring.store.facts import facts_after
from shared.db.database import Connection, Tx

AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell, or an account's fate, that is not what facts and asks say; a missing cell has no counts."""

    cell: tuple[object, ...]
    kept: Sequence[int]
    counted: Sequence[int]
    whole_month: bool = False
    """Whether it is the cell of a closed month, which begins on its day."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Facts that were counted, cells that were compared, and those that are wrong."""

    facts: int
    cells: int
    wrong: Sequence[Wrong]


async def rebuild_cells(tx: Tx) -> int:
    """Count all cells anew from facts and asks; returns how many facts there are.

    The result is what was there before unless a rollup was added or a cell was damaged.
    """
    await _take_your_time(tx.conn)
    await cells.clear_cells(tx.conn)
    done = 0
    async for facts in _facts(tx.conn):
        await cells.add_scores(tx.conn, rollups.deltas([], facts))
        await cells.add_rates(tx.conn, rollups.fact_rates([], facts))
        done += len(facts)
    async for asks in _asks(tx.conn):
        await cells.add_rates(tx.conn, rollups.ask_rates([], asks))
    await fates.count_all(tx.conn)
    return done


async def check_cells(tx: Tx) -> Checked:
    """Count all cells in memory, as of one moment, and compare; nothing is locked or changed."""
    await tx.conn.execute("set transaction isolation level repeatable read, read only")
    await _take_your_time(tx.conn)
    scores: rollups.Deltas = {}
    rates: rollups.RateDeltas = {}
    done = 0
    async for facts in _facts(tx.conn):
        _add(scores, rollups.deltas([], facts))
        _add(rates, rollups.fact_rates([], facts))
        done += len(facts)
    async for asks in _asks(tx.conn):
        _add(rates, rollups.ask_rates([], asks))
    wrong: list[Wrong] = _different(await cells.all_scores(tx.conn), scores)
    wrong += _different(await cells.all_rates(tx.conn), rates)
    score_months, rate_months, before = await cells.all_months(tx.conn)
    monthly, rated = by_month(scores, before), by_month(rates, before)
    wrong += _different(score_months, monthly, whole_month=True)
    wrong += _different(rate_months, rated, whole_month=True)
    wrong += [Wrong(("fate", *of), kept, anew) for of, kept, anew in await fates.wrong(tx.conn)]
    return Checked(done, len(scores) + len(rates) + len(monthly) + len(rated), wrong)


async def _take_your_time(conn: Connection) -> None:
    """What guards the service against a stuck transaction would cut an operator's long one short."""
    await conn.execute("set local idle_in_transaction_session_timeout = 0")
    await conn.execute("set local statement_timeout = 0")


def _add(to: dict[Key, list[int]], more: Mapping[Key, list[int]]) -> None:
    for cell, counts in more.items():
        known = to.get(cell)
        to[cell] = [a + b for a, b in zip(known, counts, strict=True)] if known else counts


def _different(
    kept: Mapping[Key, Sequence[int]], counted: Mapping[Key, Sequence[int]], *, whole_month: bool = False
) -> list[Wrong]:
    found = []
    for cell in sorted({*kept, *counted}):
        is_kept, is_counted = kept.get(cell, []), counted.get(cell, [])
        if is_kept != is_counted and (any(is_kept) or any(is_counted)):
            found.append(Wrong(cell, is_kept, is_counted, whole_month))
    return found


async def _facts(conn: Connection) -> AsyncIterator[list[Fact]]:
    last = None
    while facts := await facts_after(conn, last, AT_ONCE):
        yield facts
        last = facts[-1].response_id


async def _asks(conn: Connection) -> AsyncIterator[list[Ask]]:
    last = None
    while asks := await asks_after(conn, last, AT_ONCE):
        yield asks
        last = asks[-1].survey_id
