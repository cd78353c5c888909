"""The same id with another body on the topic of touchpoints: the first stands, and it can be found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.trigger.handlers import subscriptions
from shared.bus.model import Record
from shared.contracts.topics import Topic
from shared.runtime.clock import FakeMachine
from shared.runtime.consumer import Batch
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

ANNA = {"id": "c1", "email": "anna@kund.example"}


def record(world: World, event_id: str = "e1", *, source: str = "/crm", **data: Any) -> Record:
    """What a backend wrote; keys in whatever order they were given."""
    headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_source": source, "ce_type": "order.delivered"}
    body = {"occurred_at": world.clock.now().isoformat(), **data}
    pairs = tuple((name, value.encode()) for name, value in headers.items())
    return Record(Topic.TOUCHPOINTS, 0, 0, b"k", json.dumps(body).encode(), pairs, 0)


async def read(world: World, *records: Record) -> None:
    """One batch from the log."""
    (rules,) = subscriptions(world.sealer)
    batch = Batch(rules.routes, world.db, FakeMachine(), rules.event_of, rules.compared)
    assert await batch.handle(records) == []


async def conflicts(world: World) -> dict[str, int]:
    async with world.db.read() as conn:
        rows = await conn.fetch("select event_id, conflicts from inbox order by event_id")
    return {row["event_id"]: row["conflicts"] for row in rows}


def counted() -> float:
    labels = {"source": "kafka", "result": "conflict"}
    return REGISTRY.get_sample_value("afterword_trigger_webhooks_total", labels) or 0.0


@pytest.mark.requirement("R53")
@pytest.mark.parametrize("at_once", [True, False])
async def test_another_body_under_a_known_id_is_recorded_and_the_first_stands(
    blank_site: Site, at_once: bool
) -> None:
    world, before = blank_site.world, counted()
    first = record(world, contact=ANNA, product="Press")
    other = record(world, contact=ANNA, product="Saw")
    for part in [[first, other]] if at_once else [[first], [other]]:
        await read(world, *part)
    assert await conflicts(world) == {"e1": 1}
    assert counted() == before + 1
    async with world.db.read() as conn:
        assert await conn.fetchval("select subject from participants") == "product:Press"
    async with await blank_site.with_key(Scope.DECISIONS_READ) as client:
        told = (await client.get("/v1/decisions", params={"event": "e1"})).json()["decisions"]
    assert sum("something else came under the id" in line["sentence"] for line in told) == 1
    async with await blank_site.signed_in(Role.REP) as client:
        assert "something else came under the id" in (await client.get("/why", params={"q": "e1"})).text


async def test_one_that_comes_again_and_again_is_counted_each_time_and_told_once(world: World) -> None:
    await read(world, record(world, contact=ANNA))
    for _ in range(3):
        await read(world, record(world, contact=ANNA, product="Saw"))
    assert await conflicts(world) == {"e1": 3}
    assert (
        len([e for e in await world.ledger() if "something else" in str(e.decision.inputs.get("why"))]) == 1
    )


async def test_the_same_said_again_in_another_layout_or_under_another_source_is_no_conflict(
    world: World,
) -> None:
    await read(world, record(world, contact=ANNA, product="Press"))
    same = record(world, product="Press", contact=dict(reversed(ANNA.items())), brand_new_field=1)
    await read(world, same, same, record(world, source="/shop", contact=ANNA, product="Saw"))
    async with world.db.read() as conn:
        assert await conn.fetchval("select sum(conflicts) from inbox") == 0
