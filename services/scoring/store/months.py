"""Closed months: cells of days that are kept by month, too, once the month is over.

The cells of a month are added up when it is closed. What comes for it later, as an amendment, a hold or an
erasure, is added to its days and to it in one transaction, so both always say the same. Answers of today
cost nothing more: an open month is read from its days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import BUCKETS
from services.scoring.domain.months import cut
from services.scoring.domain.periods import Step, next_start, start_of
from services.scoring.store import fates
from shared.db.database import Connection, Tx, remembered

_CLOSED = "months closed before"
_LOCK = "lock table closed_months in {} mode"
_BUCKETS = ", ".join(f"sum(b{number})" for number in range(BUCKETS))
_ANY = " or ".join(f"sum(b{number}) <> 0" for number in range(BUCKETS))
_COUNTS = ("requested", "handed_over", "answered", "held")
# Asked once, before the first month is closed: all cells are read for it.
_OLDEST = """
select date_trunc('month', least((select min(day) from score_cells), (select min(day) from rate_cells)))::date
"""
_SCORES = f"""
insert into score_months
select metric, family, rollup, value, $1::date, {_BUCKETS} from score_cells where day >= $1 and day < $2
group by metric, family, rollup, value having {_ANY}
"""  # noqa: S608 - names of our own columns
_RATES = f"""
insert into rate_months
select family, rollup, value, $1::date, {", ".join(f"sum({name})" for name in _COUNTS)} from rate_cells
where day >= $1 and day < $2
group by family, rollup, value having {" or ".join(f"sum({name}) <> 0" for name in _COUNTS)}
"""  # noqa: S608 - as above


def cells(kind: str, keys: str, counts: Sequence[str], where: str, at: int) -> str:
    """A statement that adds up cells of some spans: their number, the keys, the counts.

    Args:
        kind: `score` or `rate`.
        keys: columns that say what is counted.
        counts: columns to add up.
        where: which cells.
        at: number of the first of the parameters that `pieces` gives.
    """
    # For each piece by itself (offset 0): joined at once, all cells of a rollup are held against each piece.
    columns = f"{keys}, {', '.join(counts)}"
    n, sign, first, last, m, begins, ends = range(at, at + 7)
    return f"""
    select n, {keys}, {", ".join(f"sum(sign * {name})::bigint" for name in counts)} from (
        select n, sign, found.* from unnest(${n}::int[], ${sign}::int[], ${first}::date[], ${last}::date[])
            as piece (n, sign, first, last)
        cross join lateral (
            select {columns} from {kind}_cells where {where} and day between piece.first and piece.last
            offset 0
        ) as found
        union all
        select n, 1, found.* from unnest(${m}::int[], ${begins}::date[], ${ends}::date[])
            as piece (n, first, last)
        cross join lateral (
            select {columns} from {kind}_months where {where} and month between piece.first and piece.last
            offset 0
        ) as found
    ) as cells
    group by n, {keys} having {" + ".join(f"sum(sign * {name})" for name in counts)} > 0
    order by n, {keys}
    """  # noqa: S608 - texts of ours


async def pieces(conn: Connection, spans: Sequence[Span]) -> Sequence[Sequence[object]]:
    """What spans are read from, as parameters of such a statement.

    Months that are closed stay closed, so it does not matter that this is asked apart from the statement, or
    was asked before.
    """
    before = await _closed_before(conn, max((span.last for span in spans), default=date.min))
    cuts = [(number, cut(span, before)) for number, span in enumerate(spans)]
    days = [(number, *part) for number, found in cuts for part in found.days]
    whole = [(number, *found.months) for number, found in cuts if found.months]
    return [*_columns(days, 4), *_columns(whole, 3)]


async def _closed_before(conn: Connection, last: date) -> date:
    """As `closed_before`; asked again only where a whole month up to this day may have been closed since."""
    known = remembered(conn)
    before: date | None = known.get(_CLOSED)
    if before is None or next_start(before, Step.MONTH) - timedelta(days=1) <= last:
        known[_CLOSED] = before = await closed_before(conn)
    return before


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


async def hold(conn: Connection) -> date:
    """As `closed_before`, for who writes cells: no month is closed until the transaction is over."""
    await conn.execute(_LOCK.format("row share"))
    return await closed_before(conn)


async def closed_before(conn: Connection) -> date:
    """The first day of which cells are kept by day alone."""
    before: date = await conn.fetchval("select before from closed_months")
    return before


async def close_one(tx: Tx) -> bool:
    """Close the oldest open month that is over by business time; False where there is none.

    The first time no month is added up: what lies before the first cell is closed as it is. Fates are then
    counted once more, for a process of a version that knew neither may have written until now.
    """
    until = start_of(tx.now.date(), Step.MONTH)
    before = await closed_before(tx.conn)
    if before >= until:
        return False
    if before == date.min:
        await fates.count_all(tx.conn)
    await tx.conn.execute(_LOCK.format("exclusive"))
    before = await closed_before(tx.conn)
    if before == date.min:
        after = min(await tx.conn.fetchval(_OLDEST) or until, until)
    elif before < until:
        after = next_start(before, Step.MONTH)
        await tx.conn.execute(_SCORES, before, after)
        await tx.conn.execute(_RATES, before, after)
    else:
        return False
    await tx.conn.execute("update closed_months set before = $1", after)
    return True
