"""A million stored answers behind an inbox: 400 open cases in all states, 60,000 ended ones, 25 reps.

Beside them 400 open tasks and 50,000 ended ones, and a road map with what was shipped and what it changed.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import asyncpg

from benchmarks.cluster import Cluster
from benchmarks.company import sealer
from services.alerts.domain.improvements import Plan
from services.alerts.domain.rota import Rota
from services.alerts.handlers import counting, improving, reporting
from services.alerts.handlers.actions import Action
from services.alerts.store import rota
from services.alerts.worker import hand_over, ring_clocks
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.envelope import Event
from shared.contracts.model import Person, Tier
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.people import NewUser
from shared.security.roles import Role
from tests.support.alert_site import PASSWORD, Letterbox, Site, site
from tests.support.alerts import event

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ENDED_FOR = timedelta(days=120)
NAME = "cases_1000000"
ACCOUNTS, REPS = 2000, 25
OPEN, ENDED, HOURS = 400, 600, 36
HAPPY_COPIES, ENDED_COPIES, TASK_COPIES = 470, 100, 30
"""How often 2,000 happy answers, 600 ended cases and 1,600 ended tasks are repeated, back in time."""
WAITING, SHIPPED, OVER = 40, 12, 60
"""Improvements on the road map, shipped within the last 90 days, and measured."""

WORDS = (
    "Third time this month that the export runs empty. I opened two tickets and nobody called back.",
    "The delivery was late again and two boxes were damaged. We had to send our own people home.",
    "It takes far too long until somebody answers.",
    "Your invoice is wrong for the second time. If this is not solved before our quarter ends we cannot pay.",
)
_COLUMNS = """
select column_name, data_type from information_schema.columns
where table_schema = 'alerts' and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO'
order by ordinal_position
"""


def rep(number: int) -> str:
    """The address of one of those who care for customers."""
    return f"rep{number}@example.com"


def desk_of(db: Database, clock: FixedClock) -> Site:
    """The service on this database, with the secrets that everything in it is sealed with."""
    return site(db, sealer(), clock)


async def prepare(server: Cluster, clock: FixedClock) -> None:
    """Find the database as an earlier run left it, or fill it."""
    if not await server.holds(NAME, "alerts"):
        await _fill(server, clock)
    await server.warm(NAME, "alerts", kinds=("i",))


async def _fill(server: Cluster, clock: FixedClock) -> None:
    started = time.perf_counter()
    print(f"filling {NAME}: {OPEN} open cases, {ENDED * (1 + ENDED_COPIES):,} ended ones", flush=True)
    await server.fresh(NAME, "alerts")
    db = await server.database(NAME, "alerts", clock)
    on = desk_of(db, clock)
    clock.set(NOW - timedelta(days=30))
    await _people(on)
    await _happy(on, clock)
    await _ended(on, clock)
    async with server.admin(NAME) as conn:
        await _repeat(conn)
    await _open(on, clock)
    await _improve(on, clock)
    await reporting.rebuild(db)  # of what was repeated no trigger took note
    while await reporting.add_up(db):
        pass
    await db.close()
    async with server.admin(NAME) as conn:
        await conn.execute("set search_path to alerts")
        await conn.execute("truncate outbox")
        await conn.execute("vacuum analyze", timeout=3600)
        await conn.execute("checkpoint", timeout=600)
    await server.keep(NAME, "alerts")
    print(f"  filled in {time.perf_counter() - started:.0f} s", flush=True)


async def _people(on: Site) -> None:
    """Reps and their rota, customers and one contact at each."""
    for number in range(REPS):
        role = Role.MANAGER if number % 10 == 0 else Role.REP
        new = NewUser(email=rep(number), name=f"Rep Number {number}", role=role, zone="Europe/Stockholm")
        invitation = await on.access.invite(new)
        await on.access.set_up(invitation.token, PASSWORD)
        on.users[rep(number)] = invitation.user.id
    async with on.db.begin() as tx:
        await rota.save(tx.conn, Rota(tuple(on.users.values())[:6], date(2025, 3, 3), 9, "Europe/Stockholm"))
    told: list[Event[Any]] = []
    async with on.db.begin() as tx:
        people = [(derive("contact", f"c{n}"), _person(n)) for n in range(ACCOUNTS)]
        sealed = await on.desk.sealer.seal(tx.conn, people)
    for number in range(ACCOUNTS):
        account = AccountChanged(
            account_id=str(derive("account", f"a{number}")), version=1, name=f"Customer number {number}",
            tier=list(Tier)[number % 3], industry="logistics", owner=rep(number % REPS),
            annual_value=1000 + number * 37 % 90_000, phase="use", renewal_on=date(2026, 9, 1),
        )  # fmt: skip
        contact = ContactChanged(
            contact_id=str(derive("contact", f"c{number}")), version=1, person=sealed[number],
            job_function="operations", zone="Europe/Stockholm",
        )  # fmt: skip
        told += [event(account, NOW), event(contact, NOW)]
    await on.hears(*told)
    on.says.names = {f"c{number}": _person(number) for number in range(ACCOUNTS)}


def _person(number: int) -> Person:
    return Person(
        name=f"Ana Quintero {number}", email=f"ana{number}@customer.example", phone=f"+4670{number:07}"
    )


async def _answer(on: Site, name: str, number: int, score: int, at: datetime) -> Event[Any]:
    return await on.says.answered(
        name, score, at, account=f"a{number}", contact=f"c{number}", words=WORDS[number % len(WORDS)],
        close_the_loop=CloseTheLoop(happy_task="testimonial"), permissions=("quote",),
    )  # fmt: skip


async def _happy(on: Site, clock: FixedClock) -> None:
    for first in range(0, ACCOUNTS, 100):
        at = clock.now() + timedelta(seconds=first)
        await on.hears(*[await _answer(on, f"happy{n}", n, 9, at) for n in range(first, first + 100)])
    async with on.db.begin() as tx:
        await tx.conn.execute(
            "update tasks set state = 'done', ended_at = answered_at + interval '9 days' where due_at <= ("
            "select due_at from tasks order by due_at desc offset 400 limit 1)"
        )


async def _ended(on: Site, clock: FixedClock) -> None:
    """Cases from the first word to the last, with what reps write on the way."""
    start = clock.now()
    for number in range(ENDED):
        clock.set(start + timedelta(minutes=number))
        name, who = f"ended{number}", rep(number % REPS)
        await on.hears(await _answer(on, name, number, 2 + number % 4, clock.now()))
        await on.does(who, name, Action.ACKNOWLEDGE)
        clock.advance(timedelta(hours=3))
        await on.does(who, name, Action.ATTEMPT, via="phone", note="Voice mail. Left my number.")
        await on.does(who, name, Action.CONTACT, via="phone", note="Apologised; sending a replacement.")
        await on.does(who, name, Action.RESOLVE, cause="other", note="All is well again.")
    clock.set(start + timedelta(days=1))
    await _told(on)


async def _open(on: Site, clock: FixedClock) -> None:
    """The cases of the last day and a half; clocks ring meanwhile, and every other case has moved on."""
    draw = Random(7)
    customers = draw.sample(range(ENDED, ACCOUNTS), OPEN)
    each = -(-OPEN // HOURS)
    for hour in range(HOURS):
        clock.set(NOW - timedelta(hours=HOURS - hour))
        mine = customers[hour * each : (hour + 1) * each]
        await on.hears(*[await _answer(on, f"open{n}", n, draw.randint(0, 6), clock.now()) for n in mine])
        clock.advance(timedelta(minutes=20))
        for number in mine[::2]:
            who, name = rep(number % REPS), f"open{number}"
            await on.does(who, name, Action.ACKNOWLEDGE)
            await on.does(who, name, Action.ATTEMPT, via="phone", note="Voice mail. Left my number.")
            if number % 3 == 0:
                await on.does(who, name, Action.CONTACT, via="mail", note="They expect a call on Friday.")
        while await ring_clocks(on.desk, on.db):
            pass
        await _told(on)
    clock.set(NOW)
    while await ring_clocks(on.desk, on.db):
        pass
    await _told(on)


async def _improve(on: Site, clock: FixedClock) -> None:
    """A road map: each improvement comes from some cases, the shipped ones are to raise a score."""
    async with on.db.read() as conn:
        rows = await conn.fetch("select id from tickets order by id limit $1", 8 * (WAITING + SHIPPED + OVER))
    for number in range(WAITING + SHIPPED + OVER):
        owner = on.users[rep(number % REPS)]
        plan = Plan(
            f"Improvement number {number}", 1 + number % 5, 1 + number // 5 % 5, owner,
            date(2026, 3, 1) + timedelta(days=number), "other", "ticket-resolved",
        )  # fmt: skip
        one, linked = derive("improvement", number), rows[8 * number : 8 * number + 8]
        shipped_for = timedelta(days=5 + 6 * (number - WAITING)) if number < WAITING + SHIPPED else ENDED_FOR
        clock.set(NOW - shipped_for)
        async with on.db.begin() as tx:
            await improving.keep(on.desk, tx, one, plan, owner)
            for row in linked:
                wish = improving.Wish(improving.Action.LINK, owner, ticket=row["id"])
                await improving.act(on.desk, tx, one, wish)
            if number >= WAITING:
                wish = improving.Wish(improving.Action.SHIP, owner)
                await improving.act(on.desk, tx, one, wish)
    clock.set(NOW)
    while await counting.count_effects(on.db):
        pass
    async with on.db.begin() as tx:
        for number in range(WAITING + SHIPPED, WAITING + SHIPPED + OVER):
            wish = improving.Wish(improving.Action.MEASURE, on.users[rep(0)], note="Fewer complaints since.")
            await improving.act(on.desk, tx, derive("improvement", number), wish)


async def _told(on: Site) -> None:
    for channel in ("email", "slack"):
        while await hand_over(on.desk, on.db, Letterbox(channel), "https://afterword.example"):
            pass


async def _repeat(conn: asyncpg.Connection[Any]) -> None:
    """Write ended cases and happy answers again, further and further back in time."""
    await conn.execute("set search_path to alerts")
    ended = "state in ('resolved', 'closed')"
    mine = "ticket_id in (select id from tickets where state in ('resolved', 'closed'))"
    voiced = (
        "response_id in (select v.response_id from voices v join tickets t on t.id = v.ticket_id"
        " where t.state in ('resolved', 'closed'))"
    )
    span = "7 days"
    await _copy(conn, "answers", f"not {voiced}", HAPPY_COPIES, "36 hours", ("response_id", "survey_id"))
    await _copy(conn, "answers", voiced, ENDED_COPIES, span, ("response_id", "survey_id"))
    # Children first: a repeated ticket would have its own children repeated once more.
    await conn.execute("set session_replication_role to replica")
    attempts = (
        "notice_id in (select n.id from notices n join tickets t on t.id = n.ticket_id"
        " where t.state in ('resolved', 'closed'))"
    )
    await _copy(conn, "notice_attempts", attempts, ENDED_COPIES, span, ("notice_id",))
    done = "task_id in (select id from tasks where state = 'done')"
    await _copy(conn, "task_lines", done, TASK_COPIES, span, ("task_id",))
    tasks = ("id", "response_id", "subject")
    await _copy(conn, "tasks", "state = 'done'", TASK_COPIES, span, tasks)
    await _copy(conn, "notices", mine, ENDED_COPIES, span, ("id", "ticket_id"))
    await _copy(conn, "timeline", mine, ENDED_COPIES, span, ("ticket_id",))
    await _copy(conn, "voices", mine, ENDED_COPIES, span, ("response_id", "ticket_id", "survey_id"))
    await _copy(conn, "tickets", ended, ENDED_COPIES, span, ("id",))
    await conn.execute("set session_replication_role to origin")


async def _copy(
    conn: asyncpg.Connection[Any], table: str, where: str, copies: int, span: str, ids: Collection[str]
) -> None:
    """Repeat rows of a table, each copy with ids of its own and that much earlier."""
    names: list[str] = []
    values: Sequence[str] = []
    for name, kind in map(tuple, await conn.fetch(_COLUMNS, table)):
        names.append(name)
        if name in ids:
            values = [*values, f"md5({name}::text || n)::uuid"]
        elif kind == "timestamp with time zone":
            values = [*values, f"{name} - n * interval '{span}'"]
        else:
            values = [*values, name]
    await conn.execute(
        f"insert into {table} ({', '.join(names)}) select {', '.join(values)}"  # noqa: S608 - names of our own
        f" from {table} cross join generate_series(1, {copies}) n where {where}",
        timeout=3600,
    )
