"""Which programmes tell who leaves, from events to the API, the download and the page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.worker.clustering import learning
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from tests.support.customers import account, asked, contracts, published
from tests.support.score_pages import access_to, application, signed_in
from tests.support.scoring import Scoring

PATH = "/v1/scores/outcomes/programmes"


@pytest.fixture
async def rep(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """The pages for a rep."""
    access = access_to(db, clock)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)),
        base_url="http://127.0.0.1", headers={"Accept": "text/html"},
        cookies={"afterword": await signed_in(access, Role.REP)},
    ) as client:  # fmt: skip
        yield client


async def _listed(api: httpx.AsyncClient, scoring: Scoring) -> list[dict[str, Any]]:
    """The list, once it was summed up."""
    await learning(scoring.db)()
    found: list[dict[str, Any]] = (await api.get(PATH)).json()["programmes"]
    return found


async def _page(rep: httpx.AsyncClient, path: str = "/scores/results") -> str:
    found = await rep.get(path)
    assert found.status_code == 200, found.text
    return " ".join(found.text.split())


@pytest.mark.requirement("R8")
async def test_a_survey_that_tells_nothing_of_who_leaves_might_be_retired_and_it_is_said_why(
    api: httpx.AsyncClient, rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    assert await _listed(api, scoring) == []
    assert "Which survey tells who leaves?" not in await _page(rep)
    await scoring.take(published("pulse", ticket=False), published("support", ticket=True))
    await scoring.take(*contracts(clock.now()), *asked("pulse", clock.now() - timedelta(days=3)))
    pulse, support = await _listed(api, scoring)

    assert (support["programme"], support["touchpoints"]) == ("support", ["support.due"])
    (said,) = support["outcomes"]
    assert (said["tells"], said["points"]) == ("who_leaves", 100)
    assert said["fates"] == [
        {"mood": "high", "accounts": 320, "left": 0}, {"mood": "low", "accounts": 80, "left": 80},
    ]  # fmt: skip
    assert (support["follows_up"], support["consider_retiring"]) == (True, False)

    (said,) = pulse["outcomes"]
    assert (said["metric"], said["tells"], said["points"], said["worth"]) == ("nps", "nothing", 0, 10)
    assert -10 < said["low"] < 0 < said["high"] < 10
    assert (pulse["asked"], pulse["state"], pulse["follows_up"]) == (7, "active", False)
    assert pulse["consider_retiring"]

    file = await api.get("/v1/scores/tables/outcomes_by_programme")
    assert len(file.text.splitlines()) == 1 + 2 + 2

    page = await _page(rep)
    assert "tells who leaves" in page
    assert "a difference of 10.0 points is ruled out" in page
    suggested = page.partition("Consider retiring")[2].partition("</section>")[0]
    assert "Pulse</a>: surveys sent in 30 days: 7." in suggested
    assert "says nothing of who leaves (difference in points: NPS −" in suggested
    assert "Support" not in suggested


@pytest.mark.requirement("R8")
async def test_nothing_is_suggested_where_somebody_sees_to_the_unhappy_or_nobody_is_asked(
    api: httpx.AsyncClient, rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(published("pulse", ticket=False), *contracts(clock.now()))
    await scoring.take(*asked("pulse", clock.now() - timedelta(days=29)))

    async def suggested() -> bool:
        pulse = (await _listed(api, scoring))[0]
        assert ("Consider retiring" in await _page(rep)) == pulse["consider_retiring"]
        return bool(pulse["consider_retiring"])

    assert await suggested()
    # Whoever was helped may have stayed for that.
    await scoring.take(published("pulse", 2, ticket=True))
    assert not await suggested()
    assert "whoever was helped may have stayed for that" in await _page(rep)
    await scoring.take(published("pulse", 3, ticket=False, state=ProgrammeState.PAUSED))
    assert not await suggested()
    await scoring.take(published("pulse", 4, ticket=False))
    assert await suggested()
    clock.advance(timedelta(days=1))
    assert not await suggested(), "nobody was asked within 30 days"


@pytest.mark.requirement("R8")
async def test_of_a_programme_that_was_never_told_nothing_is_taken_for_granted(
    api: httpx.AsyncClient, rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*contracts(clock.now()), *asked("pulse", clock.now() - timedelta(days=3)))
    pulse = (await _listed(api, scoring))[0]
    assert (pulse["touchpoints"], pulse["state"], pulse["follows_up"]) == ([], None, None)
    assert pulse["outcomes"][0]["tells"] == "nothing"
    assert not pulse["consider_retiring"]
    assert "is known once it is published again" in await _page(rep)


@pytest.mark.requirement("R8")
async def test_of_few_customers_nothing_is_said(
    api: httpx.AsyncClient, rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(published("pulse", ticket=False), *contracts(clock.now(), 24))
    await scoring.take(*asked("pulse", clock.now() - timedelta(days=3)))
    found = await _listed(api, scoring)
    # Four unhappy ones of support left: one fewer than anything is said of.
    assert [(one["programme"], one["outcomes"][0]["tells"]) for one in found] == [
        ("pulse", "not_enough_data"), ("support", "not_enough_data"),
    ]  # fmt: skip
    assert found[1]["outcomes"][0]["points"] is None
    assert "Consider retiring" not in await _page(rep)


async def test_what_was_summed_up_holds_until_it_is_summed_up_again(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*contracts(clock.now(), 50))
    first = await _listed(api, scoring)
    await scoring.take(*contracts(clock.now(), 100))
    assert (await api.get(PATH)).json()["programmes"] == first
    assert sum(one["accounts"] for one in (await _listed(api, scoring))[0]["outcomes"][0]["fates"]) == 100
    clock.advance(timedelta(days=361))
    assert await _listed(api, scoring) == [], "longer ago than a year"


@pytest.mark.requirement("R8")
async def test_each_number_leads_to_its_customers(
    api: httpx.AsyncClient, rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*(account(number) for number in range(1, 13)), published("pulse", ticket=False))
    await scoring.take(*contracts(clock.now(), 12))
    await learning(scoring.db)()
    row = (await _page(rep)).partition('id="by-programme"')[2]
    links = re.findall(r'href="(/scores/accounts[^"]+)">([^<]+)<', row)
    assert len(links) == 7, "no happy customer of support left"
    for link, number in links:
        page = await _page(rep, link.replace("&amp;", "&"))
        assert page.count('<td><a href="/scores/accounts/') == int(number), link
        assert ("<b>Pulse</b>" in page) == ("programme=pulse" in link)
    gone = await _page(rep, "/scores/accounts?metric=nps&mood=low&left=true&programme=pulse&name=tailspin")
    assert gone.count('<td><a href="/scores/accounts/') == 0

    for query, status, reason in (
        ("metric=nps&mood=low&programme=nonsense", 404, "There is no such programme"),
        ("programme=pulse", 422, "told apart by what they had said before"),
    ):
        refused = await rep.get(f"/scores/accounts?{query}")
        assert (refused.status_code, reason in refused.text) == (status, True), query
