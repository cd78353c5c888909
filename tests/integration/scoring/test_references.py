"""Scores beside the values of the industry and of competitors: in API, file and on the page."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.scoring.api import results, tables
from services.scoring.app import references_of
from services.scoring.domain.health import WEIGHTS
from services.scoring.pages.results import result_pages
from shared.contracts.forms import QuestionType
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.score_pages import access_to, library_of, signed_in
from tests.support.scoring import Scoring, answer, snapshot

FILE = """
industry: logistics
values:
  - {name: Usual in logistics, value: 20, industry: Logistics, source: A study of 2026}
  - {name: Usual in banks, value: 44, industry: banks}
  - {name: Fabrikam, value: 95, competitor: true}
  - {name: Easy elsewhere, metric: ces, value: 60}
"""


@pytest.fixture
async def house(db: Database, clock: FixedClock, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may read scores, in a house of logistics that knows a competitor."""
    file = tmp_path / "references.yaml"
    file.write_text(FILE, encoding="utf-8")
    references, access = references_of(file), access_to(db, clock)
    app = web_app(access, "http://127.0.0.1")
    join(app, results.routes(db, clock, references))
    join(app, result_pages(db, clock, references))
    join(app, tables.routes(db, clock, library_of(clock), references, WEIGHTS))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1",
        cookies={"afterword": await signed_in(access, Role.VIEWER)},
    ) as client:  # fmt: skip
        yield client


async def _answered(scoring: Scoring, clock: FixedClock) -> None:
    """Forty promoters and ten passives of events, and as many detractors of the relationship."""
    for family, first, others in ((Family.TRANSACTIONAL, 9, 8), (Family.RELATIONSHIP, 2, 3)):
        said = snapshot(family.value, family=family, account_id=None)
        await scoring.take(
            *(
                answer(
                    number + (1000 if family is Family.RELATIONSHIP else 0), first if number % 5 else others,
                    snapshot=said, at=clock.now(), first_at=clock.now(),
                )
                for number in range(50)
            )
        )  # fmt: skip
    ease = snapshot("ease", account_id=None)
    await scoring.take(
        *(
            answer(2000 + number, 7, type_=QuestionType.CES, snapshot=ease, at=clock.now())
            for number in range(4)
        )
    )


EXPECTED = {
    ("relationship", "Usual in logistics"): (50, "below"),
    ("relationship", "Fabrikam"): (50, "below"),
    ("transactional", "Usual in logistics"): (50, "above"),
    ("transactional", "Fabrikam"): (50, "below"),
    ("transactional", "Easy elsewhere"): (4, "too_few"),
}


@pytest.mark.requirement("R9", "R92")
async def test_each_kind_of_survey_stands_beside_values_of_the_own_industry_and_of_competitors(
    house: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    empty = (await house.get("/v1/scores/references")).json()
    assert (len(empty["values"]), empty["held"]) == (4, [])
    await _answered(scoring, clock)
    told = (await house.get("/v1/scores/references")).json()
    held = {(one["family"], one["name"]): (one["n"], one["standing"]) for one in told["held"]}
    assert held == EXPECTED, "no value of another industry"
    assert {one["name"] for one in told["held"] if one["competitor"]} == {"Fabrikam"}
    assert all(one["low"] <= one["score"] <= one["high"] for one in told["held"])


@pytest.mark.requirement("R9", "R92")
async def test_the_file_has_the_rows_of_the_page_and_values_without_a_score(
    house: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await _answered(scoring, clock)
    file = await house.get("/v1/scores/tables/references", params={"format": "ndjson"})
    rows = [json.loads(line) for line in file.text.splitlines()]
    assert {(one["family"], one["name"]): (one["n"], one["standing"]) for one in rows} == EXPECTED | {
        (None, "Usual in banks"): (None, None)
    }
    csv = (await house.get("/v1/scores/tables/references")).text
    assert len(csv.splitlines()) == 1 + len(rows)


@pytest.mark.requirement("R9", "R63", "R92")
async def test_the_page_marks_competitors_and_says_what_can_be_said(
    house: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await _answered(scoring, clock)
    page = (await house.get("/scores/results", headers={"Accept": "text/html"})).text
    found = re.findall("<tr>.*?</tr>", page, re.DOTALL)
    rows = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in found]
    (theirs,) = [row for row in rows if row.startswith("Fabrikam") and "After an event" in row]
    assert "competitor" in theirs
    assert "+95 +80" in theirs
    assert "below it" in theirs
    (usual,) = [row for row in rows if row.startswith("Usual in logistics") and "After an event" in row]
    assert "competitor" not in usual
    assert "A study of 2026" in usual
    assert "above it" in usual
    (ease,) = [row for row in rows if row.startswith("Easy elsewhere")]
    assert "Found it easy (CES) · After an event" in ease
    assert "60%" in ease
    assert "nothing can be said yet too few answers to say" in ease
    assert "Usual in banks" not in page
