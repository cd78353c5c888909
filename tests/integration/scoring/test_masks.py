"""On every page a number of fewer than five answers is a count alone."""

from __future__ import annotations

import re

import httpx
import pytest

from shared.contracts.model import Persona, Tier
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from tests.support.customers import account, account_id, driven
from tests.support.score_pages import access_to, application, signed_in
from tests.support.scoring import Scoring, answer, snapshot

NOTHING = "nothing can be said yet"


@pytest.fixture
async def rep(db: Database, clock: FixedClock) -> httpx.AsyncClient:
    access = access_to(db, clock)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://127.0.0.1",
        headers={"Accept": "text/html"}, cookies={"afterword": await signed_in(access, Role.REP)},
    )  # fmt: skip


async def _rows(client: httpx.AsyncClient, address: str, heading: str) -> list[list[str]]:
    """The cells of the rows of the table below a heading, as one reads them."""
    page = await client.get(address)
    assert page.status_code == 200, page.text
    _, found, below = page.text.partition(f"{heading}</h")
    assert found, heading
    body = below.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall("<td.*?</td>", row, re.DOTALL)]
        for row in rows
    ]


@pytest.mark.requirement("R42", "R63", "R65")
async def test_ratings_and_wishes_of_four_people_have_no_share(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await scoring.take(*driven(clock.now(), 4))
    address = "/scores?programme=driven&period=365"
    rated = await _rows(rep, address, "Satisfied and unhappy, by attribute")
    assert rated
    for _, bar, satisfied, between, unhappy, n in rated:
        assert (bar, satisfied, between, unhappy) == ("–", "–", NOTHING, "–")
        assert n.startswith("4")
    wished = await _rows(rep, address, "What partners are chosen by")
    assert wished
    for _, share, between, *_ in wished:
        assert (share, between) == ("–", NOTHING)


@pytest.mark.requirement("R62", "R63")
async def test_four_answers_of_an_account_and_of_all_small_accounts_have_no_score(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    said = snapshot(account_id=account_id(3), tier=Tier.SMALL, persona=Persona.USER)
    given = [answer(number, 9, at=clock.now(), snapshot=said) for number in range(5)]
    await scoring.take(account(3), *given[:4])
    page = f"/scores/accounts/{account_id(3)}"
    places = {"/scores/accounts": "Small accounts together", page: "Users and decision makers"}.items()
    for address, heading in places:
        rows = await _rows(rep, address, heading)
        assert rows
        for _, _, value, between, n in rows:
            assert (value, between, n[0]) == ("–", NOTHING, "4"), heading
    await scoring.take(given[4])
    for address, heading in places:
        for _, _, value, between, n in await _rows(rep, address, heading):
            assert (value, n[0]) == ("+100", "5"), heading
            assert "…" in between
