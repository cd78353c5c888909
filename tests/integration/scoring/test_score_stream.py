"""`/v1/scores/stream`: headlines as they are, and as they are announced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.scoring.worker.headlines import announcing
from shared.contracts.forms import QuestionType
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role, Scope
from tests.support.score_pages import access_to, application, signed_in
from tests.support.scoring import Scoring, answer
from tests.support.serving import served
from tests.support.streaming import Stream, streamed


@pytest.fixture
async def url(db: Database, clock: FixedClock) -> AsyncIterator[str]:
    async with served(application(db, clock, access_to(db, clock))) as address:
        yield f"{address}/v1/scores/stream"


@pytest.fixture
async def viewer(db: Database, clock: FixedClock) -> dict[str, str]:
    return {"afterword": await signed_in(access_to(db, clock), Role.VIEWER)}


async def _next(stream: Stream) -> dict[str, Any]:
    told = await stream.event()
    assert told.kind == "score.changed"
    found: dict[str, Any] = json.loads(told.data)
    return found


@pytest.mark.requirement("R57")
async def test_headlines_are_told_as_they_are_and_then_as_they_change(
    scoring: Scoring, url: str, viewer: dict[str, str]
) -> None:
    await scoring.take(answer(1, 9), answer(2, 5, type_=QuestionType.CSAT))
    async with streamed(url, cookies=viewer) as stream:
        first = [await _next(stream) for _ in range(2)]
        assert {one["cell"]: one["n"] for one in first} == {
            "csat/transactional/renewal": 1,
            "nps/transactional/renewal": 1,
        }
        await announcing(scoring.db)()
        assert {(await _next(stream))["cell"] for _ in range(2)} == {one["cell"] for one in first}
        await scoring.take(answer(3, 3))
        await scoring.take(answer(4, 10))
        await announcing(scoring.db)()
        changed = await _next(stream)
        assert (changed["cell"], changed["n"], changed["version"]) == ("nps/transactional/renewal", 3, 3)
        assert changed["low"] < changed["score"] < changed["high"]
        assert changed["histogram"]["9"] == changed["histogram"]["10"] == 1


async def test_who_comes_back_hears_what_changed_meanwhile_from_any_instance(
    scoring: Scoring, url: str, viewer: dict[str, str], clock: FixedClock
) -> None:
    await scoring.take(answer(1, 9), answer(2, 5, type_=QuestionType.CSAT))
    await announcing(scoring.db)()
    async with streamed(url, cookies=viewer) as stream:
        last = await stream.up_to_date()
    await scoring.take(answer(3, 3))
    await announcing(scoring.db)()
    other_instance = application(scoring.db, clock, access_to(scoring.db, clock))
    async with (
        served(other_instance) as address,
        streamed(f"{address}/v1/scores/stream", last=last, cookies=viewer) as stream,
    ):
        assert (await _next(stream))["cell"] == "nps/transactional/renewal"
        assert stream.last != last
        await scoring.take(answer(5, 4, type_=QuestionType.CSAT))
        await announcing(scoring.db)()
        assert (await _next(stream))["cell"] == "csat/transactional/renewal"


async def test_it_needs_the_scope_of_scores(db: Database, clock: FixedClock, url: str) -> None:
    _, key = await access_to(db, clock).create_key("desk", [Scope.TICKETS_READ])
    async with httpx.AsyncClient() as client:
        refused = await client.get(url, headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 403
    assert "scores:read" in refused.json()["detail"]
