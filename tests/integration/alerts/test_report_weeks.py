"""Reports read sums of weeks, and say what all cases say, whatever happened to these since."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random  # noqa: TID251 - seeded: the same story each time
from typing import Any

import pytest

from services.alerts.domain.care import KINDS, Care, Line, Round, Whom, care, rounds, told
from services.alerts.domain.model import Kind
from services.alerts.domain.outcomes import Outcomes
from services.alerts.handlers.actions import Action
from services.alerts.handlers.reporting import AT_ONCE, add_up, check, rebuild
from services.alerts.store import care as cared
from services.alerts.store import outcomes, weeks
from services.alerts.store.care import Whose
from services.alerts.worker import ring_clocks
from shared.contracts.responses import ResponseAmended
from shared.db.database import Connection
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import Site, site
from tests.support.alerts import HOUR, T0
from tests.support.databases import OpenDatabase

pytestmark = pytest.mark.requirement("R72", "R83")
Span = tuple[datetime, datetime]
DAY = timedelta(days=1)
DEEDS = (
    Action.ACKNOWLEDGE, Action.CONTACT, Action.CONTACT, Action.RESOLVE, Action.RESOLVE, Action.RESOLVE,
    Action.REOPEN, Action.DENY, Action.CONFIRM, Action.UNDO, Action.ASSIGN, Action.ACCEPT,
)  # fmt: skip


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    made = site(await database("alerts"), sealer, clock)
    await made.sign_in_everybody()
    return made


async def live(on: Site, draw: Random, said: list[tuple[str, str, int]], steps: int) -> None:
    """Weeks of a house: customers complain and change their mind, people act and take back, clocks ring.

    `said`: names of answers, who gave them, and their newest versions.
    """
    for number in range(1000 * len(said), 1000 * len(said) + steps):
        on.clock.advance(HOUR * draw.choice((0.1, 0.1, 5, 20, 60)))
        now = on.clock.now()
        if not said or draw.random() < 0.3:
            name, who = f"r{number}", f"c{draw.randrange(6)}"
            said.append((name, who, 1))
            told = await on.says.answered(name, draw.randrange(6), now, account=who, contact=who)
            await on.hears(told)
        elif draw.random() < 0.15:
            place = draw.randrange(len(said))
            name, who, version = said[place]
            said[place] = name, who, version + 1
            told = await on.says.answered(
                name, draw.choice((2, 9)), now, account=who, contact=who, model=ResponseAmended,
                version=version + 1,
            )  # fmt: skip
            await on.hears(told)
        else:
            name, _, _ = draw.choice(said[-8:])
            to, by = on.users[draw.choice(("rita", "ola"))], draw.choice(("rita", "ola"))
            more = {"to": to, "cause": "other", "note": "Spoke with them.", "via": "phone"}
            await on.does(by, name, draw.choice(DEEDS), **more)
        while await ring_clocks(on.desk, on.db):
            pass
        if draw.random() < 0.1:
            async with on.db.begin() as tx:
                await tx.conn.execute(
                    "update tickets set team = 'nordic' where id = $1", await on.case_of(name)
                )
        if draw.random() < 0.2:
            await add_up(on.db)


async def by_hand(conn: Connection, span: Span, now: datetime) -> dict[Whom, Care]:
    """What all timelines of all cases say."""
    rows = await conn.fetch(
        """
        select t.id, t.team, t.owner, l.kind, l.at, coalesce(l.data ->> 'clock', '') as clock,
            coalesce(l.data ->> 'level', '0')::int as level, coalesce(l.data ->> 'action', '') as action
        from tickets t join timeline l on l.ticket_id = t.id where l.kind = any($1) order by t.id, l.id
        """,
        [kind.value for kind in KINDS],
    )
    found: dict[Whom, list[Round]] = defaultdict(list)
    for (_, team, owner), lines in groupby(rows, key=lambda row: (row["id"], row["team"], row["owner"])):
        one = rounds(Line(Kind(r["kind"]), r["at"], r["clock"], r["level"], r["action"]) for r in lines)
        found[team, owner] += [each for each in one if span[0] <= each.started_at < span[1]]
    return {whom: care(group, now) for whom, group in found.items() if group}


async def ended_by_hand(conn: Connection, span: Span) -> dict[Whom, Outcomes]:
    """What all cases say that ended in a span, or were denied in it."""
    rows = await conn.fetch(
        """
        with denied as (
            select distinct ticket_id as id from timeline
            where kind = 'denied' and at >= $1 and at < $2 and not data ?| array['late', 'of']
        )
        select t.team, t.owner, count(*),
            count(*) filter (where t.state = 'resolved' and t.confirmed_at is not null), count(d.id),
            count(*) filter (where t.state <> 'resolved')
        from tickets t left join denied d using (id)
        where d.id is not null
            or t.state = 'resolved' and t.how = 'person' and t.ended_at >= $1 and t.ended_at < $2
        group by t.team, t.owner
        """,
        *span,
    )
    return {(row["team"], row["owner"]): Outcomes(*tuple(row)[2:]) for row in rows}


async def compare(on: Site, spans: list[Span]) -> None:
    """See to it that sums and cases say the same of some spans."""
    now = on.clock.now()
    async with on.db.snapshot() as conn:
        for span in spans:
            whole = await by_hand(conn, span, now)
            found = await cared.since(conn, on.desk.memory, span, Whose(), now)
            assert {whom: told(sum_) for whom, sum_ in found.items()} == whole, span
            assert await outcomes.since(conn, *span) == await ended_by_hand(conn, span), span
            for whose in (Whose("nordic"), Whose("", on.users["rita"]), Whose(nobody=True)):
                part = await cared.since(conn, on.desk.memory, span, whose, now)
                assert {whom: told(sum_) for whom, sum_ in part.items()} == {
                    whom: sums for whom, sums in whole.items() if whose.means(whom)
                }


async def counts(on: Site, query: str) -> int:
    async with on.db.read() as conn:
        found: int = await conn.fetchval(query)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_sums_say_what_all_cases_say_whatever_happens(on: Site, seed: int) -> None:
    draw, said = Random(seed), list[tuple[str, str, int]]()
    on.clock.set(T0)
    for _ in range(4):
        await live(on, draw, said, 45)
        now = on.clock.now()
        edges = sorted(T0 + draw.random() * (now - T0) for _ in range(2))
        monday = datetime.combine(date(2026, 3, 9), datetime.min.time(), T0.tzinfo)
        spans = [(T0 - DAY, now + DAY), (edges[0], edges[1]), (monday, monday + 14 * DAY)]
        await compare(on, spans)
        while await add_up(on.db):
            pass
        assert await counts(on, "select count(*) from stale_weeks") == 0
        await compare(on, spans)
    assert await counts(on, "select count(*) from tickets where generation > 1 and ended_at > $$epoch$$") > 0
    assert await counts(on, "select count(*) from case_weeks where care::text <> $$[]$$") > 2
    assert await check(on.db) == (await counts(on, "select count(*) from case_weeks"), [])


async def test_a_case_that_ends_while_its_week_is_added_up_is_not_lost(on: Site) -> None:
    on.clock.set(T0)
    await on.hears(await on.says.answered("one", 2, T0), await on.says.answered("two", 2, T0, account="b"))
    await on.does("rita", "one", Action.CONTACT, via="phone")
    await on.does("rita", "two", Action.CONTACT, via="phone")
    await on.does("rita", "one", Action.RESOLVE, cause="other", note="Replaced.")
    second = await on.case_of("two")
    async with on.db.begin() as tx:
        await tx.conn.execute(
            "update tickets set state = 'resolved', how = 'person', ended_at = $2, version = version + 1 "
            "where id = $1",
            second,
            T0 + HOUR,
        )
        await add_up(on.db)  # sees the first alone: the second is not yet committed
    span = T0 - 3 * DAY, T0 + 30 * DAY
    async with on.db.snapshot() as conn:
        found = await outcomes.since(conn, *span)
    assert sum(one.cases for one in found.values()) == 2
    await add_up(on.db)
    assert await check(on.db) == (1, [])
    async with on.db.snapshot() as conn:
        assert await outcomes.since(conn, *span) == found


async def test_two_workers_never_add_up_at_the_same_time(on: Site) -> None:
    on.clock.set(T0)
    await on.hears(await on.says.answered("one", 2, T0))
    await on.does("rita", "one", Action.CONTACT, via="phone")
    await on.does("rita", "one", Action.RESOLVE, cause="other", note="Replaced.")
    async with on.db.begin() as tx:
        assert await weeks.take_stale(tx.conn, AT_ONCE) == [date(2026, 3, 2)]
        async with asyncio.timeout(5):  # the other neither waits nor takes any
            await add_up(on.db)
        assert await counts(on, "select count(*) from case_weeks") == 0
    assert await counts(on, "select count(*) from stale_weeks") == 0


async def test_what_is_kept_wrongly_is_found_and_mended(on: Site) -> None:
    on.clock.set(T0)
    await on.hears(await on.says.answered("one", 2, T0))
    await on.does("rita", "one", Action.CONTACT, via="phone")
    await on.does("rita", "one", Action.RESOLVE, cause="other", note="Replaced.")
    await add_up(on.db)
    async with on.db.begin() as tx:
        await tx.conn.execute("update case_weeks set outcomes = '[]'")
    assert await check(on.db) == (1, [date(2026, 3, 2)])
    assert await rebuild(on.db) == 1
    await compare(on, [(T0 - 3 * DAY, T0 + 30 * DAY)])
    await add_up(on.db)
    assert await check(on.db) == (1, [])


async def test_a_week_in_which_a_case_changes_after_its_end_is_added_up_anew(on: Site) -> None:
    on.clock.set(T0)
    await on.hears(await on.says.answered("one", 2, T0))
    await on.does("rita", "one", Action.CONTACT, via="phone")
    await on.does("rita", "one", Action.RESOLVE, cause="other", note="Replaced.")
    await add_up(on.db)
    on.clock.set(T0 + 10 * DAY)
    await on.does("rita", "one", Action.CONFIRM)
    assert await counts(on, "select count(distinct week) from stale_weeks") == 1
    whom: Any = ("", on.users["rita"])
    async with on.db.snapshot() as conn:
        assert (await outcomes.since(conn, T0 - 3 * DAY, T0 + 30 * DAY))[whom] == Outcomes(1, 1)
    await add_up(on.db)
    async with on.db.snapshot() as conn:
        assert (await outcomes.since(conn, T0 - 3 * DAY, T0 + 30 * DAY))[whom] == Outcomes(1, 1)
