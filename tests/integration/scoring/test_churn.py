"""Churn that rises: told once, with what happened, and not where data are too young or too few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY

from services.scoring.domain.leaving import WHOLE, Leaving, Part, spans
from services.scoring.store.churn import counted
from services.scoring.worker.churn import watching
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.model import Payload, Tier
from shared.contracts.scores import ChurnRising
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from tests.support.customers import account, account_id, happened, leaving, left, usage
from tests.support.score_pages import access_to, application, left_more, signed_in
from tests.support.scoring import AT, Scoring, answer, snapshot


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


async def _counted(scoring: Scoring, part: Part = WHOLE) -> tuple[Leaving, Leaving]:
    now, before = spans(AT.date())
    async with scoring.db.read() as conn:
        return (await counted(conn, before, now))[part]


@pytest.mark.requirement("R68")
async def test_a_rise_is_told_with_what_was_expected_and_what_happened(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    name = "afterword_scoring_churn_rises_total"
    metric = REGISTRY.get_sample_value(name) or 0
    assert (await api.get("/v1/scores/churn")).json() == {"rising": None, "parts": []}
    await left_more(db, clock)
    await watching(db)()
    (told,) = await _told(scoring)
    assert (told.left_before, told.left_after, told.accounts_before, told.accounts_after) == (1, 6, 59, 57)
    assert told.expected == pytest.approx(1 / 6, abs=0.01)
    assert told.low is not None
    assert told.low > 1
    assert told.happened == ("release: release of February",)
    assert (told.dimension, told.parts) == ("", ("tier:small",))
    assert REGISTRY.get_sample_value(name) == metric + 1
    answered = (await api.get("/v1/scores/churn")).json()
    shown = answered["rising"]
    assert [(one["dimension"], one["value"], one["left_before"]) for one in answered["parts"]] == [
        ("tier", "small", 0)
    ]
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
    assert (await api.get("/v1/scores/churn")).json()["rising"] is None
    await scoring.take(*gone(range(40, 52), -310))
    clock.set(AT + timedelta(days=311))
    await watch()
    assert [one.left_after for one in await _told(scoring)] == [6, 12]
    assert (await api.get("/v1/scores/churn")).json()["rising"]["day"] == "2027-01-08"


@pytest.mark.requirement("R60", "R68")
async def test_a_tier_that_leaves_is_told_though_as_many_leave_as_ever(
    db: Database, clock: FixedClock, scoring: Scoring, api: httpx.AsyncClient
) -> None:
    tiers = {number: Tier.PREMIUM if number <= 12 else Tier.SMALL for number in range(1, 121)}
    await scoring.take(*(account(number, tier=tier) for number, tier in tiers.items()))
    await scoring.take(*(_left(20 + number, 34 + 7 * number) for number in range(27)))
    await scoring.take(*gone(range(1, 6)))
    watch = watching(db)
    await watch()
    (told,) = await _told(scoring)
    assert (told.dimension, told.value, told.left_before, told.left_after) == ("tier", "premium", 0, 5)
    shown = (await api.get("/v1/scores/churn")).json()
    assert shown["rising"] is None
    assert [(one["value"], one["high"]) for one in shown["parts"]] == [("premium", None)]
    for day in range(1, 20):
        clock.set(AT + timedelta(days=day))
        await watch()
    assert len(await _told(scoring)) == 1, "it lasts"
    assert (await api.get("/v1/scores/churn")).json()["parts"][0]["seen"] == "2026-03-22"


@pytest.mark.requirement("R61", "R68")
async def test_who_has_a_product_is_known_from_what_was_used_and_answered_and_not_from_who_leaves(
    scoring: Scoring,
) -> None:
    def used(number: int, days: int) -> ContextRecorded:
        return usage(number, AT - timedelta(days=days), 3).model_copy(update={"product": "suite"})

    await scoring.take(*(account(number) for number in range(1, 9)), _left(8, 270))
    await scoring.take(used(1, 150), used(2, 300), used(3, 300), _left(2, 100), _left(3, 5))
    # Told to leave the product, and nothing else of it; and used for the first time on the last day.
    await scoring.take(_left(4, 6), used(5, 3), _left(5, 3))
    said = snapshot(account_id=account_id(6), product="suite")
    await scoring.take(answer(1, 9, at=AT - timedelta(days=40), snapshot=said), _left(6, 10))
    before, now = await _counted(scoring, ("product", "suite"))
    assert (before.left, now.left) == (1, 2)
    # Of account 1 from the day after, of 2 until it left, of 3 all days, of 6 from the day after its answer.
    assert before.account_days == 120 + 109 + 180 + 10
    assert now.account_days == 30 + 24 + 19


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
