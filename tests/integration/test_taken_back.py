"""A held answer is let count and taken back: scores and cases of all five services follow, and go back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.collector.domain.review import TakenBack, Why
from services.collector.handlers.review import Review
from shared.embedded.postgres import PostgresAddress
from tests.support.books import balanced
from tests.support.databases import SERVICES, cloned, ensure_template
from tests.support.house import House, opened, someone
from tests.support.postbox import Mail
from tests.support.townsfolk import hire, send, visit

pytestmark = [pytest.mark.xdist_group("delivery"), pytest.mark.timeout(300)]
START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
ACME = {"id": "acme", "name": "Acme", "owner": "rita@nordlicht.example"}


@pytest.fixture
async def house(postgres_server: PostgresAddress, run_folder: Path) -> AsyncIterator[House]:
    """The five services, and Rita, who owns the account."""
    template = await ensure_template(postgres_server, SERVICES, run_folder)
    async with cloned(postgres_server, template) as database, opened(database, START) as made:
        await hire(made, "rita")
        yield made


async def unhappy_machine(house: House) -> Mail:
    """An unhappy answer with the field filled that no person sees."""
    await house.tell(
        "order.delivered", contact=someone("ana"), account=ACME, subject={"kind": "order", "id": "o1"}
    )
    await house.later(days=1)
    (mail,) = [one for one in house.mails() if one.scores]
    house.clock.advance(timedelta(minutes=10))
    page = await visit(house, mail.scores[1])
    house.clock.advance(timedelta(seconds=40))
    sent = await send(house, page, mail.survey, **{"q.csat": "1", "leave_empty": "x"})
    assert sent.status_code == 303, sent.text
    await house.later(minutes=5)
    return mail


async def cells(house: House) -> int:
    """How many answers the scores hold."""
    return int(
        await house.admin.fetchval(
            "select coalesce(sum(b0 + b1 + b2 + b3 + b4), 0) from scoring.score_cells where rollup = 'total'"
        )
    )


async def states(house: House) -> list[str]:
    """How the cases stand."""
    return [row[0] for row in await house.admin.fetch("select state from alerts.tickets order by opened_at")]


@pytest.mark.requirement("R57")
async def test_scores_and_the_case_follow_a_word_that_is_given_and_taken_back(house: House) -> None:
    await unhappy_machine(house)
    review = Review(house.service("collector").platform.db)
    survey = await house.admin.fetchval("select survey_id from collector.responses where state = 'held'")
    assert await cells(house) == 0
    items = "select state from alerts.unconfirmed order by held_at"
    assert await house.admin.fetchval(items) == "waiting"

    assert await review.release(survey, "eva")
    await house.settle()
    assert await cells(house) == 1
    assert await states(house) == ["open"]
    assert await house.admin.fetchval(items) == "released"
    assert (await balanced(house)).alerts.unhappy == 1

    house.clock.advance(timedelta(minutes=3))
    assert await review.take_back(survey, "eva", Why.MISTAKE) is TakenBack.HELD
    await house.settle()
    assert await cells(house) == 0
    assert [tuple(row) for row in await house.admin.fetch("select state from alerts.tickets")] == [
        ("closed",)
    ]
    assert await house.admin.fetchval(items) == "waiting", "somebody looks at it, as before"
    assert (await balanced(house)).alerts.unhappy == 0

    house.clock.advance(timedelta(minutes=3))
    assert await review.release(survey, "bo")
    await house.settle()
    assert await cells(house) == 1
    assert (await balanced(house)).alerts.unhappy == 1


async def test_a_case_that_somebody_works_on_is_not_closed_over_their_head(house: House) -> None:
    await unhappy_machine(house)
    review = Review(house.service("collector").platform.db)
    survey = await house.admin.fetchval("select survey_id from collector.responses where state = 'held'")
    await review.release(survey, "eva")
    await house.settle()
    (alarm,) = [mail for mail in house.mails(ACME["owner"]) if mail.ticket]
    rita = await hire(house, "rudi")
    await rita.press(alarm.ticket, "acknowledge")
    await review.take_back(survey, "eva", Why.MACHINE)
    await house.settle()
    proposals = await house.admin.fetch("select state, proposal from alerts.tickets")
    assert [tuple(row) for row in proposals] == [("acknowledged", "withdrawn")]
    await balanced(house)
