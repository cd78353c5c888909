"""The best moment: learned from who answers when, inside the window, the same for the same plan (R46)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.chance import Chance
from services.trigger.domain.best_moment import (
    EXPLORED,
    LONGEST,
    NOTHING,
    PATIENCE,
    Choice,
    Learned,
    Seen,
    Slot,
    choose,
    segment_of,
    slot_at,
)
from services.trigger.domain.gate import decide, settled
from services.trigger.domain.hearing import Moment, news_of
from services.trigger.domain.model import identity
from shared.calendars import is_holiday
from shared.contracts.model import Family
from shared.windows import Place, Window
from tests.support.changed import replace
from tests.unit.trigger.support import NOW, ask, edition, facts, plan

pytestmark = pytest.mark.requirement("R46", "R93")

WINDOW = Window(frozenset({1, 2, 3}), 9 * 60 + 30, 16 * 60)
STOCKHOLM = Place(ZoneInfo("Europe/Stockholm"), "SE")
MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEARNS = {"send": {"window": {"learn": True}}, "when__fresh_for": "14d"}
IDS = [identity("plan", number) for number in range(2000)]

zones = st.sampled_from(["Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"])
instants = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
slots = st.builds(Slot, st.integers(0, 6), st.integers(0, 11))
seen = st.integers(0, 5000).flatmap(lambda n: st.builds(Seen, st.just(n), st.integers(0, n)))
knowledge = st.builds(Learned, st.dictionaries(slots, seen, max_size=20))
windows = st.builds(
    lambda days, opens, length: Window(frozenset(days), opens, min(1440, opens + length)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1380),
    st.integers(30, 900),
)


@given(
    st.uuids(), knowledge, instants, st.timedeltas(timedelta(minutes=1), timedelta(days=60)), windows, zones
)
def test_a_choice_lies_in_the_window_in_time_and_is_the_same_again(
    plan_id: UUID, learned: Learned, now: datetime, fresh: timedelta, window: Window, zone: str
) -> None:
    place = Place(ZoneInfo(zone), "SE")
    found = choose(plan_id, learned, now, now + fresh, window, place)
    assert choose(plan_id, learned, now, now + fresh, window, place) == found
    if found is None:
        return
    assert now <= found.at < now + fresh
    assert found.at <= now + min(LONGEST, fresh / 2) + timedelta(hours=2), (
        "at most the slot that opened in time"
    )
    local = found.at.astimezone(place.zone)
    minute = local.hour * 60 + local.minute
    assert local.weekday() in window.days
    assert (
        window.opens <= minute < window.closes or local.utcoffset() != now.astimezone(place.zone).utcoffset()
    )
    assert not is_holiday("SE", local.date())


def test_it_begins_with_the_guides_rule() -> None:
    for plan_id in IDS[:200]:
        found = choose(plan_id, NOTHING, MONDAY, MONDAY + timedelta(days=20), WINDOW, STOCKHOLM)
        assert found is not None
        assert found.tried or found.slot == Slot(1, 5), "the next Tuesday, in mid-morning"


def test_mails_of_one_slot_leave_spread_over_it() -> None:
    found = [choose(i, NOTHING, MONDAY, MONDAY + timedelta(days=20), WINDOW, STOCKHOLM) for i in IDS[:300]]
    minutes = {one.at for one in found if one and not one.tried}
    assert len(minutes) > 80


def test_whose_slot_is_open_is_asked_now() -> None:
    now = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
    untried = next(i for i in IDS if not _chosen(i, NOTHING, now).tried)
    assert _chosen(untried, NOTHING, now).at == now


def test_a_share_that_is_small_and_bounded_is_tried() -> None:
    tried = sum(_chosen(plan_id, NOTHING, MONDAY).tried for plan_id in IDS)
    assert abs(tried / len(IDS) - EXPLORED) < 0.03


@pytest.mark.parametrize(("asked", "wins"), [(2, False), (200, True)])
def test_few_answers_move_little(asked: int, wins: bool) -> None:
    """Two of two answered is no proof; a hundred and fifty of two hundred is one."""
    usual = {Slot(day, band): Seen(400, 100) for day in (1, 2, 3) for band in (5, 6, 7)}
    learned = Learned({**usual, Slot(3, 7): Seen(asked, asked * 3 // 4)})
    untried = next(i for i in IDS if not _chosen(i, learned, MONDAY).tried)
    assert (_chosen(untried, learned, MONDAY).slot == Slot(3, 7)) is wins


@pytest.mark.parametrize(("best", "share"), [(Slot(3, 7), 0.5), (Slot(2, 6), 0.4)])
def test_what_is_learned_comes_to_what_people_really_do(best: Slot, share: float) -> None:
    """Simulated people answer most at one slot; after some weeks nearly all of them are asked then."""
    chance = Chance(best.name)
    counts: dict[Slot, list[int]] = {}
    now, chosen = MONDAY, Counter[Slot]()
    for week in range(40):
        learned = Learned({slot: Seen(*pair) for slot, pair in counts.items()})
        chosen = Counter()
        for number in range(60):
            found = _chosen(identity("plan", week, number), learned, now)
            chosen[found.slot] += 1
            pair = counts.setdefault(found.slot, [0, 0])
            pair[0] += 1
            pair[1] += chance.happens(share if found.slot == best else 0.2, week, number)
        now += timedelta(days=7)
    assert chosen.most_common(1)[0][0] == best
    assert chosen[best] >= 0.8 * 60


def _chosen(plan_id: UUID, learned: Learned, now: datetime) -> Choice:
    workdays = WINDOW._replace(skip_holidays=False)
    found = choose(plan_id, learned, now, now + timedelta(days=20), workdays, STOCKHOLM)
    assert found is not None
    return found


def test_the_gate_waits_once_and_says_why() -> None:
    of = edition(**LEARNS)
    waiting = plan(of, due_at=MONDAY, stale_at=MONDAY + timedelta(days=14))
    decision = decide(waiting, of, facts(MONDAY))
    assert (decision.outcome, decision.reason) == ("deferred", "best_moment")
    assert decision.inputs["slot"] == "tue 10-12"
    assert decision.until is not None
    after = settled(waiting, decision)
    later = facts(decision.until, learned={"transactional/en": Learned({Slot(3, 7): Seen(900, 900)})})
    assert decide(after, of, later).outcome == "requested", "what is learned meanwhile moves it no more"


@pytest.mark.parametrize("window", ["anytime", {"learn": False}])
def test_without_learning_nothing_waits_for_a_better_moment(window: object) -> None:
    of = edition(send={"window": window}, when__fresh_for="14d")
    found = decide(plan(of, stale_at=NOW + timedelta(days=14)), of, facts(NOW + timedelta(hours=1)))
    assert found.reason != "best_moment"


def test_kinds_of_people() -> None:
    assert segment_of("relationship", "user", "sv-SE") == "relationship/user"
    assert segment_of("relationship", None, "sv-SE") == "relationship/sv"
    assert segment_of("relationship", None, "") == "relationship/unknown"


def test_a_slot_is_at_the_persons_place() -> None:
    at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert slot_at(at, Place(ZoneInfo("Asia/Tokyo"))) == (Slot(1, 4), date(2026, 3, 3))


HANDED_OVER = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
ASKED = ask(
    family=Family.RELATIONSHIP,
    handed_over_at=HANDED_OVER,
    snapshot='{"zone": "Europe/Stockholm", "persona": "user", "locale": "sv"}',
)
AT = Moment("relationship/user", date(2026, 3, 3), 5)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Seen(1, 0)),
        ({"heard_at": HANDED_OVER + PATIENCE}, Seen(1, 1)),
        ({"heard_at": HANDED_OVER + PATIENCE + timedelta(seconds=1)}, Seen(1, 0)),
        ({"answered_at": NOW}, Seen(1, 0)),
    ],
    ids=["asked", "answered in time", "answered after a reminder", "a machine answered"],
)
def test_what_an_ask_says(changes: dict[str, Any], expected: Seen) -> None:
    told = replace(ASKED, **changes)
    assert news_of([(replace(told, handed_over_at=None), told)]) == {AT: expected}
    assert news_of([(told, told)]) == {}


def test_what_came_back_says_nothing_any_more() -> None:
    heard = replace(ASKED, heard_at=ASKED.handed_over_at)
    assert news_of([(heard, replace(heard, released_at=NOW))]) == {AT: Seen(-1, -1)}
