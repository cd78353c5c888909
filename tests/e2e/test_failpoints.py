"""The process dies at every boundary between two effects; the story ends as if nothing had happened.

In this process a death is an exception that nothing catches, and all that was in memory is thrown away; real
kills are in `test_kills.py`.
"""

from __future__ import annotations

import pytest

from demo.chance import Chance
from tests.e2e.conftest import START
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
PAIRS = 24
CHANCE = Chance("pairs of failpoints")


def name_of(name: str) -> str:
    return name.rpartition("/")[2]


CALM = [name for name in NAMES if name_of(name) not in IN_TROUBLE]
TROUBLED = [name for name in NAMES if name_of(name) in IN_TROUBLE and name not in QUIET]


def service_of(name: str) -> str:
    return name.partition("/" if "/" in name else ".")[0]


def pairs() -> list[tuple[str, int, str, int]]:
    """Failpoints of two services with a hit each, drawn by a seed."""
    found: list[tuple[str, int, str, int]] = []
    for number in range(PAIRS):
        one = CHANCE.pick(CALM, number, "one")
        others = [name for name in CALM if service_of(name) != service_of(one)]
        other = CHANCE.pick(others, number, "other")
        found.append((one, CHANCE.pick(HITS, number, "first"), other, CHANCE.pick(HITS, number, "second")))
    return found


def lives() -> list[tuple[str, tuple[int, ...]]]:
    """Each boundary with the hits at which one life dies: all three; one where less is sent after a death."""
    found = [(name, HITS) for name in CALM if name not in BETWEEN]
    return found + [(name, (hit,)) for name in sorted(BETWEEN) for hit in HITS]


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


@pytest.mark.parametrize("name", CALM)
async def test_a_death_changes_nothing(undisturbed: Ending, fresh_database: TestDatabase, name: str) -> None:
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=f"{name}:1:die")
        assert house.crashes == 1, f"{name} was not reached"
    compare(ending, undisturbed, name)


@pytest.mark.parametrize("name", TROUBLED)
async def test_a_death_in_trouble_changes_nothing(
    troubled: Ending, undisturbed: Ending, fresh_database: TestDatabase, name: str
) -> None:
    trouble = Trouble(undisturbed.rounds)
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=f"{name}:1:die", fault=trouble, dead=len(BAD))
        assert house.crashes == 1, f"{name} was not reached"
    same(ending, troubled)


@pytest.mark.chaos
@pytest.mark.parametrize(("name", "hits"), lives())
async def test_deaths_at_the_first_second_and_tenth_hit_change_nothing(
    undisturbed: Ending, fresh_database: TestDatabase, name: str, hits: tuple[int, ...]
) -> None:
    # Where the story comes by less than ten times, its last time stands for the tenth.
    found = sorted({min(hit, undisturbed.hits[name]) for hit in hits})
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=",".join(f"{name}:{hit}:die" for hit in found))
        assert house.crashes == len(found), f"{name} was not reached"
    compare(ending, undisturbed, name)


@pytest.mark.chaos
@pytest.mark.parametrize(("one", "first", "other", "second"), pairs())
async def test_deaths_in_two_services_change_nothing(
    undisturbed: Ending, fresh_database: TestDatabase, one: str, first: int, other: str, second: int
) -> None:
    # After one death the other service may do more at once: half of its hits are sure to come.
    armed = [(n, min(hit, max(1, undisturbed.hits[n] // 2))) for n, hit in ((one, first), (other, second))]
    async with opened(fresh_database, START) as house:
        ending = await live(house, failpoint=",".join(f"{name}:{hit}:die" for name, hit in armed))
        assert house.crashes == 2, f"{armed} were not both reached"
    compare(ending, undisturbed, one, other)
