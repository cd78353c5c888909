"""A seed gives one schedule; counts are kept; faults hit what exists."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.proxy import TroubleKind
from tests.chaos.schedule import SERVICES, Counts, Fault, FaultKind, schedule

COUNTS = Counts(kills=60, stops=4, postgres=20, brokers=10, losses=5, links=50, mails=14, clocks=12)


def faults(seed: str) -> list[Fault]:
    found = schedule(seed, COUNTS)
    return [*(fault for lane in found.lanes.values() for fault in lane), *found.alone]


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert schedule("7", COUNTS) == schedule("7", COUNTS)
    assert schedule("7", COUNTS) != schedule("8", COUNTS)


def test_every_fault_that_was_asked_for_is_there_once() -> None:
    happening = Counter(fault.kind for fault in faults("7"))
    assert happening == {
        FaultKind.KILL: 60,
        FaultKind.STOP: 4,
        FaultKind.POSTGRES: 20,
        FaultKind.BROKER: 10,
        FaultKind.BROKER_LOST: 5,
        FaultKind.LINK: 50,
        FaultKind.MAIL: 14,
        FaultKind.CLOCK: 12,
    }
    assert len({(fault.kind, fault.number) for fault in faults("7")}) == len(faults("7"))


def test_more_faults_of_one_kind_do_not_change_the_others() -> None:
    before = {one for one in faults("7") if one.kind is FaultKind.KILL}
    more = schedule("7", Counts(kills=60, links=500))
    assert {one for one in more.lanes["processes"] if one.kind is FaultKind.KILL} == before


def test_a_part_of_the_crashes_happens_when_nothing_else_is_broken() -> None:
    happening = Counter(fault.kind for fault in schedule("7", COUNTS).alone)
    assert happening == {FaultKind.POSTGRES: 4, FaultKind.BROKER: 2, FaultKind.BROKER_LOST: 1}


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_kills_reach_both_instances_of_every_service(seed: str) -> None:
    killed = {one.where for one in faults(seed) if one.kind is FaultKind.KILL}
    assert killed == {f"{service}-{name}" for service in SERVICES for name in ("a", "b")}


def test_links_break_in_every_way() -> None:
    assert {one.how for one in faults("1") if one.kind is FaultKind.LINK} == set(TroubleKind)


def test_a_stop_outlasts_the_session_of_a_consumer() -> None:
    assert all(one.seconds > 6 for one in faults("1") if one.kind is FaultKind.STOP)


def test_counts_add_up() -> None:
    assert Counts(kills=1, links=2) + Counts(kills=3, disks=1) == Counts(kills=4, links=2, disks=1)
