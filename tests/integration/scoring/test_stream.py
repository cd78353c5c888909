"""Answers, amendments, holds, withdrawals and erasures in any order, twice and late: cells stay exact.

The oracle keeps the newest version of each response in a dict and counts by hand; the service is also made
to count its own facts once more. The large run is `pytest -m chaos tests/integration/scoring`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from random import Random  # noqa: TID251 - seeded: the same story each time
from typing import Any

import pytest

from services.scoring.domain.rollups import JOINT, PAIRS, SINGLES
from services.scoring.store.recount import check_cells, rebuild_cells
from shared.contracts.directory import ContactErased
from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Family, Payload, Persona, Snapshot, Tier
from shared.contracts.responses import (
    Answered,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseSubmitted,
)
from shared.runtime.ids import derive
from tests.support.scoring import AT, Scoring, answer, handed_over, requested, snapshot, withdrawn

KINDS: Sequence[type[Answered]] = (
    ResponseSubmitted, ResponseSubmitted, ResponseAmended, ResponseHeld, ResponseReleased,
)  # fmt: skip
METRICS = (QuestionType.NPS, QuestionType.NPS5, QuestionType.CSAT, QuestionType.CES)
BATCH = 1000


@dataclass
class World:
    """Draws what happens and remembers what should count."""

    draw: Random
    responses: int
    newest: dict[int, tuple[int, Answered | None]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    versions: Counter[int] = field(default_factory=Counter)
    told: list[Payload] = field(default_factory=list)

    def events(self) -> Iterator[Payload]:
        """One after the other; every twentieth is something that was told before."""
        while True:
            if self.told and self.draw.random() < 0.05:
                yield self.draw.choice(self.told)
                continue
            payload = self._next()
            self.told.append(payload)
            yield payload

    def _next(self) -> Payload:
        number, chance = self.draw.randrange(self.responses), self.draw.random()
        if chance < 0.01:
            contact = self._contact(number)
            self.erased.add(contact)
            return ContactErased(contact_id=contact, version=1, erased_at=AT)
        if chance < 0.1:
            return requested(number, AT, self._snapshot(number))
        if chance < 0.2:
            return handed_over(number, AT + timedelta(days=number % 3))
        # Versions come early and late: any of the next five that was not told yet.
        self.versions[number] += 1
        version = self.versions[number] * 5 + self.draw.randrange(25)
        payload = self._answer(number, version) if chance < 0.9 else withdrawn(number, version)
        known = self.newest.get(number)
        if known is None or known[0] < version:
            self.newest[number] = (version, payload if isinstance(payload, Answered) else None)
        return payload

    def _answer(self, number: int, version: int) -> Answered:
        metric = METRICS[number % 4]
        low, high = SCALES[metric]
        return answer(
            number, self.draw.randint(low, high), version=version, kind=self.draw.choice(KINDS),
            type_=metric, snapshot=self._snapshot(number), at=AT - timedelta(days=number % 9),
        )  # fmt: skip

    def _contact(self, number: int) -> str:
        return str(derive("contact", number % (self.responses // 3)))

    def _snapshot(self, number: int) -> Snapshot:
        return snapshot(
            f"programme-{number % 7}", family=list(Family)[number % 3], contact_id=self._contact(number),
            tier=[*Tier, None][number % 4], persona=[*Persona, None][number % 3],
            product=("", "suite", "connect")[number % 3], industry=f"industry {number % 5}",
            context={"carrier": ("DHL", "UPS", "")[number % 3], "release": f"{number % 4}.0", "secret": "x"},
            breakdown=("carrier", "release", "unknown"),
        )  # fmt: skip

    def expected(self) -> Counter[tuple[Any, ...]]:
        """Answers by metric, family, rollup, value, day and answer, counted one by one."""
        found: Counter[tuple[Any, ...]] = Counter()
        for _, payload in self.newest.values():
            if payload is None or isinstance(payload, ResponseHeld):
                continue
            snap, given = payload.snapshot, payload.scores[0]
            base = (given.type.value, snap.family.value)
            for rollup, value in self._values(snap):
                found[*base, rollup, value, payload.first_at.date(), given.value] += 1
        return found

    def _values(self, snap: Snapshot) -> Iterator[tuple[str, str]]:
        yield "total", ""
        for names in (*SINGLES, *PAIRS):
            values = [str(getattr(snap, name) or "") for name in names]
            if all(values):
                yield "+".join(names), JOINT.join(values)
        if snap.contact_id not in self.erased:
            for name in ("carrier", "release"):
                if snap.context[name]:
                    yield f"programme+context.{name}", f"{snap.programme}{JOINT}{snap.context[name]}"


async def _counted(scoring: Scoring) -> Counter[tuple[Any, ...]]:
    return Counter({
        (*key, place + SCALES[QuestionType(key[0])][0]): times
        for key, counts in (await scoring.cells()).items()
        for place, times in enumerate(counts)
        if times
    })  # fmt: skip


@pytest.mark.requirement("R1", "R2", "R6", "R57", "R61", "R67")
@pytest.mark.parametrize(
    "events",
    [
        pytest.param(3_000, marks=pytest.mark.timeout(300), id="3,000"),
        pytest.param(100_000, marks=[pytest.mark.chaos, pytest.mark.timeout(3600)], id="100,000"),
    ],
)
async def test_the_stream_counts_what_a_recount_counts(scoring: Scoring, events: int) -> None:
    world = World(Random(events), responses=events // 4)
    told = islice(world.events(), events)
    while batch := list(islice(told, BATCH)):
        assert await scoring.take(*batch) == 0
    cells, rates = await _counted(scoring), await scoring.rates()
    assert cells == world.expected()
    assert world.erased
    assert any(key[2] == "programme+context.carrier" for key in cells)
    async with scoring.db.begin() as tx:
        checked = await check_cells(tx)
    assert (checked.wrong, checked.facts) == ([], len(world.newest))
    async with scoring.db.begin() as tx:
        await rebuild_cells(tx)
    assert (await _counted(scoring), await scoring.rates()) == (cells, rates)


async def test_a_damaged_cell_is_found_and_mended(scoring: Scoring) -> None:
    await scoring.take(answer(1, 9), answer(2, 3))
    async with scoring.db.begin() as tx:
        await tx.conn.execute("update score_cells set b9 = b9 + 1 where rollup = 'tier'")
        await tx.conn.execute("delete from rate_cells where rollup = 'owner'")
    async with scoring.db.begin() as tx:
        found = (await check_cells(tx)).wrong
    assert [(one.cell[-3], sum(one.kept), sum(one.counted)) for one in found] == [
        ("tier", 3, 2),
        ("owner", 0, 2),
    ]
    async with scoring.db.begin() as tx:
        await rebuild_cells(tx)
    async with scoring.db.begin() as tx:
        assert (await check_cells(tx)).wrong == []
