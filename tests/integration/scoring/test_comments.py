"""Open answers from the log to themes, and back to nothing when somebody is erased."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.scoring.handlers.comments import reading
from shared.contracts.directory import ContactErased
from shared.contracts.model import Payload
from shared.contracts.responses import Mood, ResponseAmended, ResponseHeld
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.words.dictionary import Dictionary, compiled
from tests.support.customers import account, account_id
from tests.support.score_pages import access_to, application, library_of, spoken
from tests.support.scoring import AT, Scoring, answer, snapshot

LATE = "The delivery was late and nobody informed us"


def _said(number: int, mood: Mood, **changes: Any) -> Payload:
    contact = str(derive("contact", number))
    said: dict[str, Any] = {"snapshot": snapshot(contact_id=contact), "mood": mood} | changes
    return answer(number, 3 if mood is Mood.UNHAPPY else 9, **said)


@pytest.fixture
async def api(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ, Scope.RESPONSES_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:  # fmt: skip
        yield client


@pytest.mark.requirement("R70", "R80")
async def test_comments_come_with_themes_tone_and_words(
    db: Database, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY)), ("Great support", _said(2, Mood.HAPPY))])
    body = (await api.get("/v1/scores/comments", params={"theme": "delivery_time"})).json()
    (one,) = body["comments"]
    assert one["words"] == LATE
    assert one["themes"] == {"communication": "negative", "delivery_time": "negative"}
    assert one["scores"] == {"nps": 3}
    assert (one["tone"], one["at_odds"], one["quotable"]) == ("negative", False, False)
    themes = (await api.get("/v1/scores/themes")).json()
    assert themes["comments"] == 2
    told = {one["theme"]: (one["n"], one["team"]) for one in themes["themes"]}
    assert told == {
        "communication": (1, "success"), "delivery_time": (1, "logistics"), "support_quality": (1, "support"),
    }  # fmt: skip


@pytest.mark.requirement("R63", "R70")
async def test_what_one_customer_writes_ten_times_is_told_as_that_of_one(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    """Of fourteen customers one writes ten times; two belong to no account and stand for themselves."""

    def wrote(number: int, company: int | None, **changes: Any) -> Payload:
        company_id = account_id(company) if company is not None else None
        said = snapshot(account_id=company_id, contact_id=str(derive("contact", number)))
        return _said(number, Mood.UNHAPPY, snapshot=said, **changes)

    told = [(LATE, wrote(number, 1)) for number in range(10)]
    told += [("Fine", wrote(20 + number, 2 + number)) for number in range(10)]
    told += [("Too expensive", wrote(40, 20)), ("Too expensive", wrote(41, None))]
    told += [("Too expensive", wrote(42, None))]
    await spoken(db, clock, told)
    body = (await api.get("/v1/scores/themes")).json()
    assert (body["comments"], body["accounts"]) == (23, 14)
    themes = {one["theme"]: one for one in body["themes"]}
    late, price = themes["delivery_time"], themes["price"]
    assert (late["n"], late["accounts"], late["negative"], late["negative_share"]) == (10, 1, 10, 1)
    assert (price["n"], price["accounts"], price["negative_share"]) == (3, 3, None)
    assert late["low"] < 0.1, "one of fourteen customers"
    assert late["high"] > 0.75
    assert late["negative_low"] < 0.5
    held = wrote(40, 20, version=2, kind=ResponseHeld)
    left = account(2).model_copy(update={"version": 9, "merged_into": account_id(1)})
    await scoring.take(account(1), account(2), held, left)
    body = (await api.get("/v1/scores/themes")).json()
    assert (body["comments"], body["accounts"]) == (22, 12), "one is held, two are one company"
    rows = (await api.get("/v1/scores/tables/themes", params={"format": "ndjson", "period": "90"})).text
    first = json.loads(rows.splitlines()[0])
    assert (first["theme"], first["n"], first["accounts"]) == ("communication", 10, 1)
    told_of = {one["theme"]: one for one in map(json.loads, rows.splitlines())}
    assert told_of["price"]["negative_share"] is None, "two that name it are a count alone"
    assert told_of["delivery_time"]["negative_share"] == 1


async def test_the_list_goes_on_where_it_ended(
    db: Database, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    await spoken(
        db, clock,
        [(f"late {n}", _said(n, Mood.UNHAPPY, first_at=AT - timedelta(days=n // 2))) for n in range(1, 6)],
    )  # fmt: skip
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get("/v1/scores/comments", params={"limit": 2, "cursor": cursor})).json()
        seen += [one["words"] for one in page["comments"]]
        cursor = page["next"]
    assert sorted(seen) == [f"late {n}" for n in range(1, 6)]
    refused = await api.get("/v1/scores/comments", params={"cursor": "x"})
    assert refused.status_code == 422


async def test_comments_of_a_programme_that_is_none_are_refused_by_name(api: httpx.AsyncClient) -> None:
    refused = await api.get("/v1/scores/comments", params={"programme": "nobody"})
    assert (refused.status_code, refused.json()["field"]) == (404, "programme")


async def test_an_amendment_replaces_the_words_or_takes_them_back(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY)), (LATE, _said(2, Mood.UNHAPPY))])
    anew = _said(1, Mood.UNHAPPY, version=2, kind=ResponseAmended)
    await spoken(db, clock, [("Invoices are wrong", anew)])
    await spoken(db, clock, [("", _said(2, Mood.UNHAPPY, version=2, kind=ResponseAmended))])
    assert [one["words"] for one in (await api.get("/v1/scores/comments")).json()["comments"]] == [
        "Invoices are wrong"
    ]
    # What comes late does not bring old words back.
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY, at=AT + timedelta(seconds=1)))])
    assert (await api.get("/v1/scores/themes")).json()["themes"][0]["theme"] == "billing"
    assert await scoring.rows("select count(*) from spoken") == [(0,)]


@pytest.mark.requirement("R84")
async def test_words_that_were_taken_back_stay_away_when_their_own_version_comes_late(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [("", _said(1, Mood.UNHAPPY, version=2, kind=ResponseAmended))])
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY))])
    # The same with both in one round, and with the words of another version in between.
    shelf = library_of(clock)
    await scoring.take(_said(2, Mood.UNHAPPY, version=3, kind=ResponseAmended, words=""))
    await spoken(db, clock, [(LATE, _said(2, Mood.UNHAPPY))])
    await spoken(db, clock, [("Too expensive", _said(2, Mood.UNHAPPY, version=2, kind=ResponseAmended))])
    assert await reading(db, shelf.sealer, shelf.ready)() == 0
    assert (await api.get("/v1/scores/comments")).json()["comments"] == []
    assert (await api.get("/v1/scores/themes")).json()["comments"] == 0
    assert await scoring.rows("select (select count(*) from spoken), (select count(*) from comments)") == [
        (0, 0)
    ]


async def test_old_words_are_not_shown_while_those_of_an_amendment_are_still_to_be_read(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY))])
    await scoring.take(_said(1, Mood.UNHAPPY, version=2, kind=ResponseAmended, words="sealed"))
    assert (await api.get("/v1/scores/comments")).json()["comments"] == []


async def test_words_of_an_answer_that_does_not_count_are_not_shown(
    db: Database, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY, kind=ResponseHeld))])
    assert (await api.get("/v1/scores/comments")).json() == {"comments": [], "next": None}
    assert (await api.get("/v1/scores/themes")).json() == {
        "comments": 0, "accounts": 0, "themes": [], "rising": []
    }  # fmt: skip


@pytest.mark.requirement("R84")
async def test_only_who_agreed_can_be_quoted(db: Database, clock: FixedClock, api: httpx.AsyncClient) -> None:
    agreed = _said(1, Mood.HAPPY, permissions=("quote",))
    called = _said(2, Mood.HAPPY, permissions=("contact",))
    chosen = _said(3, Mood.HAPPY, choices={"quote_me": ("yes",)})
    await spoken(db, clock, [("Great support", agreed), ("Great team", called), ("Great price", chosen)])
    body = (await api.get("/v1/scores/comments", params={"quotable": "true"})).json()
    assert [one["words"] for one in body["comments"]] == ["Great support"]


@pytest.mark.requirement("R84")
async def test_consent_that_is_taken_back_ends_at_once_before_anybody_reads_the_words_again(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [("Great support", _said(1, Mood.HAPPY, permissions=("quote",)))])
    await scoring.take(_said(1, Mood.HAPPY, version=2, kind=ResponseAmended, words="sealed"))
    body = (await api.get("/v1/scores/comments", params={"quotable": "true"})).json()
    assert body["comments"] == []


async def test_nothing_is_left_of_what_an_erased_person_wrote(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY)), (LATE, _said(2, Mood.UNHAPPY))])
    await scoring.take(ContactErased(contact_id=str(derive("contact", 1)), erased_at=AT, version=2))
    assert await scoring.rows("select contact_id from comments") == [(UUID(str(derive("contact", 2))),)]
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY, version=2, kind=ResponseAmended))])
    assert await scoring.rows("select count(*) from comments") == [(1,)]
    assert await scoring.rows("select count(*) from spoken") == [(0,)]


async def test_words_that_cannot_be_opened_stop_nobody(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    torn = _said(7, Mood.UNHAPPY)
    await scoring.take(torn.model_copy(update={"words": "AAAA\tbroken\\"}))
    await spoken(db, clock, [(LATE, _said(1, Mood.UNHAPPY))])
    assert len((await api.get("/v1/scores/comments")).json()["comments"]) == 1


@pytest.mark.requirement("R70")
async def test_another_dictionary_reads_everything_again(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await spoken(db, clock, [(LATE, _said(n, Mood.UNHAPPY)) for n in range(3)])
    shelf = library_of(clock)
    theme = {"key": "silence", "name": {"en": "Silence"}, "words": {"en": ["nobody"]}}
    other = Dictionary.model_validate({"themes": [theme], "feelings": shelf.written.feelings})
    round_of = reading(db, shelf.sealer, compiled(other))
    assert await round_of() == 3
    assert await round_of() == 0
    assert await scoring.rows("select distinct themes from comments") == [(["silence"],)]
