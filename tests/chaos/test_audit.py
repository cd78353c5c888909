"""The auditor finds nothing wrong with a sound story, and names each wrong that is planted in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from shared.db.database import Connection
from shared.embedded.postgres import PostgresAddress
from tests.chaos.audit import audit, examine
from tests.chaos.audit.examine import CHECKS, connected
from tests.chaos.evidence import Evidence
from tests.chaos.journal import CANARY, Faulted, Outcome
from tests.chaos.planting import Plant, journalled
from tests.chaos.plants import answers, intake, others, scores, sending, tickets, timers, transport
from tests.chaos.spoiling import Scene, lived, scene

PLANTS: list[Plant] = [
    plant
    for part in (intake, timers, sending, answers, scores, tickets, transport, others)
    for plant in part.PLANTS
]
_NEED_MORE = {"logged-canary", "no-progress", "never-drained", "ready-without-dependency", "unready",
    "dead-for-a-dependency"}  # fmt: skip
_STARTED = "select array_agg(started_at order by delivery_id, number) from dispatch.attempts"
_ELSEWHERE = {"order", "isolation", "tokens"}
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("audit")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(
    postgres_server: PostgresAddress, run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Evidence:
    """The end of the story, lived once a process."""
    return await lived(postgres_server, run_folder, tmp_path_factory.mktemp("audit"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auditor(story: Evidence) -> AsyncIterator[Connection]:
    """The auditor's connection; the plans of its checks are made once."""
    conn = await connected(story.dsn)
    yield conn
    await conn.close()


@pytest_asyncio.fixture(loop_scope="module")
async def spoiled(auditor: Connection, story: Evidence) -> AsyncIterator[Scene]:
    """The story's end, to be spoiled; forgotten afterwards."""
    async with scene(auditor, story) as one:
        yield one


async def test_a_sound_story_has_no_anomaly_and_what_was_not_checked_is_named(story: Evidence) -> None:
    report = await examine(story)
    assert report.anomalies == ()
    assert {one.name for one in report.unchecked} == _NEED_MORE | _ELSEWHERE
    assert len(report.checked) == len(CHECKS) - len(_NEED_MORE)


@pytest.mark.parametrize(
    "plant", PLANTS, ids=[f"{number}-{plant.name}" for number, plant in enumerate(PLANTS)]
)
async def test_a_planted_wrong_is_called_by_its_name(spoiled: Scene, plant: Plant) -> None:
    for statement in plant.sql:
        await spoiled.conn.execute(statement)
    evidence = plant.spoil(spoiled.evidence) if plant.spoil else spoiled.evidence
    report = await spoiled.audited(evidence)
    assert {one.name for one in report.anomalies} == {plant.name, *plant.also}
    named = next(one for one in report.anomalies if one.name == plant.name)
    assert named.count >= len(named.ids) >= 1


async def test_an_attempt_written_down_while_the_clock_was_wrong_is_set_right(spoiled: Scene) -> None:
    wrong = next(plant for plant in PLANTS if plant.name == "reminded-after-answer")
    [statement] = wrong.sql
    before: list[datetime] = await spoiled.conn.fetchval(_STARTED)
    await spoiled.conn.execute(statement)
    after: list[datetime] = await spoiled.conn.fetchval(_STARTED)
    [(true, written)] = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    jump = int((written - true).total_seconds())
    assert spoiled.evidence.journal is not None
    last = spoiled.evidence.journal.operations[-1]
    fault = replace(
        last,
        deed=Faulted("clock", detail=str(jump)),
        outcome=Outcome.OK,
        sent_machine=true - timedelta(seconds=2),
        ended_machine=true + timedelta(seconds=2),
    )
    report = await spoiled.audited(
        journalled(lambda records: replace(records, operations=(*records.operations, fault)))(
            spoiled.evidence
        )
    )
    assert report.anomalies == ()


async def test_personal_data_in_a_log_are_named(story: Evidence, tmp_path: Path) -> None:
    log = tmp_path / "trigger.log"
    log.write_text(f"a line\nanother about {CANARY}jon\n")
    (found,) = await audit(replace(story, logs=(log,)))
    assert (found.name, found.ids) == ("logged-canary", (f"trigger.log: {CANARY}jon",))


async def test_every_check_is_proved_by_a_planted_wrong() -> None:
    assert {check.name for check in CHECKS} - {plant.name for plant in PLANTS} == {"logged-canary"}
