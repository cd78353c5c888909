"""The law of the backtest: what it says would have happened is what the service does."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.simulation import Simulation
from services.trigger.domain.lint import check
from services.trigger.domain.model import Decision
from services.trigger.worker.publisher import Publisher, read_folder
from shared.contracts.deliveries import DeliveryHandedOver
from shared.contracts.envelope import Event
from shared.contracts.model import Channel
from shared.contracts.surveys import SurveyRequested
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.changed import replace
from tests.support.databases import OpenDatabase
from tests.support.histories import (
    BEGINS,
    DAYS,
    KEEPING,
    PROGRAMMES,
    Told,
    history,
    told_at_customers,
    touchpoint,
    write_programmes,
)
from tests.support.trigger import DEFAULTS, World

ORGANISATION = replace(DEFAULTS, locales=("en",))
ENDS = BEGINS + timedelta(days=DAYS + 5)
Said = tuple[Any, ...]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_programmes(tmp_path / "programmes", [*PROGRAMMES, *KEEPING])


async def _live(world: World, told: list[Told]) -> tuple[Counter[Said], set[Said]]:
    """The service takes each event when it happens, and wakes whenever something is due."""
    handed: set[str] = set()
    for one in told:
        await world.until(one[0])
        await _arrive(world, handed)
        data = touchpoint(one)
        await world.handle([Event(one[1], "/crm", one[2], one[0], "", "k", data)])
        await world.due()
    await world.until(ENDS)
    async with world.db.read() as conn:
        lines = await conn.fetch(
            "select at, programme, outcome, reason, step, plan_id, contact_id, shadow from decisions"
        )
        plans = await conn.fetch("select id, state, reason, due_at, waits_for from plans")
    return Counter(tuple(line.values()) for line in lines), {tuple(plan.values()) for plan in plans}


async def _arrive(world: World, handed: set[str]) -> None:
    """Every mail that was asked for has been handed over by now."""
    for survey in await world.said(SurveyRequested):
        if survey.survey_id not in handed:
            handed.add(survey.survey_id)
            await world.hear(
                DeliveryHandedOver(
                    delivery_id=survey.survey_id, version=1, survey_id=survey.survey_id,
                    channel=Channel.EMAIL, snapshot=survey.snapshot, at=survey.requested_at,
                )
            )  # fmt: skip


def _simulated(folder: Path, sealer: Sealer, told: list[Told]) -> tuple[Counter[Said], set[Said], int]:
    lines: Counter[Said] = Counter()

    def note(at: datetime, decision: Decision) -> None:
        lines[
            at, decision.programme, str(decision.outcome), decision.reason and str(decision.reason),
            decision.step, decision.plan_id, decision.contact_id, decision.shadow,
        ] += 1  # fmt: skip

    editions = [c.edition for c in check(read_folder(folder), ("en",)).programmes]
    simulation = Simulation(editions, ORGANISATION, note, People(sealer.blind))
    for one in told:
        simulation.happen(one[2], "/crm", one[1], touchpoint(one), one[0])
    simulation.until(ENDS)
    plans = {
        (p.id, str(p.state), p.reason and str(p.reason), p.due_at, p.waits_for and str(p.waits_for))
        for p in simulation.diary.book.plans.values()
    }
    return lines, plans, simulation.unmatched


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.requirement("R46", "R55", "R61", "R62")
@pytest.mark.parametrize("seed", range(6))
async def test_the_backtest_decides_what_the_service_decides(
    database: OpenDatabase, clock: FixedClock, sealer: Sealer, folder: Path, seed: int
) -> None:
    clock.set(BEGINS)
    db = await database("trigger")
    publisher = Publisher(db, folder, ORGANISATION)
    assert await publisher.run() == len([*PROGRAMMES, *KEEPING])
    world = World(db, clock, sealer, publisher)
    told = told_at_customers(history(seed))
    lines, plans = await _live(world, told)
    said, ahead, unmatched = _simulated(folder, sealer, told)
    nobodys = {line for line in lines if line[3] == "not_matched"}
    assert sum(lines[line] for line in nobodys) == unmatched
    real = Counter({line: count for line, count in lines.items() if line not in nobodys})
    assert real - said == Counter(), "the service decided this, the backtest did not"
    assert said - real == Counter(), "the backtest decided this, the service did not"
    assert plans == ahead
