"""What customers had said before they stayed or left is kept with every answer, and is what answers say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Fate
from services.scoring.store import fates
from services.scoring.store.recount import check_cells, rebuild_cells
from services.scoring.worker.clustering import learning
from shared.contracts.directory import ContactErased, ContextKind
from shared.contracts.model import Payload
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased, ResponseSubmitted
from shared.runtime.ids import derive
from tests.support.customers import account, account_id, happened
from tests.support.scoring import AT, Scoring, answer, snapshot, withdrawn

ENDED = AT - timedelta(days=5)
NPS = Metric.NPS


def said(number: int, value: int, of: int, days: int, version: int = 1, kind: int = 0) -> Payload:
    """What somebody of an account said some days before today; the kind of the last is a withdrawal."""
    snap = snapshot(f"asked-{number % 3}", account_id=account_id(of))
    if kind == len(KINDS):
        return withdrawn(number, version, snap)
    at = AT - timedelta(days=days)
    return answer(number, value, version=version, kind=KINDS[kind], at=AT, first_at=at, snapshot=snap)


KINDS = (ResponseSubmitted, ResponseAmended, ResponseHeld, ResponseReleased)
AMENDED, HELD, RELEASED, WITHDRAWN = 1, 2, 3, 4


async def _moods(scoring: Scoring) -> dict[Group, Fate]:
    async with scoring.db.read() as conn:
        return (await fates.by_mood(conn, (AT - timedelta(days=365)).date())).get(NPS, {})


async def _in(scoring: Scoring, programme: str) -> dict[Group, Fate]:
    async with scoring.db.read() as conn:
        known = await fates.by_programme(conn, (AT - timedelta(days=365)).date())
    return known.get((programme, NPS), {})


async def _spoil(scoring: Scoring, statement: str) -> None:
    async with scoring.db.begin() as tx:
        await tx.conn.execute(statement)


async def _exact(scoring: Scoring) -> bool:
    async with scoring.db.begin() as tx:
        return (await check_cells(tx)).wrong == []


async def _told(scoring: Scoring, *told: Payload) -> dict[Group, Fate]:
    await scoring.take(*told)
    assert await _exact(scoring)
    return await _moods(scoring)


@pytest.mark.requirement("R8")
async def test_answers_of_the_days_before_move_a_fate_however_late_they_come(scoring: Scoring) -> None:
    left = happened(ContextKind.CHURN, "contract.ended", ENDED, 1)
    assert await _told(scoring, said(1, 2, 1, 20), left) == {Group.LOW: Fate(1, 1)}
    assert await _told(scoring, said(2, 10, 1, 6)) == {Group.MIDDLE: Fate(1, 1)}
    # On the day itself, after it and half a year before it nothing is a warning.
    assert await _told(scoring, said(3, 10, 1, 5), said(4, 10, 1, 1), said(5, 10, 1, 186)) == {
        Group.MIDDLE: Fate(1, 1)
    }
    assert await _told(scoring, said(6, 9, 1, 185)) == {Group.HIGH: Fate(1, 1)}
    assert await _told(scoring, said(6, 0, 1, 185, 2, AMENDED)) == {Group.LOW: Fate(1, 1)}
    assert await _told(scoring, said(6, 0, 1, 185, 3, HELD)) == {Group.MIDDLE: Fate(1, 1)}
    assert await _told(scoring, said(1, 2, 1, 20, 2, WITHDRAWN)) == {Group.HIGH: Fate(1, 1)}
    assert await _told(scoring, said(6, 0, 1, 185, 4, RELEASED)) == {Group.MIDDLE: Fate(1, 1)}
    erased = ContactErased(contact_id=str(derive("contact", 1)), version=9, erased_at=AT)
    assert await _told(scoring, erased) == {Group.MIDDLE: Fate(1, 1)}


async def test_the_last_renewal_or_end_of_a_customer_counts(scoring: Scoring) -> None:
    await scoring.take(said(1, 10, 1, 300), said(2, 1, 1, 30))
    renewed = happened(ContextKind.RENEWAL, "contract.renewed", AT - timedelta(days=250), 1)
    assert await _told(scoring, renewed) == {Group.HIGH: Fate(1, 0)}
    left = happened(ContextKind.CHURN, "contract.ended", ENDED, 1)
    assert await _told(scoring, left) == {Group.LOW: Fate(1, 1)}
    before = happened(ContextKind.RENEWAL, "contract.renewed", AT - timedelta(days=200), 1)
    assert await _told(scoring, before) == {Group.LOW: Fate(1, 1)}


@pytest.mark.requirement("R8", "R68")
async def test_a_day_that_is_set_for_a_renewal_is_no_renewal(scoring: Scoring) -> None:
    dated = happened(ContextKind.RENEWAL, "contract.renewal_date_set", AT - timedelta(days=2), 1)
    assert await _told(scoring, said(1, 2, 1, 30), dated) == {}
    assert await scoring.rows("select count(*) from afterword_bi.contract_ends") == [(0,)]
    left = happened(ContextKind.CHURN, "contract.ended", AT - timedelta(days=4), 1)
    assert await _told(scoring, left) == {Group.LOW: Fate(1, 1)}, "though a day was set after it"


async def test_customers_that_are_one_have_one_fate(scoring: Scoring) -> None:
    await scoring.take(
        account(1), account(2), said(1, 10, 1, 30), said(2, 0, 2, 30), said(3, 0, 2, 31),
        happened(ContextKind.RENEWAL, "contract.renewed", ENDED, 1),
    )  # fmt: skip
    assert await _moods(scoring) == {Group.HIGH: Fate(1, 0)}
    merged = account(2).model_copy(update={"version": 9, "merged_into": account_id(1)})
    assert await _told(scoring, merged) == {Group.LOW: Fate(1, 0)}
    assert await _told(scoring, said(4, 10, 2, 40), said(5, 10, 2, 41)) == {Group.HIGH: Fate(1, 0)}
    ended = happened(ContextKind.CHURN, "contract.ended", ENDED + timedelta(days=1), 2)
    assert await _told(scoring, ended) == {Group.HIGH: Fate(1, 1)}


async def test_a_rebuild_counts_fates_anew_and_a_check_finds_wrong_ones(scoring: Scoring) -> None:
    left = happened(ContextKind.CHURN, "contract.ended", ENDED, 1)
    await scoring.take(said(1, 2, 1, 20), left)
    async with scoring.db.begin() as tx:
        await tx.conn.execute("update fates set nps = nps + 1")
    async with scoring.db.begin() as tx:
        (wrong,) = (await check_cells(tx)).wrong
    assert wrong.cell == ("fate", account_id(1))
    assert (list(wrong.kept)[:2], list(wrong.counted)[:2]) == ([0, 1], [-1, 1])
    async with scoring.db.begin() as tx:
        await rebuild_cells(tx)
    assert await _exact(scoring)


@pytest.mark.requirement("R8")
async def test_what_was_said_in_one_programme_is_apart_from_what_was_said_in_another(
    scoring: Scoring,
) -> None:
    left = happened(ContextKind.CHURN, "contract.ended", ENDED, 1)
    assert await _told(scoring, said(1, 2, 1, 20), left, said(2, 10, 1, 20)) == {Group.MIDDLE: Fate(1, 1)}
    assert await _in(scoring, "asked-1") == {Group.LOW: Fate(1, 1)}
    assert await _in(scoring, "asked-2") == {Group.HIGH: Fate(1, 1)}
    assert await _in(scoring, "asked-0") == {}
    await _told(scoring, said(1, 9, 1, 20, 2, AMENDED), said(2, 10, 1, 20, 2, WITHDRAWN), said(3, 7, 1, 9))
    assert await _in(scoring, "asked-1") == {Group.HIGH: Fate(1, 1)}
    assert await _in(scoring, "asked-2") == {}, "withdrawn"
    assert await _in(scoring, "asked-0") == {Group.MIDDLE: Fate(1, 1)}, "came after the end was told"


async def test_a_check_finds_what_is_wrong_of_one_programme_and_a_rebuild_mends_it(scoring: Scoring) -> None:
    left = happened(ContextKind.CHURN, "contract.ended", ENDED, 1)
    await scoring.take(said(1, 2, 1, 20), left)
    await _spoil(scoring, "update programme_fates set nps = 1")
    async with scoring.db.begin() as tx:
        (wrong,) = (await check_cells(tx)).wrong
    assert wrong.cell == ("fate", account_id(1), "asked-1")
    assert (list(wrong.kept)[:2], list(wrong.counted)[:2]) == ([1, 1], [-1, 1])
    async with scoring.db.begin() as tx:
        await rebuild_cells(tx)
    assert await _exact(scoring)
    assert await _in(scoring, "asked-1") == {Group.LOW: Fate(1, 1)}


@pytest.mark.parametrize(
    "written",
    [
        # A process of the version before counts an account anew, and what hangs on it goes.
        "delete from programme_fates where account_id = (select account_id from fates limit 1)",
        # It follows an answer that came late.
        "update fates set nps = nps + 1, nps_given = nps_given + 1",
    ],
)
async def test_what_an_earlier_version_left_behind_is_counted_within_the_hour(
    scoring: Scoring, written: str
) -> None:
    await scoring.take(
        *(happened(ContextKind.CHURN, "contract.ended", ENDED, of) for of in (1, 2)),
        said(1, 2, 1, 20), said(2, 10, 2, 20), said(3, 10, 1, 20),
    )  # fmt: skip
    right = await _moods(scoring)
    await _spoil(scoring, written)
    assert not await _exact(scoring)
    await learning(scoring.db)()
    assert await _exact(scoring)
    assert await _moods(scoring) == right
    async with scoring.db.read() as conn:
        assert await fates.unlike(conn) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10), st.sampled_from([6, 40, 200]),
                  st.integers(0, WITHDRAWN)),
        st.tuples(st.integers(1, 4), st.sampled_from([3, 30])),
        st.sampled_from([(2, 1, "merged"), (4, 3, "merged")]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(1, 5))
async def test_fates_are_what_answers_say_in_whatever_order_things_come(
    scoring: Scoring, steps: Sequence[tuple[int | str, ...]], at_once: int
) -> None:
    async with scoring.db.begin() as tx:
        await tx.conn.execute(
            "truncate answer_facts, score_cells, rate_cells, headlines, asks, inbox, fates,"
            " programme_fates, happenings, merged, accounts"
        )
    told = [_payload(place, step) for place, step in enumerate(steps, 2)]
    for first in range(0, len(told), at_once):
        await scoring.take(*told[first : first + at_once])
    assert await _exact(scoring)


def _payload(version: int, step: tuple[int | str, ...]) -> Payload:
    """An answer in some version, the end of a contract, or two customers that are one."""
    if len(step) == 5:
        number, _, value, days, kind = map(int, step)
        return said(number, value, 1 + number % 4, days, version, kind)
    if step[-1] == "merged":
        former, stays = map(int, step[:2])
        return account(former, version).model_copy(update={"merged_into": account_id(stays)})
    of, days = map(int, step)
    return happened(ContextKind.CHURN, "contract.ended", AT - timedelta(days=days), of)
