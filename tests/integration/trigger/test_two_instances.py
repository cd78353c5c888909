"""Two instances at once on one Postgres: caps hold because the rows of accounts and people are locked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import yaml

from services.trigger.domain.model import Ask
from services.trigger.domain.programme import Programme
from services.trigger.domain.timing import end_of
from services.trigger.store.programmes import current_editions
from services.trigger.store.rows import ask_of
from services.trigger.worker.due import DuePlans
from shared.contracts.envelope import Event
from shared.contracts.surveys import SurveyRequested
from shared.contracts.touchpoints import Touchpoint
from shared.db.database import Connection, Database, Tx
from tests.support.databases import OpenDatabase
from tests.support.trigger import World

ZONE = ZoneInfo("Europe/Stockholm")
BUDGET = 8
"""Of the shipped programme about deliveries: at most so many of one account in 30 days."""
AT_ONCE = 6
pytestmark = pytest.mark.requirement("R53")


async def deliver(world: World, number: int, who: int, account: str = "a1") -> None:
    told = {"id": f"c{who}", "email": f"p{who}@kund.example", "zone": "Europe/Stockholm"}
    order = {"kind": "order", "id": f"o{number}"}
    company = {"id": account, "name": account} if account else None
    await world.tell("order.delivered", contact=told, account=company, subject=order)


class Lockless:
    """A connection that forgets to lock rows of accounts and people; all else is as it is."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def fetch(self, query: str, *values: Any) -> Any:
        """Without the lock where it is taken first."""
        directory = "from accounts" in query or "from contacts" in query
        return await self._conn.fetch(
            query.partition("for no key update")[0] if directory else query, *values
        )


@asynccontextmanager
async def unit(db: Database, *, locked: bool) -> AsyncIterator[Tx]:
    async with db.begin() as tx:
        if not locked:
            tx.conn = cast("Connection", Lockless(tx.conn))
        yield tx


async def at_the_same_moment(world: World, databases: list[Database], *, locked: bool) -> None:
    """Every instance claims before any of them decides, then all decide and commit.

    Each looks further than the one before, so that without locks it finds plans that nobody holds.
    """
    claimed = asyncio.Barrier(len(databases))
    turns = [asyncio.Event() for _ in range(len(databases) + 1)]
    turns[0].set()

    async def turn(number: int, db: Database) -> None:
        loop = DuePlans(db, world.sealer.blind)
        async with unit(db, locked=locked) as tx:
            await turns[number].wait()
            claim = await loop.claim(tx, AT_ONCE * (number + 1))
            turns[number + 1].set()
            await claimed.wait()
            if claim.plans:
                await loop._decide(claim, tx)

    async with asyncio.TaskGroup() as tasks:
        for number, db in enumerate(databases):
            tasks.create_task(turn(number, db))


LOCKS = [
    pytest.param(True, id="with the locks"),
    pytest.param(False, id="without them the same test finds too many"),
]


@pytest.mark.parametrize("locked", LOCKS)
async def test_a_budget_holds_because_the_account_is_locked(
    world: World, database: OpenDatabase, locked: bool
) -> None:
    for number in range(20):
        await deliver(world, number, number)
    world.clock.advance(timedelta(hours=2))
    databases = [await database("trigger") for _ in range(2)]
    await at_the_same_moment(world, databases, locked=locked)
    await world.due()
    asked = len(await world.said(SurveyRequested))
    assert asked == BUDGET if locked else asked >= 2 * AT_ONCE > BUDGET
    assert bool(await broken_caps(world)) is not locked


@pytest.mark.parametrize("locked", LOCKS)
async def test_a_quarantine_holds_because_the_person_is_locked(
    world: World, database: OpenDatabase, locked: bool
) -> None:
    for number in range(2 * AT_ONCE):
        await deliver(world, number, 1, account="")
    world.clock.advance(timedelta(hours=2))
    databases = [await database("trigger") for _ in range(2)]
    await at_the_same_moment(world, databases, locked=locked)
    await world.due()
    assert len(await world.said(SurveyRequested)) == (1 if locked else 2)
    assert bool(await broken_caps(world)) is not locked


ROUNDS, PACE = 60, timedelta(hours=18)
TOUCHED = ("order.delivered", "order.returned", "release.shipped")


def more_programmes(folder: Path) -> None:
    """Beside the shipped one about deliveries two of another family, one of which asks two of an account."""
    plain = yaml.safe_load((folder / "delivery.yaml").read_text())
    plain |= {"family": "relationship", "quarantine": {"contact": "1d", "family": "20d"}, "breakdown": []}
    plain["when"] = {"touchpoint": "order.returned", "per": "order", "fresh_for": "3d"}
    plain["send"] |= {"window": "anytime", "reminders": []}
    some = {"who": "account", "max_per_account": 2}
    crowd = plain | {
        "key": "crowd",
        "audience": some,
        "when": plain["when"] | {"touchpoint": "release.shipped"},
    }
    (folder / "more.yaml").write_text(yaml.safe_dump_all([plain | {"key": "returned"}, crowd]))


async def test_every_cap_holds_under_load(world: World, database: OpenDatabase, programmes: Path) -> None:
    """45 days of events come in for three accounts while two instances decide as fast as they can."""
    more_programmes(programmes)
    await world.publisher.run()
    loops = [DuePlans(await database("trigger"), world.sealer.blind) for _ in range(2)]
    decided: Counter[int] = Counter()
    told = asyncio.Event()

    async def tells() -> None:
        for number in range(ROUNDS):
            await world.handle([happens(world, kind, number, who) for kind in TOUCHED for who in range(3)])
            world.clock.advance(PACE)
        told.set()

    async def decides(number: int, loop: DuePlans) -> None:
        while not told.is_set() or await loop.run():
            decided[number] += await loop.run()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tells())
        for number, loop in enumerate(loops):
            tasks.create_task(decides(number, loop))
    await world.later(days=4)
    assert await broken_caps(world) == []
    assert min(decided[0], decided[1]) > 0, "one instance did everything: nothing was tried"
    reasons = {reason for _, reason in await world.reasons()}
    assert {"quarantined", "account_budget", "sampled_out"} <= reasons
    await world.books()


def happens(world: World, kind: str, number: int, account: int) -> Event[Touchpoint]:
    """The n-th event of a kind at an account, about one of its ten people."""
    who = f"a{account}-{number * 7 % 10}"
    told = {
        "occurred_at": world.clock.now(), "contact": {"id": who, "email": f"{who}@kund.example"},
        "account": {"id": f"a{account}"}, "subject": {"kind": "order", "id": f"{kind}-{account}-{number}"},
    }  # fmt: skip
    name = f"{kind}-{account}-{number}"
    return Event(name, "/crm", kind, world.clock.now(), "", "k", Touchpoint.model_validate(told))


async def broken_caps(world: World) -> list[str]:
    """What was asked against the rules of its programme, looked at ask by ask, without the gate."""
    async with world.db.read() as conn:
        asks = [ask_of(row) for row in await conn.fetch("select * from asks order by asked_at, survey_id")]
        rules = {e.key: e.programme for e in await current_editions(conn)}
        crowds = await conn.fetch(
            "select programme, subject, account_id, count(*) as n from plans "
            "where contact_id is not null and programme = 'crowd' group by 1, 2, 3"
        )
    wrong = [f"crowd: {row['n']} of an account at once" for row in crowds if row["n"] > 2]
    for number, ask in enumerate(asks):
        earlier, programme = asks[:number], rules[ask.programme]
        wrong += [
            f"{ask.programme} after {one.programme}" for one in earlier if too_soon(one, ask, programme)
        ]
        budget = programme.quarantine.account
        ours = [one for one in earlier if ask.account_id and one.account_id == ask.account_id]
        if (
            budget
            and sum(end_of(one.asked_at, budget.per, ZONE) > ask.asked_at for one in ours) >= budget.max
        ):
            wrong.append(f"{ask.programme}: more than the budget")
    return wrong


def too_soon(one: Ask, then: Ask, programme: Programme) -> bool:
    """Whether an ask came inside the quarantine, by person or family, of another of the same person."""
    rules = programme.quarantine
    spans = [rules.contact, *([rules.family] if rules.family and one.family is then.family else [])]
    same = one.contact_id == then.contact_id
    return same and any(end_of(one.asked_at, span, ZONE) > then.asked_at for span in spans)
