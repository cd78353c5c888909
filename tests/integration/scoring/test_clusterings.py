"""How alike colleagues answer is learned once in a while for programmes of many answers, else each time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.store import clusterings
from services.scoring.worker.clustering import learning
from shared.contracts.model import Payload
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from tests.support.scoring import Scoring, answer, snapshot

pytestmark = pytest.mark.requirement("R63")


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusterings, "KEPT_FROM", 30)


def _said(
    programme: str, count: int, clock: FixedClock, *, first: int = 0, alike: bool = True
) -> list[Payload]:
    """Answers of ten customers each of whom is of one mind, or of whom nobody is, in the last 60 days."""
    told: list[Payload] = []
    for number in range(first, first + count):
        company = number % 10
        value = (10, 2)[company % 2] if alike else (10, 2)[number // 10 % 2]
        said = snapshot(programme, account_id=str(derive("account", company)))
        at = clock.now() - timedelta(days=number % 60)
        told.append(answer(number, value, snapshot=said, at=at, first_at=at))
    return told


async def _changes(api: httpx.AsyncClient, programme: str) -> dict[str, Any]:
    found = await api.get("/v1/scores/changes", params={"programme": programme, "window": "30"})
    (one,) = found.json()["changes"]
    everywhere = (await api.get("/v1/scores/changes", params={"window": "30"})).json()["changes"]
    (same,) = [other for other in everywhere if other["programme"] == programme]
    assert same["learned_at"] == one["learned_at"]
    if one["learned_at"]:
        assert same == one, "whoever asks about all or about one is told the same"
    told: dict[str, Any] = one
    return told


async def test_of_many_answers_it_is_kept_and_says_since_when(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock), *_said("few", 20, clock, first=1200))
    live = await _changes(api, "many")
    assert live["learned_at"] is None
    assert live["design_effect"] > 2
    await learning(db)()
    kept = await _changes(api, "many")
    assert kept["learned_at"] == clock.now().isoformat().replace("+00:00", "Z")
    for name in ("points", "low", "high", "design_effect", "detectable"):
        assert kept[name] == pytest.approx(live[name]), name
    assert (await _changes(api, "few"))["learned_at"] is None
    plan = (await api.get("/v1/scores/plan", params={"programme": "many", "metric": "nps"})).json()
    assert plan["learned_at"] == kept["learned_at"]


async def test_it_is_learned_anew_and_until_then_holds(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*_said("many", 60, clock))
    await learning(db)()
    first = await _changes(api, "many")
    await scoring.take(*_said("many", 60, clock, first=2000, alike=False))
    again = await _changes(api, "many")
    assert again["now"]["n"] == 2 * first["now"]["n"]
    assert again["learned_at"] == first["learned_at"]
    assert again["design_effect"] > first["design_effect"], "as alike as it was known, and more of each"
    clock.advance(timedelta(hours=1))
    await learning(db)()
    anew = await _changes(api, "many")
    assert anew["learned_at"] > first["learned_at"]
    assert anew["design_effect"] < again["design_effect"]


async def test_what_was_learned_later_is_not_replaced_by_what_was_learned_before(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await scoring.take(*_said("many", 60, clock))
    async with db.begin() as tx:
        await clusterings.learn(tx.conn, "many", clock.now())
        await clusterings.learn(tx.conn, "many", clock.now() - timedelta(hours=1))
        await clusterings.learn(tx.conn, "nobody answered", clock.now())
    assert await scoring.rows("select programme, learned_at from clusterings") == [("many", clock.now())]
