"""The small parts: limits of dead letters, failpoints, bell, backoff, ids, errors of the database."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from shared.db.errors import is_transient
from shared.errors import Unavailable, Unprocessable
from shared.runtime import failpoints
from shared.runtime.backoff import MOST_SECONDS, Backoff
from shared.runtime.bell import Bell
from shared.runtime.clock import FakeMachine
from shared.runtime.deadletters import DeathWatch, Limits
from shared.runtime.ids import derive, random_id
from shared.runtime.outbox import dump_headers, load_headers


def test_dead_records_in_a_row_stop_a_partition_at_the_limit() -> None:
    watch = DeathWatch(Limits(consecutive=3))
    assert [watch.saw(dead=d) for d in (True, True, False, True, True, True)] == [False] * 5 + [True]


def test_a_share_of_dead_records_stops_a_partition_only_once_enough_were_seen() -> None:
    watch = DeathWatch(Limits(consecutive=100, share=0.5, window=20, least=10))
    fates = [watch.saw(dead=n % 3 != 0) for n in range(10)]
    assert fates == [False] * 9 + [True]


def test_only_the_last_records_of_a_window_count() -> None:
    watch = DeathWatch(Limits(consecutive=100, share=0.5, window=10, least=10))
    early = [watch.saw(dead=n % 2 == 0) for n in range(10)]
    late = [watch.saw(dead=False) for _ in range(10)]
    again = [watch.saw(dead=True) for _ in range(6)]
    assert not any(early + late)
    assert again == [False] * 5 + [True]


def test_a_failpoint_fails_at_the_hit_it_is_armed_for() -> None:
    failpoints.disarm()
    failpoints.arm("here:2:raise,there:1:unavailable")
    try:
        failpoints.failpoint("here")
        with pytest.raises(failpoints.FailpointHit):
            failpoints.failpoint("here")
        with pytest.raises(Unavailable):
            failpoints.failpoint("there")
        failpoints.failpoint("there")
        assert failpoints.hits() == {"here": 2, "there": 2}
    finally:
        failpoints.disarm()


async def test_a_ring_wakes_everybody_who_listens_and_nobody_twice() -> None:
    bell = Bell()
    first, second = bell.listen(), bell.listen()
    bell.ring()
    later = bell.listen()
    async with asyncio.timeout(1):
        await first.wait()
        await second.wait()
    assert not later.is_set()


async def test_waits_double_up_to_a_bound_and_start_small_after_success() -> None:
    machine = FakeMachine()
    backoff = Backoff(machine)
    spans = []
    for _ in range(8):
        before = machine.monotonic()
        await backoff.wait()
        spans.append(machine.monotonic() - before)
    assert spans[:3] == pytest.approx([0.1, 0.2, 0.4])
    assert spans[-1] == pytest.approx(MOST_SECONDS)
    backoff.reset()
    before = machine.monotonic()
    await backoff.wait()
    assert machine.monotonic() - before == pytest.approx(0.1)


def test_derived_ids_repeat_and_keep_their_parts_apart() -> None:
    assert derive("survey", 1) == derive("survey", 1)
    assert derive("ab", "c") != derive("a", "bc")
    assert isinstance(random_id(), UUID)


def test_header_bytes_survive_the_outbox() -> None:
    headers = (("a", bytes(range(256))), ("a", b""))
    assert load_headers(dump_headers(headers)) == headers


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        pytest.param(ConnectionRefusedError(), True, id="refused"),
        pytest.param(ConnectionResetError(), True, id="reset"),
        pytest.param(TimeoutError(), True, id="time-out"),
        pytest.param(Unavailable("x"), True, id="unavailable"),
        pytest.param(asyncpg.InterfaceError("connection is closed"), True, id="closed connection"),
        pytest.param(asyncpg.InternalClientError("torn"), True, id="torn connection"),
        pytest.param(asyncpg.ConnectionDoesNotExistError(), True, id="08003"),
        pytest.param(asyncpg.CannotConnectNowError(), True, id="starting up"),
        pytest.param(asyncpg.AdminShutdownError(), True, id="shutting down"),
        pytest.param(asyncpg.DeadlockDetectedError(), True, id="deadlock"),
        pytest.param(asyncpg.SerializationError(), True, id="lost race"),
        pytest.param(asyncpg.DiskFullError(), True, id="disk full"),
        pytest.param(asyncpg.LockNotAvailableError(), True, id="lock time-out"),
        pytest.param(asyncpg.UniqueViolationError(), False, id="unique violation"),
        pytest.param(asyncpg.CardinalityViolationError(), False, id="two rows of one key"),
        pytest.param(asyncpg.UndefinedColumnError(), False, id="wrong statement"),
        pytest.param(asyncpg.DataError("wrong argument"), False, id="wrong argument"),
        pytest.param(Unprocessable("x"), False, id="unprocessable"),
        pytest.param(FileNotFoundError(), False, id="missing file"),
        pytest.param(ValueError(), False, id="bug"),
    ],
)
def test_what_is_waited_for_and_what_is_a_defect(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient
