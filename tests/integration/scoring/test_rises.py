"""Themes that rise: told once, with whom it concerns, and not where something else explains it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from services.scoring.handlers.comments import library, reading
from services.scoring.worker.themes import watching
from shared.contracts.directory import ContextKind
from shared.contracts.responses import ResponseHeld
from shared.contracts.scores import ThemeRising
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.words.dictionary import Dictionary
from tests.support.customers import happened
from tests.support.score_pages import (
    ANGRY,
    CALM,
    library_of,
    risen,
    season,
    spoken,
)
from tests.support.scoring import AT, Scoring, answer, requested, snapshot


async def _risen(scoring: Scoring) -> list[ThemeRising]:
    rows = await scoring.rows("select value from outbox where topic = 'afterword.findings' order by id")
    return [ThemeRising.model_validate_json(value) for (value,) in rows]


@pytest.mark.requirement("R68", "R70", "R80")
async def test_a_theme_that_rises_is_told_once_with_its_team_and_what_happened(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(happened(ContextKind.RELEASE, "feature.released", AT - timedelta(days=15)))
    await risen(db, clock)
    await watching(db, library_of(clock))()
    (told,) = await _risen(scoring)
    assert (told.theme, told.names["sv"], told.team) == ("billing", "Fakturor", "finance")
    assert (told.n_before, told.comments_before, told.n_after, told.comments_after) == (0, 80, 20, 40)
    assert (told.before, told.after, told.accounts, told.negative_after) == (0, 50, 20, 20)
    assert told.low is not None
    assert told.low > 20
    assert told.programmes == ("renewal",)
    assert told.happened == ("release: release of February",)
    (shown,) = (await api.get("/v1/scores/themes", params={"locale": "es"})).json()["rising"]
    assert (shown["name"], shown["day"], shown["n_after"]) == ("Facturas", "2026-03-03", 20)
    await scoring.take(requested(1, AT, snapshot("other")))
    assert (await api.get("/v1/scores/themes", params={"programme": "other"})).json()["rising"] == []


@pytest.mark.requirement("R68", "R70")
async def test_a_rise_that_lasts_is_not_told_again_and_one_after_a_rest_is(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    watch = watching(db, library_of(clock))
    await spoken(db, clock, season(0, AT - timedelta(days=40), CALM))
    await spoken(db, clock, season(200, AT - timedelta(days=1), ANGRY))
    await watch()
    texts = ("Fine", "Fine", "Invoices are wrong")
    for day in range(0, 40, 8):
        clock.set(AT + timedelta(days=day + 5))
        await spoken(db, clock, season(1000 + 100 * day, AT + timedelta(days=day), texts))
        await watch()
    assert len(await _risen(scoring)) == 1, "it never rested"
    # Four months of other news, and it begins anew.
    for number in range(5):
        await spoken(db, clock, season(6000 + 100 * number, AT + timedelta(days=60 + 20 * number), CALM))
    clock.set(AT + timedelta(days=145))
    await watch()
    assert (await api.get("/v1/scores/themes")).json()["rising"] == []
    await spoken(db, clock, season(7000, AT + timedelta(days=150), ANGRY))
    clock.set(AT + timedelta(days=151))
    await watch()
    assert [one.theme for one in await _risen(scoring)] == ["billing", "billing"]
    (shown,) = (await api.get("/v1/scores/themes")).json()["rising"]
    assert shown["day"] == "2026-08-01"


async def test_while_comments_are_read_with_another_dictionary_nothing_rises(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await spoken(db, clock, season(0, AT - timedelta(days=40), CALM))
    await spoken(db, clock, season(200, AT - timedelta(days=1), CALM))
    shelf = library_of(clock)
    theme = {"key": "fine", "name": {"en": "Fine"}, "words": {"en": ["fine"]}}
    other = library(
        shelf.sealer, Dictionary.model_validate({"themes": [theme], "feelings": shelf.written.feelings})
    )
    await watching(db, other)()
    assert await scoring.rows("select count(*) from theme_looks") == [(0,)]
    while await reading(db, other.sealer, other.ready)():
        pass
    await watching(db, other)()
    assert await scoring.rows("select count(*) from theme_looks") == [(1,)]
    assert await _risen(scoring) == []


async def test_answers_that_do_not_count_and_programmes_that_just_began_raise_nothing(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await spoken(db, clock, season(0, AT - timedelta(days=40), CALM))
    await spoken(db, clock, season(100, AT - timedelta(days=1), CALM))
    await spoken(db, clock, season(200, AT - timedelta(days=1), ANGRY, programme="invoices"))
    await spoken(db, clock, season(300, AT - timedelta(days=1), ANGRY))
    for number in range(300, 340):
        await scoring.take(answer(100_000 + number, 3, version=2, kind=ResponseHeld))
    await watching(db, library_of(clock))()
    assert await _risen(scoring) == []
