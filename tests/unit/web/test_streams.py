"""Places of streams, and what a watcher has not taken yet."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from prometheus_client import REGISTRY

from shared.runtime.feed import MOST_PENDING, Change, News, Watch
from shared.web.problems import Problem
from shared.web.streams import Streams, _written


def refused(reason: str) -> float:
    labels = {"feed": "things", "reason": reason}
    return REGISTRY.get_sample_value("afterword_http_streams_refused_total", labels) or 0.0


def open_now() -> float | None:
    return REGISTRY.get_sample_value("afterword_http_streams", {"feed": "things"})


def test_more_streams_than_a_process_takes_are_refused_and_counted() -> None:
    streams, before = Streams(most=2), refused("full")
    with ExitStack() as open_ones:
        for reader in "ab":
            open_ones.enter_context(streams.seat("things", reader))
        assert open_now() == 2
        with pytest.raises(Problem, match="AFTERWORD_STREAMS") as problem, streams.seat("things", "c"):
            pass
        assert (problem.value.status_code, problem.value.retry_after) == (503, 30)
    assert refused("full") == before + 1
    assert open_now() == 0
    with streams.seat("things", "c"):
        pass


def test_one_reader_does_not_take_the_places_of_all() -> None:
    streams, before = Streams(most=10, most_of_one=2), refused("own")
    with ExitStack() as open_ones:
        for _ in range(2):
            open_ones.enter_context(streams.seat("things", "a"))
        with pytest.raises(Problem) as problem, streams.seat("things", "a"):
            pass
        assert problem.value.status_code == 429
        with streams.seat("things", "b"):
            pass
    assert refused("own") == before + 1
    with streams.seat("things", "a"):
        pass


def test_a_process_that_stops_rings_all_and_opens_none() -> None:
    streams = Streams()
    with streams.seat("things", "a") as bell:
        streams.end()
        assert bell.is_set()
        with pytest.raises(Problem, match="about to stop"), streams.seat("things", "b"):
            pass


def news(place: str, **values: int) -> News:
    return News([Change(key, "changed", str(value)) for key, value in values.items()], place)


def taken(watch: Watch) -> tuple[dict[str, str], str]:
    found = watch.take()
    assert found is not None
    return {change.key: change.data for change in found.changes}, found.place


def test_what_changed_twice_before_it_was_taken_is_told_once_as_it_is() -> None:
    watch = Watch(asyncio.Event())
    watch.begin(news("1", a=1, b=1))
    watch.put(news("2", a=2))
    watch.put(news("3", a=3, c=1))
    assert taken(watch) == ({"a": "3", "b": "1", "c": "1"}, "3")
    assert watch.take() is None


def test_what_was_read_at_the_start_never_hides_what_came_meanwhile() -> None:
    watch = Watch(asyncio.Event())
    watch.put(news("9", a=2))
    watch.begin(news("8", a=1, b=1))
    assert taken(watch) == ({"a": "2", "b": "1"}, "8")


def test_who_does_not_read_is_let_go_instead_of_kept_for() -> None:
    watch = Watch(asyncio.Event())
    for number in range(MOST_PENDING + 1):
        watch.put(news(str(number), **{f"k{number}": 1}))
    assert watch.behind
    assert watch.take() is None


def test_only_the_last_event_carries_the_place_so_that_a_part_is_not_taken_for_the_whole() -> None:
    assert [event.id for event in _written(news("7", a=1, b=2, c=3))] == [None, None, "7"]
    (alone,) = _written(news("8"))
    assert (alone.id, alone.event, alone.raw_data) == ("8", None, None)
