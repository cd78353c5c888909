"""Churn that rises: told once, with what happened, and not where data are too young or too few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY

from services.scoring.domain.leaving import Leaving, spans
from services.scoring.store.churn import counted
from services.scoring.worker.churn import watching
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.model import Payload
from shared.contracts.scores import ChurnRising
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from tests.support.customers import account, account_id, happened, leaving, left
from tests.support.score_pages import access_to, application, left_more, signed_in
from tests.support.scoring import AT, Scoring


def _left(number: int, days: int, event: str = "account.churned") -> ContextRecorded:
    return left(number, AT - timedelta(days=days), event)


def renewed(number: int, days: int) -> ContextRecorded:
    """An account renewed its contract some days ago."""
    return happened(ContextKind.RENEWAL, "contract.renewed", AT - timedelta(days=days), number)


def gone(numbers: Iterable[int], days: int = 4) -> Sequence[Payload]:
    """Accounts that left a few days ago."""
    return [_left(number, days) for number in numbers]


async def _told(scoring: Scoring) -> list[ChurnRising]:
    rows = await scoring.rows("select value from outbox where topic = 'afterword.findings' order by id")
    return [ChurnRising.model_validate_json(value) for (value,) in rows]


async def _counted(scoring: Scoring) -> tuple[Leaving, Leaving]:
    now, before = spans(AT.date())
    async with scoring.db.read() as conn:
        found = await counted(conn, before, now)
    assert found is not None
    return found


@pytest.mark.requirement("R68")
async def test_a_rise_is_told_with_what_was_expected_and_what_happened(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    name = "afterword_scoring_churn_rises_total"
    metric = REGISTRY.get_sample_value(name) or 0
    assert (await api.get("/v1/scores/churn")).json() == {"rising": None}
    await left_more(db, clock)
    await watching(db)()
    (told,) = await _told(scoring)
    assert (told.left_before, told.left_after, told.accounts_before, told.accounts_after) == (1, 6, 59, 57)
    assert told.expected == pytest.approx(1 / 6, abs=0.01)
    assert told.low is not None
    assert told.low > 1
    assert told.happened == ("release: release of February",)
    assert REGISTRY.get_sample_value(name) == metric + 1
    shown = (await api.get("/v1/scores/churn")).json()["rising"]
    assert (shown["day"], shown["left_after"], shown["happened"]) == (
        "2026-03-03", 6, ["release: release of February"],
    )  # fmt: skip
    pages = httpx.ASGITransport(application(db, clock, access := access_to(db, clock)))
    async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1") as web:
        for locale, says in (
            ("en", "6 of about 57 customers left in the last 30 days, where 0.2 were to be expected"),
            ("es", "Se van más clientes que antes"),
            ("sv", "Fler kunder lämnar än förut"),
        ):
            web.cookies.set("afterword", await signed_in(access, locale=locale))
            page = " ".join((await web.get("/scores")).text.split())
            assert says in page
            assert "release of February" in page


@pytest.mark.requirement("R68")
async def test_a_rise_that_lasts_is_told_once_and_one_after_a_rest_again(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    await scoring.take(*leaving(AT, 6))
    watch = watching(db)
    await watch()
    for day in range(1, 45):
        clock.set(AT + timedelta(days=day))
        if day % 3 == 0:
            await scoring.take(_left(20 + day // 3, -day))
        await watch()
    assert len(await _told(scoring)) == 1, "it never rested"
    clock.set(AT + timedelta(days=300))
    await watch()
    assert (await api.get("/v1/scores/churn")).json() == {"rising": None}
    await scoring.take(*gone(range(40, 52), -310))
    clock.set(AT + timedelta(days=311))
    await watch()
    assert [one.left_after for one in await _told(scoring)] == [6, 12]
    assert (await api.get("/v1/scores/churn")).json()["rising"]["day"] == "2027-01-08"


@pytest.mark.requirement("R68")
async def test_four_that_left_are_not_told_and_a_fifth_is(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await scoring.take(*leaving(AT, 4))
    watch = watching(db)
    await watch()
    assert await _told(scoring) == []
    await scoring.take(*gone([14]))
    clock.set(AT + timedelta(days=1))
    await watch()
    assert [one.left_after for one in await _told(scoring)] == [5]


@pytest.mark.requirement("R68")
async def test_where_departures_are_told_only_lately_nothing_rises(db: Database, scoring: Scoring) -> None:
    await scoring.take(*(account(number) for number in range(1, 61)), renewed(1, 300))
    await scoring.take(_left(2, 200), *gone(range(10, 30)))
    await watching(db)()
    assert await _told(scoring) == []


@pytest.mark.requirement("R68")
async def test_an_account_leaves_once_however_often_it_is_told_and_whatever_it_is_called(
    scoring: Scoring,
) -> None:
    await scoring.take(
        *leaving(AT, 0), _left(10, 40, "contract.ended"), _left(10, 20), _left(10, 3, "contract.ended")
    )
    # Back by a renewal, and gone again.
    await scoring.take(_left(11, 150), renewed(11, 60), _left(11, 10))
    # The same company under two names.
    await scoring.take(_left(12, 9), _left(13, 8), account(13, 2, merged_into=account_id(12)))
    before, now = await _counted(scoring)
    assert (before.left, now.left) == (3, 2)
    assert (before.renewed, now.renewed) == (1, 0)


@pytest.mark.requirement("R68")
async def test_days_count_from_when_an_account_began_until_it_left(scoring: Scoring) -> None:
    today = AT.date()
    await scoring.take(
        account(1), _left(1, 270), account(2, started_on=today - timedelta(days=9)),
        account(3, started_on=today + timedelta(days=5)), account(4), _left(4, 29), account(5), _left(5, 30),
        renewed(5, 20),
    )  # fmt: skip
    before, now = await _counted(scoring)
    # Of account 4 the whole span before; of account 5 all of its days but the last, and from the renewal on.
    assert (before.account_days, before.days) == (180 + 179, 180)
    assert (now.account_days, now.days) == (10 + 21, 30)
