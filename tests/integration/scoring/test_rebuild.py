"""Whatever order answers, amendments, holds and withdrawals come in: cells are what the facts say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scoring.store.recount import rebuild_cells
from shared.contracts.model import Payload, Tier
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased, ResponseSubmitted
from tests.support.scoring import AT, Scoring, answer, handed_over, requested, snapshot, withdrawn

TIERS = (Tier.SMALL, Tier.KEY, Tier.PREMIUM)
KINDS = (ResponseSubmitted, ResponseAmended, ResponseHeld, ResponseReleased, None)


@dataclass(frozen=True)
class Told:
    """One version of one response; a kind of None is a withdrawal."""

    number: int
    version: int
    kind: int
    value: int

    @property
    def tier(self) -> Tier:
        return TIERS[self.number % 3]

    @property
    def counts(self) -> bool:
        return KINDS[self.kind] not in (None, ResponseHeld)

    def payload(self) -> Payload:
        snap = snapshot(tier=self.tier)
        kind = KINDS[self.kind]
        if kind is None:
            return withdrawn(self.number, self.version, snap)
        return answer(self.number, self.value, version=self.version, kind=kind, snapshot=snap)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Told]]:
    """Batches of deliveries: versions of a few responses, some twice, in any order."""
    told = [
        Told(number, version, draw(st.integers(0, len(KINDS) - 1)), draw(st.integers(0, 10)))
        for number in range(draw(st.integers(1, 5)))
        for version in range(1, draw(st.integers(1, 4)) + 1)
    ]
    repeated = told + draw(st.lists(st.sampled_from(told), max_size=4))
    order = draw(st.permutations(repeated))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)))
    return [batch for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if (batch := order[a:b])]


async def _empty(scoring: Scoring) -> None:
    async with scoring.db.begin() as tx:
        await tx.conn.execute("truncate answer_facts, score_cells, rate_cells, headlines, asks, inbox")


async def _rebuilt(scoring: Scoring) -> int:
    async with scoring.db.begin() as tx:
        return await rebuild_cells(tx)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
async def test_cells_equal_what_the_newest_versions_say(scoring: Scoring, history: list[list[Told]]) -> None:
    await _empty(scoring)
    for batch in history:
        await scoring.take(*(told.payload() for told in batch))
    newest: dict[int, Told] = {}
    for told in (told for batch in history for told in batch):
        if told.number not in newest or newest[told.number].version < told.version:
            newest[told.number] = told
    expected = Counter((told.tier.value, told.value) for told in newest.values() if told.counts)
    cells = await scoring.cells()
    found = Counter({
        (key[3], value): times
        for key, counts in cells.items()
        if key[2] == "tier"
        for value, times in enumerate(counts)
        if times
    })  # fmt: skip
    assert found == expected
    rates = await scoring.rates()
    assert sum(counts[2] for key, counts in rates.items() if key[1] == "total") == expected.total()

    assert await _rebuilt(scoring) == len(newest)
    assert (await scoring.cells(), await scoring.rates()) == (cells, rates)


@pytest.mark.requirement("R57")
async def test_a_rebuild_counts_who_was_asked_too(scoring: Scoring) -> None:
    await scoring.take(requested(1), requested(2), handed_over(1, AT), answer(1, 9))
    before = await scoring.cells(), await scoring.rates()
    async with scoring.db.begin() as tx:
        await tx.conn.execute("update score_cells set b0 = b0 + 7")
        await tx.conn.execute("delete from rate_cells")
    assert await _rebuilt(scoring) == 1
    assert (await scoring.cells(), await scoring.rates()) == before
