"""Rules of delivery 1, 2, 3 and 7 (`docs/mechanisms`) over every event type that any service reads.

Examples are real: they come from a story that the five services live, at the moment when they come. What the
other rules promise is proved once, in `tests/integration/runtime`.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.bus.model import Outgoing
from shared.contracts.touchpoints import PRESET_TOUCHPOINTS
from shared.embedded.postgres import PostgresAddress
from tests.support.assembled import assemble
from tests.support.databases import SERVICES, TestDatabase, cloned, ensure_template
from tests.support.house import opened, someone
from tests.support.lanes import a_log
from tests.support.made_up import every_touchpoint, everything_else
from tests.support.prover import Proofs, Sample, proving
from tests.support.story import live

pytestmark = [pytest.mark.xdist_group("delivery"), pytest.mark.timeout(300)]

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
_told: dict[str, Proofs] = {}


def samples() -> list[Sample]:
    """Every service with every event type of its subscriptions."""
    found: list[Sample] = []
    for name in SERVICES:
        for subscription in asyncio.run(assemble(name)).subscriptions:
            kinds = [kind for route in subscription.routes for kind in route.types if kind != "*"]
            found += [(name, kind) for kind in kinds]
            if any("*" in route.types for route in subscription.routes):
                found += [(name, kind) for kind in PRESET_TOUCHPOINTS]
    return found


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def proofs(
    request: pytest.FixtureRequest, postgres_server: PostgresAddress, run_folder: Path
) -> Proofs:
    """What the story proved on a log; told once a process."""
    if request.param not in _told:
        template = await ensure_template(postgres_server, SERVICES, run_folder)
        async with (
            cloned(postgres_server, template) as database,
            a_log(request.param) as log,
            opened(database, START, log) as house,
        ):
            async with proving(house) as found:
                await live(house)
                await every_touchpoint(house)
                await everything_else(house)
            _told[request.param] = found
    return _told[request.param]


@pytest.mark.parametrize(("service", "kind"), samples())
def test_an_event_has_its_effect_once(proofs: Proofs, service: str, kind: str) -> None:
    assert (service, kind) in proofs.of, "no example of this event reaches the service: add one to made_up.py"
    proof = proofs.of[service, kind]
    assert proof.broken == []
    assert proof.effects > 0, "the examples change nothing, so they prove nothing"


async def test_what_cannot_be_read_is_put_aside_by_each_reader_and_the_rest_goes_on(
    fresh_database: TestDatabase,
) -> None:
    read: dict[str, list[str]] = {}
    for name in SERVICES:
        subscriptions = (await assemble(name)).subscriptions
        read[name] = sorted(topic.value for one in subscriptions for topic in one.topics)
    async with opened(fresh_database, START) as house:
        for topic in sorted({topic for topics in read.values() for topic in topics}):
            await house.bus.produce([Outgoing(topic, b"k", b"{", (("ce_id", b"1"), ("ce_type", b"x")))])
        await house.tell("customer.signed_up", contact=someone("ana"), account={"id": "acme"})
        await house.settle()
        for name, topics in read.items():
            rows = await house.admin.fetch(f"select topic, reason from {name}.dead_letters order by topic")
            assert [row["topic"] for row in rows] == topics
            assert {row["reason"] for row in rows} == {"source: missing CloudEvents attribute"}
        assert await house.admin.fetchval("select count(*) from trigger.plans") == 1
