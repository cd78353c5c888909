"""The process dies at every boundary between two effects; the story ends as if nothing had happened.

In this process a death is an exception that nothing catches, and all that was in memory is thrown away; real
kills are in `test_kills.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.e2e.conftest import START, NewDatabase
from tests.support.databases import TestDatabase
from tests.support.failpoint_names import failpoint_names
from tests.support.house import opened
from tests.support.story import Ending, live, same
from tests.support.troubles import BAD, Trouble

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]

NAMES = failpoint_names()
IN_TROUBLE = (
    "consumer.after_putting_aside",
    "consumer.after_burial",
    "consumer.after_rewind",
    "relay.after_republish",
)
"""Boundaries that a story without bad records and without the loss of the broker never comes to."""

QUIET = frozenset(
    {f"{name}/consumer.after_putting_aside" for name in ("dispatch", "collector", "scoring", "alerts")}
    | {f"{name}/consumer.after_burial" for name in ("dispatch", "collector", "scoring", "alerts")}
)
"""Four services hear only ours, which are never bad; trigger stands for them, the code is shared."""

BETWEEN = frozenset(
    {
        "dispatch.after_handing_over_commit",
        "dispatch.after_accept_before_record",
        "dispatch/unit.before_commit",
        "dispatch/unit.after_commit",
    }
)
"""Where a death may leave a mail of which nobody can say whether it went out."""

HITS = (1, 2, 10)
TOGETHER = 3
"""Boundaries of several services that one life dies at, each at all its hits: so deaths meet, too."""


def name_of(name: str) -> str:
    return name.rpartition("/")[2]


CALM = [name for name in NAMES if name_of(name) not in IN_TROUBLE]
TROUBLED = [name for name in NAMES if name_of(name) in IN_TROUBLE and name not in QUIET]


def together() -> list[tuple[str, ...]]:
    """The boundaries of calm stories, some of different services at a time."""
    names = [name for name in CALM if name not in BETWEEN]
    apart = -(-len(names) // TOGETHER)  # sorted by service: who is far apart is of another one
    return [tuple(names[start::apart]) for start in range(apart)]


def compare(ending: Ending, undisturbed: Ending, *names: str) -> None:
    assert max(ending.arrived.values()) == 1, "somebody got a mail twice"
    if ending.uncertain:
        assert BETWEEN & set(names)
        unasked = set(undisturbed.people["asked"]) - set(ending.people["asked"])
        assert len(unasked) <= ending.uncertain
        # Whose first mail was lost answers a reminder instead: their case may end after the story does.
        late = undisturbed.people["answered"] - ending.people["answered"]
        assert unasked or 0 <= late <= ending.uncertain
        answered = undisturbed.people["answered"] - late
        assert unasked or ending.people == {**undisturbed.people, "answered": answered}
        return
    assert ending.people == undisturbed.people
    for table, rows in undisturbed.things.items():
        assert ending.things[table] == rows, table
    assert ending == undisturbed


def test_the_story_is_worth_dying_in(undisturbed: Ending, troubled: Ending) -> None:
    books = undisturbed.books
    assert [name for name in CALM if name not in undisturbed.hits] == [], "never reached"
    assert [name for name in TROUBLED if name not in troubled.hits] == [], "never reached"
    assert (books.trigger.requested, books.trigger.reminded, books.scoring.answered) == (9, 3, 6)
    assert books.trigger.suppressed == {}
    assert sum(books.alerts.tickets.values()) >= 2
    assert set(undisturbed.arrived.values()) == {1}
    assert sum(troubled.books.dead.values()) == len(BAD)


@pytest.mark.parametrize("name", TROUBLED)
async def test_a_death_in_trouble_changes_nothing(
    troubled: Ending, undisturbed: Ending, fresh_database: TestDatabase, name: str
) -> None:
    trouble = Trouble(undisturbed.rounds)
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=f"{name}:1:die", fault=trouble, dead=len(BAD))
        assert house.crashes == 1, f"{name} was not reached"
    same(ending, troubled)


@pytest.mark.parametrize("names", together(), ids="+".join)
async def test_a_death_changes_nothing(
    undisturbed: Ending, new_database: NewDatabase, names: tuple[str, ...]
) -> None:
    await each_dies(undisturbed, new_database, names, HITS[:1])


@pytest.mark.chaos
@pytest.mark.parametrize("names", together(), ids="+".join)
async def test_deaths_at_the_first_second_and_tenth_hit_change_nothing(
    undisturbed: Ending, new_database: NewDatabase, names: tuple[str, ...]
) -> None:
    await each_dies(undisturbed, new_database, names, HITS)


@pytest.mark.parametrize("hit", [1, *(pytest.param(hit, marks=pytest.mark.chaos) for hit in HITS[1:])])
@pytest.mark.parametrize("name", sorted(BETWEEN))
async def test_a_death_while_a_mail_is_handed_over_sends_nothing_twice(
    undisturbed: Ending, fresh_database: TestDatabase, name: str, hit: int
) -> None:
    # Less is sent after such a death, so one life dies once.
    assert await dying(undisturbed, fresh_database, (name,), (hit,)) == [], "never reached"


async def each_dies(
    undisturbed: Ending, new_database: NewDatabase, names: Sequence[str], hits: Sequence[int]
) -> None:
    """Live once with all these deaths, and once more for each that was not come to."""
    async with new_database() as database:
        missed = await dying(undisturbed, database, names, hits)
    # After a death more is done at once, so another place may be come by less often: it has a life alone.
    for name in missed:
        async with new_database() as database:
            assert await dying(undisturbed, database, (name,), hits) == [], "never reached"


async def dying(
    undisturbed: Ending, database: TestDatabase, names: Sequence[str], hits: Sequence[int]
) -> list[str]:
    """Live, die at each of these hits of these boundaries; returns those that were not come by so often."""
    # Where the story comes by less often, its last time stands for the tenth.
    armed = {name: {min(hit, undisturbed.hits[name]) for hit in hits} for name in names}
    async with opened(database, START) as house:
        ending = await live(house, failpoint=",".join(f"{n}:{hit}:die" for n in names for hit in armed[n]))
        assert house.crashes == sum(hit <= ending.hits[n] for n in names for hit in armed[n])
    compare(ending, undisturbed, *names)
    return [name for name in names if ending.hits[name] < max(armed[name])]
