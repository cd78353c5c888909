"""Months that are over are kept as one cell each: long spans read less and say the very same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product
from typing import Any

import asyncpg
import pytest

from services.scoring.domain.asking import Question, Span, ask
from services.scoring.domain.histogram import Metric
from services.scoring.store import months, queries
from services.scoring.store.cells import all_months
from services.scoring.store.headlines import all_headlines
from services.scoring.store.recount import check_cells, rebuild_cells
from services.scoring.worker.headlines import closing
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased
from shared.runtime.clock import FakeMachine, FixedClock
from tests.support.scoring import AT, Scoring, answer, handed_over, requested, snapshot, withdrawn

DAYS = 150


async def _close(scoring: Scoring) -> int:
    """Close every month that is over; how many rounds it took."""
    close, rounds = closing(scoring.db), 0
    while await close():
        rounds += 1
    return rounds


async def _history(scoring: Scoring) -> None:
    """An answer and an ask a day, by two programmes, over five months."""
    told = []
    for number in range(DAYS):
        at = AT - timedelta(days=number)
        snap = snapshot(("renewal", "support")[number % 2])
        told += [
            requested(number, at, snap), handed_over(number, at),
            answer(number, number * 7 % 11, at=at, first_at=at, asked_at=at, snapshot=snap),
        ]  # fmt: skip
    await scoring.take(*told)


async def _seen(scoring: Scoring) -> list[object]:
    """What pages ask for, over spans that begin and end in and between months."""
    ends = [date(2025, 10, 1), date(2025, 11, 1), date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 17),
            date(2026, 2, 28), date(2026, 3, 3)]  # fmt: skip
    spans = [Span(), *(Span(first, last) for first, last in product(ends, ends) if first <= last)]
    found: list[object] = []
    async with scoring.db.read() as conn:
        for span in spans:
            found += [
                await queries.scores(conn, Question("programme", span=span)),
                await queries.scores(conn, ask(programme="renewal", dimension="tier", span=span)),
                await queries.rates(conn, "programme", span),
                await queries.rates(conn, "total", span, prefix="", exact=True),
            ]
        found.append(await queries.scores_in(conn, ask(metric=Metric.NPS), spans))
        found.append(await all_headlines(conn))
    return found


async def test_spans_say_the_same_whether_months_are_closed_or_not(scoring: Scoring) -> None:
    await _history(scoring)
    before = await _seen(scoring)
    assert await _close(scoring) == 6
    assert await _seen(scoring) == before
    assert await scoring.rows("select before::text from closed_months") == [("2026-03-01",)]
    assert await _close(scoring) == 0


async def test_whole_months_are_read_as_one_row_each(scoring: Scoring) -> None:
    await _history(scoring)
    await _close(scoring)
    async with scoring.db.begin() as tx:
        # Whoever still read the days of a closed month would see these.
        await tx.conn.execute("update score_cells set b0 = b0 + 1000 where day < '2026-03-01'")
        (found,) = await queries.scores(tx.conn, Question("total", "", exact=True, span=Span()))
        cut = Span(date(2025, 12, 31), date(2026, 2, 28))
        (edge,) = await queries.scores(tx.conn, Question("total", "", exact=True, span=cut))
        assert found.histogram.n == DAYS
        assert edge.histogram.n == 1000 + 1 + 31 + 28


async def test_who_knew_no_closed_month_reads_those_that_were_closed_since(scoring: Scoring) -> None:
    await _history(scoring)
    asked = Question("total", "", exact=True, span=Span(date(2025, 12, 1), date(2026, 3, 3)))
    async with scoring.db.read() as conn:
        (days,) = await queries.scores(conn, asked)
        await _close(scoring)
        async with scoring.db.begin() as tx:
            await tx.conn.execute("update score_cells set b0 = b0 + 1000 where day < '2026-03-01'")
        (whole,) = await queries.scores(conn, asked)
    assert whole == days


async def test_what_comes_late_for_a_closed_month_is_in_its_days_and_in_it(scoring: Scoring) -> None:
    await _history(scoring)
    await _close(scoring)
    old = AT - timedelta(days=70)
    snap = snapshot("support")
    said: dict[str, Any] = {"at": AT, "first_at": old, "asked_at": old, "snapshot": snap}
    await scoring.take(
        answer(900, 9, **said), answer(901, 2, **said), answer(902, 10, **said), answer(903, 1, **said),
        requested(904, old, snap), handed_over(904, old),
        answer(950, 4, at=AT - timedelta(days=400), first_at=AT - timedelta(days=400)),
    )  # fmt: skip
    await scoring.take(
        answer(900, 3, version=2, kind=ResponseAmended, **said),
        answer(901, 2, version=2, kind=ResponseHeld, **said),
        answer(902, 10, version=2, kind=ResponseHeld, **said),
        withdrawn(903, 2, snap),
    )
    await scoring.take(answer(902, 10, version=3, kind=ResponseReleased, **said))
    async with scoring.db.begin() as tx:
        checked = await check_cells(tx)
    assert checked.wrong == []
    async with scoring.db.begin() as tx:
        kept = await all_months(tx.conn)
        await tx.conn.execute("update score_months set b3 = b3 + 1")
        await tx.conn.execute("delete from rate_months")
    async with scoring.db.begin() as tx:
        wrong = (await check_cells(tx)).wrong
    assert wrong
    assert all(one.whole_month for one in wrong)
    async with scoring.db.begin() as tx:
        await rebuild_cells(tx)
        scores, rates, before = await all_months(tx.conn)
    assert (_some(scores), _some(rates), before) == (_some(kept[0]), _some(kept[1]), kept[2])


async def test_months_close_as_business_time_goes_on(scoring: Scoring, clock: FixedClock) -> None:
    close = closing(scoring.db)
    assert await _close(scoring) == 1, "nothing was said yet: what is over is closed, there is nothing in it"
    await scoring.take(answer(1, 9))
    assert await close() == 0
    clock.advance(timedelta(days=40))
    assert await _close(scoring) == 1
    assert await scoring.rows("select before::text from closed_months") == [("2026-04-01",)]
    (month,) = await scoring.rows("select month::text, b9 from score_months where rollup = 'total'")
    assert month == ("2026-03-01", 1)


async def test_no_month_is_closed_while_an_earlier_version_may_still_write(scoring: Scoring) -> None:
    machine = scoring.db.machine
    assert isinstance(machine, FakeMachine)
    close = closing(scoring.db, 900)
    machine.advance(899)
    assert await close() == 0
    assert await scoring.rows("select before::text from closed_months") == [("-infinity",)]
    machine.advance(1)
    assert await close() == 1


async def test_no_month_is_closed_while_answers_are_counted(scoring: Scoring) -> None:
    """Else an answer could fall between a month's sum and its days: who counts holds the door."""
    await _history(scoring)
    async with scoring.db.begin() as counting:
        await months.hold(counting.conn)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _impatient(scoring)
    assert await _close(scoring) == 6


async def _impatient(scoring: Scoring) -> None:
    async with scoring.db.begin() as tx:
        await tx.conn.execute("set local lock_timeout = '50ms'")
        await months.close_one(tx)


def _some(cells: Mapping[Any, list[int]]) -> dict[Any, list[int]]:
    return {cell: list(counts) for cell, counts in cells.items() if any(counts)}
