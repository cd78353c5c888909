"""Tables in a folder: when they are due, of which days they tell, and which never go there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.digest import Day
from services.scoring.domain.filing import FILEABLE, Schedule, days_of, due_day, fileable, next_attempt
from services.scoring.domain.tables import SHAPES, Table
from services.scoring.domain.windows import Window

pytestmark = pytest.mark.requirement("R71")


@pytest.mark.parametrize(
    ("now", "schedule", "due"),
    [
        pytest.param("2026-03-02T05:00", Schedule(Day.MONDAY, 5), "2026-03-02", id="at its hour"),
        pytest.param("2026-03-02T04:59", Schedule(Day.MONDAY, 5), "2026-02-23", id="a minute before"),
        pytest.param("2026-03-08T23:00", Schedule(Day.MONDAY, 5), "2026-03-02", id="the week after"),
        pytest.param("2026-03-03T05:00", Schedule(None, 5), "2026-03-03", id="each day"),
        pytest.param("2026-03-03T04:00", Schedule(None, 5), "2026-03-02", id="each day, before the hour"),
    ],
)
def test_the_newest_files_that_are_due(now: str, schedule: Schedule, due: str) -> None:
    assert due_day(datetime.fromisoformat(now).replace(tzinfo=UTC), schedule) == date.fromisoformat(due)


def test_files_tell_of_whole_days_alone() -> None:
    week = days_of(date(2026, 3, 9), Window.WEEK)
    assert week.now == Span(date(2026, 3, 2), date(2026, 3, 8))
    assert week.before == Span(date(2026, 2, 23), date(2026, 3, 1))
    assert days_of(date(2026, 4, 1), Window.QUARTER).now == Span(date(2026, 1, 1), date(2026, 3, 31))


def test_no_words_and_nobody_ever_lies_in_a_folder_that_no_erasure_reaches() -> None:
    kept = {column.name for table in FILEABLE for column in SHAPES[table].columns}
    assert not kept & {"words", "contact_id", "response_id", "context"}
    assert not {Table.FACTS, Table.ANSWERS, Table.COMMENTS} & set(FILEABLE)
    with pytest.raises(ValueError, match=r"comments, colours: no table.*choose among programmes"):
        fileable(["rates", "comments", "colours"])
    assert fileable(["rates", "trend", "rates"]) == (Table.RATES, Table.TREND)


def test_waits_double_up_to_an_hour() -> None:
    assert [next_attempt(n) for n in (1, 2, 20)] == [
        timedelta(seconds=30), timedelta(seconds=60), timedelta(hours=1),
    ]  # fmt: skip
