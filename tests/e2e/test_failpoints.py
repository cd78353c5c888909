"""The process dies at every boundary between two effects; the story ends as if nothing had happened.

In this process a death is an exception that nothing catches, and all that was in memory is thrown away; real
kills are in `test_kills.py`.
"""

from __future__ import annotations

import pytest

from tests.e2e.conftest import START
from tests.support.databases import TestDatabase
from tests.support.failpoint_names import failpoint_names
from tests.support.house import opened
from tests.support.story import Ending, live

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NAMES = failpoint_names()
EVERYWHERE = ("unit.", "consumer.", "relay.")
"""Boundaries that all services share: one death at the first hit would only ever meet the first event."""

MOMENTS = (0.0, 0.2, 0.4, 0.6, 0.8)
BETWEEN = {
    "dispatch.after_handing_over_commit",
    "dispatch.after_accept_before_record",
    "unit.before_commit",
    "unit.after_commit",
}
"""Where a death may leave a mail of which nobody can say whether it went out."""


def cases() -> list[tuple[str, float]]:
    found = [(name, 0.0) for name in NAMES]
    found += [(name, at) for name in NAMES if name.startswith(EVERYWHERE) for at in MOMENTS[1:]]
    return found + [(name, 0.9) for name in NAMES if not name.startswith(EVERYWHERE)]


def test_the_story_is_worth_dying_in(undisturbed: Ending) -> None:
    books = undisturbed.books
    assert set(NAMES) <= undisturbed.hits.keys(), "failpoints that the story never reaches"
    assert (books.trigger.requested, books.trigger.reminded, books.scoring.answered) == (7, 3, 5)
    assert books.trigger.suppressed == {}
    assert sum(books.alerts.tickets.values()) >= 2
    assert set(undisturbed.arrived.values()) == {1}


@pytest.mark.parametrize(("name", "moment"), cases())
async def test_a_death_changes_nothing(
    undisturbed: Ending, fresh_database: TestDatabase, name: str, moment: float
) -> None:
    hit = 1 + int(moment * (undisturbed.hits[name] - 1))
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=f"{name}:{hit}:die")
        assert house.crashes == 1, f"{name} was not reached"
    assert max(ending.arrived.values()) == 1, "somebody got a mail twice"
    assert ending.people == undisturbed.people
    if ending.uncertain:
        assert name in BETWEEN
        return
    for table, rows in undisturbed.things.items():
        assert ending.things[table] == rows, table
    assert ending == undisturbed
