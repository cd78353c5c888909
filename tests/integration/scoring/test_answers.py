"""The answers behind a number, page by page."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.store.answers import Given, Wanted, listed
from shared.contracts.model import Persona
from shared.contracts.responses import ResponseHeld
from shared.db.database import Database
from tests.support.scoring import AT, Scoring, answer, snapshot

DAYS = 7


async def _fill(scoring: Scoring) -> None:
    """Forty answers of a week, some of them on the same day, and what is not among them."""
    told = [
        answer(
            number, number % 11, at=at, first_at=at,
            snapshot=snapshot("renewal", persona=list(Persona)[number % 2]),
        )
        for number in range(40)
        for at in (AT - timedelta(days=number % DAYS),)
    ]  # fmt: skip
    await scoring.take(*told, answer(90, 9, snapshot=snapshot("other")), answer(91, 9, kind=ResponseHeld))


async def _pages(db: Database, wanted: Wanted, limit: int = 6) -> list[list[Given]]:
    found: list[list[Given]] = []
    after: tuple[date, UUID] | None = None
    while not found or len(found[-1]) == limit:
        async with db.read() as conn:
            found.append(await listed(conn, wanted, after, limit))
        if found[-1]:
            after = (found[-1][-1].day, found[-1][-1].response_id)
    return found


@pytest.mark.parametrize("span", [Span(), Span(AT.date() - timedelta(days=3), AT.date())])
async def test_page_by_page_each_answer_comes_once_newest_first(
    db: Database, scoring: Scoring, span: Span
) -> None:
    await _fill(scoring)
    wanted = Wanted("renewal", span)
    pages = await _pages(db, wanted)
    (whole,) = await _pages(db, wanted, limit=100)
    assert [one for page in pages for one in page] == whole
    assert len(whole) == (40 if span == Span() else sum(number % DAYS <= 3 for number in range(40)))
    assert [(one.day, one.response_id) for one in whole] == sorted(
        ((one.day, one.response_id) for one in whole), reverse=True
    )


async def test_a_group_of_a_part_is_found_behind_a_cursor_too(db: Database, scoring: Scoring) -> None:
    await _fill(scoring)
    wanted = Wanted("renewal", Span(), None, Metric.NPS, Group.LOW, "persona", "user")
    found = [one for page in await _pages(db, wanted, limit=2) for one in page]
    users = [number for number in range(40) if list(Persona)[number % 2] is Persona.USER]
    assert sorted(dict(one.points)[Metric.NPS] for one in found) == sorted(
        number % 11 for number in users if number % 11 <= 6
    )
    assert {one.persona for one in found} == {"user"}
