from __future__ import annotations

import json
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.scoring.worker.headlines import announcing, refreshing, republish, watching
from shared.contracts.directory import ContextKind
from shared.contracts.forms import QuestionType
from shared.contracts.responses import ResponseAmended
from shared.contracts.scores import ScoreChanged, ScoreDropped
from shared.runtime.clock import FixedClock
from tests.support.customers import account_id, happened
from tests.support.scoring import AT, Scoring, answer, handed_over, requested, snapshot, withdrawn


async def _told(scoring: Scoring) -> list[tuple[ScoreChanged, str, str]]:
    rows = await scoring.rows("select value, key, event_id from outbox order by id")
    return [
        (ScoreChanged.model_validate_json(value), key.decode(), event_id) for value, key, event_id in rows
    ]


async def test_a_headline_is_announced_once_however_often_it_changed(scoring: Scoring) -> None:
    announce = announcing(scoring.db)
    await scoring.take(answer(1, 9))
    await scoring.take(answer(2, 3))
    await announce()
    await announce()
    ((changed, key, _),) = await _told(scoring)
    assert key == changed.cell == "nps/transactional/renewal"
    assert (changed.version, changed.n, changed.score) == (2, 2, 0)
    assert changed.histogram["9"] == changed.histogram["3"] == 1
    assert changed.low is not None
    assert changed.high is not None
    assert changed.low < 0 < changed.high


async def test_a_headline_that_changes_again_is_announced_again(scoring: Scoring) -> None:
    announce = announcing(scoring.db)
    await scoring.take(answer(1, 3))
    await announce()
    await scoring.take(answer(1, 10, version=2, kind=ResponseAmended))
    await announce()
    assert [(told.version, told.score) for told, _, _ in await _told(scoring)] == [(1, -100), (2, 100)]


async def test_a_headline_without_any_answer_left_has_no_score(scoring: Scoring) -> None:
    announce = announcing(scoring.db)
    await scoring.take(answer(1, 3))
    await scoring.take(withdrawn(1, 2))
    await announce()
    ((changed, _, _),) = await _told(scoring)
    assert (changed.n, changed.score, changed.low, changed.high) == (0, None, None, None)


async def test_a_new_broker_is_told_every_headline_as_the_same_event(scoring: Scoring) -> None:
    await scoring.take(answer(1, 9), answer(2, 5, type_=QuestionType.CSAT))
    await announcing(scoring.db)()
    before = await _told(scoring)
    async with scoring.db.begin() as tx:
        await republish(tx)
    again = (await _told(scoring))[len(before) :]
    assert [(told.cell, told.version, event) for told, _, event in again] == [
        (told.cell, told.version, event) for told, _, event in before
    ]
    assert len(again) == 2


async def test_an_erased_broker_of_an_empty_service_is_told_nothing(scoring: Scoring) -> None:
    async with scoring.db.begin() as tx:
        await republish(tx)
    await announcing(scoring.db)()
    assert await _told(scoring) == []


@pytest.mark.requirement("R57", "R64")
async def test_gauges_follow_the_cells(scoring: Scoring) -> None:
    easy = answer(3, 6, type_=QuestionType.CES)
    await scoring.take(requested(1), handed_over(1, AT), answer(1, 9, asked_at=AT), easy)
    refresh = refreshing(scoring.db)
    assert await refresh() == 0
    labels = {"programme": "renewal", "family": "transactional"}
    assert REGISTRY.get_sample_value("afterword_scoring_nps", labels) == 100
    low = REGISTRY.get_sample_value("afterword_scoring_nps_low", labels)
    assert low is not None
    assert low < 0
    at_least, share, at_most = (
        REGISTRY.get_sample_value(f"afterword_scoring_share{end}_ratio", labels | {"metric": "ces"})
        for end in ("_low", "", "_high")
    )
    assert at_least is not None
    assert 0 < at_least < 1
    assert (share, at_most) == (1, 1)
    assert REGISTRY.get_sample_value("afterword_scoring_response_ratio", {"programme": "renewal"}) == 1
    promoters = {"programme": "renewal", "metric": "nps", "group": "promoters"}
    assert REGISTRY.get_sample_value("afterword_scoring_answers", promoters) == 1

    await scoring.take(withdrawn(1, 2))
    await refresh()
    assert REGISTRY.get_sample_value("afterword_scoring_nps", labels) is None


@pytest.mark.requirement("R2")
async def test_nps_on_five_points_has_gauges_of_its_own(scoring: Scoring) -> None:
    await scoring.take(*(answer(n, 5, type_=QuestionType.NPS5) for n in range(1, 4)), answer(4, 0))
    await refreshing(scoring.db)()
    labels = {"programme": "renewal", "family": "transactional"}
    assert REGISTRY.get_sample_value("afterword_scoring_nps5", labels) == 100
    assert REGISTRY.get_sample_value("afterword_scoring_nps", labels) == -100
    low, high = (
        REGISTRY.get_sample_value(f"afterword_scoring_nps5_{end}", labels) for end in ("low", "high")
    )
    assert low is not None
    assert low < 100
    assert high == 100


async def test_no_event_of_ours_holds_anything_personal(scoring: Scoring) -> None:
    await scoring.take(answer(1, 9))
    await announcing(scoring.db)()
    (row,) = await scoring.rows("select value from outbox")
    assert "@" not in json.dumps(json.loads(row[0]))


async def _dropped(scoring: Scoring) -> list[ScoreDropped]:
    rows = await scoring.rows("select value from outbox where topic = 'afterword.findings' order by id")
    return [ScoreDropped.model_validate_json(value) for (value,) in rows]


async def _season(scoring: Scoring, programme: str, days: int, values: tuple[int, ...], start: int) -> None:
    await scoring.take(
        *[
            answer(
                start + number, values[number % len(values)], at=AT - timedelta(days=days + number % 20),
                snapshot=snapshot(programme, account_id=account_id(number + 50)),
            )
            for number in range(60)
        ]
    )  # fmt: skip


@pytest.mark.requirement("R68")
async def test_a_drop_is_told_once_with_what_happened(scoring: Scoring, clock: FixedClock) -> None:
    await _season(scoring, "fell", 40, (9, 10, 8), 0)
    await _season(scoring, "fell", 1, (3, 9, 2), 100)
    await _season(scoring, "stayed", 40, (9, 3, 8), 200)
    await _season(scoring, "stayed", 1, (9, 3, 8), 300)
    await _season(scoring, "rose", 40, (3, 2), 400)
    await _season(scoring, "rose", 1, (9, 10), 500)
    await scoring.take(happened(ContextKind.RELEASE, "feature.released", AT - timedelta(days=15)))
    watch = watching(scoring.db)
    await watch()
    await watch()
    (dropped,) = await _dropped(scoring)
    assert (dropped.programme, dropped.cell) == ("fell", "nps/transactional/fell")
    assert (dropped.n_before, dropped.n_after) == (60, 60)
    assert dropped.before > 50
    assert dropped.after < 0
    assert dropped.high is not None
    assert dropped.high < 0
    assert dropped.happened == ("release: release of February",)
    clock.set(clock.now() + timedelta(days=1))
    await watch()
    assert len(await _dropped(scoring)) == 1, "told yesterday"
    clock.set(clock.now() + timedelta(days=30))
    await _season(scoring, "fell", -29, (0, 1, 2), 600)
    await watch()
    assert len(await _dropped(scoring)) == 2
