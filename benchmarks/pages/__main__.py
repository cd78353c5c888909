"""P11: server time and bytes of the pages of reps and readers, at a million stored answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import count, cycle
from statistics import median, quantiles
from typing import Any
from uuid import UUID

import psutil

from benchmarks.cluster import Cluster, cluster
from benchmarks.growth import fill
from benchmarks.kit import Result, keep, machine, say_load
from benchmarks.pages import cases, scores
from benchmarks.pages.site import Viewer
from services.alerts.handlers import counting
from services.alerts.store.views import Query, lines
from shared.db.database import Database
from shared.runtime.clock import FixedClock, SystemMachine
from shared.runtime.memory import spare_startup
from shared.security.access import Access, Role
from shared.security.people import SignedIn
from shared.web.cursors import cursor_of
from tests.support.alert_site import Site
from tests.support.score_pages import PASSWORD, access_to, application, signed_in
from tools.pages import BYTES, MILLIS, ROOT, SERVED

ANSWERS = 1_000_000
VISITS = 40
"""Visits of each page in a round, after two that warm up."""

FRESH = 20
"""Answers that come in between two visits, so that no page was made before."""

_seeds = count(time.time_ns())


@dataclass(slots=True)
class Page:
    """One page: what is on it, its addresses in turn, and what was measured."""

    name: str
    what: str
    of: str
    addresses: Sequence[str]
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)
    """Milliseconds of processor, by the processes' own clocks: others on the machine are not in them."""

    size: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """A service with its pages; `stir` brings in something new."""

    viewer: Viewer
    db: Database
    pages: Sequence[Page]
    stir: Callable[[], Awaitable[None]]

    async def backends(self) -> list[psutil.Process]:
        """The processes of PostgreSQL that work for this service."""
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "select pid from pg_stat_activity"
                " where datname = current_database() and usename = current_user"
            )
        return [psutil.Process(row[0]) for row in rows]


async def main() -> None:
    """Set up, visit every page in turn, print."""
    parser = argparse.ArgumentParser(prog="make bench-pages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="pages whose name has this; keeps nothing")
    parser.add_argument("--side", choices=("scores", "cases"), help="pages of one service; keeps nothing")
    given = parser.parse_args()
    load = say_load()
    async with cluster("bench-pages") as server, AsyncExitStack() as stack:
        made = {"scores": _score_side, "cases": _case_side}
        wanted = [given.side] if given.side else list(made)
        sides = [await made[name](server, stack) for name in wanted]
        spare_startup()  # as each process of the product does before its first request
        for number in range(1, given.rounds + 1):
            for side in sides:
                for page in side.pages:
                    if given.only in page.name:
                        await _visit(side, page)
                        print(f"round {number}  {_line(page)}", flush=True)
    pages = [page for side in sides for page in side.pages if page.p95]
    print()
    for page in pages:
        print(_line(page))
    if given.only or given.side:
        return
    _keep(pages, load, given.rounds)


async def _score_side(server: Cluster, stack: AsyncExitStack) -> Side:
    clock = FixedClock(scores.NOW)
    history = fill.History("scores_1000000", ANSWERS, 730)
    await fill.prepare(server, history, clock, scores.rated_answers, scores.surround)
    db = await server.database(history.name, "scoring", clock)
    stack.push_async_callback(db.close)
    access = access_to(db, clock)
    viewer = Viewer(application(db, clock, access), await _manager(access))
    programmes = [
        f"programme={name}" for name in ("programme-1", "programme-6", "programme-0", "programme-3")
    ]
    accounts = [f"/scores/accounts/00000000-0000-0000-0000-{number:012x}" for number in range(1, 400, 9)]
    further = cursor_of(date(2025, 12, 24).toordinal(), UUID(int=1 << 127))
    answers = [
        f"/scores/answers?{one}"
        for one in (
            "programme=programme-1&metric=csat",
            "programme=programme-6&metric=csat&group=low&split=persona&of=decision_maker",
            "programme=programme-0&metric=nps&period=365&split=industry&of=fintech",
            f"programme=programme-3&metric=ces&group=high&cursor={further}",
        )
    ]
    pages = [
        Page("overview", "25 programmes, 90 days against those before", "scores", ["/scores"]),
        Page("overview, year", "the same over 365 days", "scores", ["/scores?period=365"]),
        Page("programme", "trend, drivers, readings, who answers how", "scores",
             [f"/scores?{one}" for one in programmes]),
        Page("programme, year", "the same over 365 days", "scores",
             [f"/scores?{one}&period=365&split=persona" for one in programmes]),
        Page("programme, any cut", "who says what by a dimension of which no sums are kept", "scores",
             [f"/scores?{one}&split={of}" for one in programmes for of in ("size", "owner", "region")]),
        Page("accounts", "25 of 2,000 customers with their health", "scores",
             ["/scores/accounts", "/scores/accounts?tier=key", "/scores/accounts?owner=owner3@example.com"]),
        Page("account", "one customer", "scores", accounts),
        Page("comments", "themes of 90 days, 25 comments", "scores",
             ["/scores/comments", "/scores/comments?programme=programme-1",
              "/scores/comments?theme=support_speed&tone=negative"]),
        Page("answers", "25 answers behind a number, newest first, and further back", "scores", answers),
        Page("compare", "two spans, two cuts, a part against all others", "scores",
             ["/scores/compare", "/scores/compare?a.programme=programme-1&b.programme=programme-1",
              "/scores/compare?a.where=tier:key&b.where=tier:premium",
              "/scores/compare?a.programme=programme-6&a.where=persona:user&b.others=true"]),
        Page("results", "goals, changes before and after, who left", "scores", ["/scores/results"]),
    ]  # fmt: skip
    return Side(viewer, db, pages, partial(_answers_come, db))


async def _manager(access: Access) -> str:
    """The session of somebody who may see everything; an earlier run may have invited them."""
    session = await access.sign_in("manager-en@example.com", PASSWORD, None)
    return session.token if isinstance(session, SignedIn) else await signed_in(access, Role.MANAGER)


async def _answers_come(db: Database) -> None:
    """A few new answers are counted."""
    (records,) = fill.batches(FRESH, next(_seeds), scores.rated_answers)
    dead = await fill.batch_of(db).handle(records)
    if dead:
        raise RuntimeError(f"{len(dead)} answers were put aside")


async def _case_side(server: Cluster, stack: AsyncExitStack) -> Side:
    clock = FixedClock(cases.NOW)
    await cases.prepare(server, clock)
    clock.set(cases.NOW)
    db = await server.database(cases.NAME, "alerts", clock)
    stack.push_async_callback(db.close)
    on = cases.desk_of(db, clock)
    session = await on.access.sign_in(cases.rep(3), PASSWORD, None)
    if not isinstance(session, SignedIn):
        raise TypeError("nobody is signed in")
    while await counting.count_so_far(db):  # as the service does every hour
        pass
    async with db.read() as conn:
        known = [line.ticket_id for line in await lines(conn, Query(limit=60))]
        tasks = await conn.fetch("select id from tasks where state = 'open' order by id limit 60")
        shipped = await conn.fetch("select id from improvements where stage = 'shipped' order by id")
    pages = [
        Page("inbox, mine", "cases of one rep, and nobody's", "cases", ["/inbox"]),
        Page("inbox, team", "the 50 of 400 that breach next", "cases", ["/inbox?view=team"]),
        Page("inbox, done", "the last 50 of 60,000", "cases", ["/inbox?view=done"]),
        Page("ticket", "one case with all that happened", "cases", [f"/tickets/{one}" for one in known]),
        Page("tasks", "mine, the team's 50 that are due first, ended ones", "cases",
             ["/tasks", "/tasks?view=team", "/tasks?view=due", "/tasks?view=done"]),
        Page("task", "one task with the words it is about", "cases",
             [f"/tasks/{row['id']}" for row in tasks]),
        Page("report", "2,600 cases of 30 days, by team and owner", "cases",
             ["/inbox/report", "/inbox/report?by=owner"]),
        Page("report, year", "31,000 cases of 365 days", "cases",
             ["/inbox/report?days=365", "/inbox/report?days=365&by=owner"]),
        Page("road map", "40 improvements, those shipped, those ended", "cases",
             ["/improvements", "/improvements?view=shipped", "/improvements?view=ended"]),
        Page("improvement", "shipped: who raised it, what it has changed", "cases",
             [f"/improvements/{row['id']}" for row in shipped]),
        Page("rota", "who is on call in the weeks ahead", "cases", ["/rota"]),
        Page("policies", "who is told of a case, when", "cases", ["/rota/policies"]),
    ]  # fmt: skip
    return Side(Viewer(on.app(), session.token), db, pages, partial(_case_moves, on))


async def _case_moves(on: Site) -> None:
    """A customer says something more to one of the cases."""
    number = next(_seeds)
    told = await on.says.answered(
        f"more{number}", 9, on.clock.now(), account=f"a{number % cases.ACCOUNTS}",
        contact=f"c{number % cases.ACCOUNTS}", words="Better now.",
    )  # fmt: skip
    await on.hears(told)


async def _visit(side: Side, page: Page) -> None:
    taken: list[float] = []
    service = postgres = 0.0
    for visit, address in zip(range(VISITS + 2), cycle(page.addresses), strict=False):
        await side.stir()
        backends = await side.backends()
        before, spent = time.process_time(), _spent(backends)
        seen = await side.viewer.sees(address)
        if visit >= 2:
            service, postgres = (
                service + time.process_time() - before,
                postgres + _since(spent, _spent(backends)),
            )
            taken.append(seen.millis)
        page.size = max(page.size, await side.viewer.weighs(seen))
    page.p50.append(median(taken))
    page.p95.append(quantiles(taken, n=20)[-1])
    page.slowest.append(max(taken))
    page.service.append(1000 * service / VISITS)
    page.postgres.append(1000 * postgres / VISITS)


def _spent(processes: Sequence[psutil.Process]) -> dict[int, float]:
    """Seconds of processor that each has taken; what stood idle may have been closed meanwhile."""
    found = {}
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            found[one.pid] = times.user + times.system
    return found


def _since(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    return sum(seconds - before[pid] for pid, seconds in after.items() if pid in before)


def _line(page: Page) -> str:
    return (
        f"{page.name:18} p50 {median(page.p50):6.1f} ms  p95 {median(page.p95):6.1f} ms"
        f"  slowest {max(page.slowest):6.1f} ms  processor {median(page.service):5.1f} +"
        f" {median(page.postgres):5.1f} ms  first visit {page.size / 1000:5.1f} kB"
    )


def _median_p95(page: Page) -> float:
    return median(page.p95)


def _keep(pages: Sequence[Page], load: float, rounds: int) -> None:
    slow = {of: max((p for p in pages if p.of == of), key=_median_p95) for of in ("scores", "cases")}
    heavy = max(pages, key=lambda page: page.size)
    names = {"scores": "score pages", "cases": "pages of cases"}
    goal = partial(Result, "P11", goal=1, at_least=False)
    results = [
        goal(
            what=f"slowest of the {names[of]} at {ANSWERS:,} answers, p95", against="the goal", unit="ms",
            ours=page.p95, theirs=[MILLIS] * rounds, notes={"page": page.name},
        )
        for of, page in slow.items()
    ]  # fmt: skip
    results.append(
        goal(
            what="first visit of the heaviest page, nothing kept", against="the goal", unit="kB",
            ours=[heavy.size / 1000] * rounds, theirs=[BYTES / 1000] * rounds, notes={"page": heavy.name},
        )
    )  # fmt: skip
    keep(results, "make bench-pages", load, rounds=rounds)
    if rounds < 5:
        return
    told: dict[str, Any] = {
        "taken_at": SystemMachine().wall().isoformat(timespec="minutes"),
        "machine": machine(),
        "load": round(load, 2),
        "rounds": rounds,
        "visits": VISITS,
        "pages": [
            {
                "page": page.name, "what": page.what, "p50": round(median(page.p50), 1),
                "p95": round(median(page.p95), 1), "slowest": round(max(page.slowest), 1),
                "service": round(median(page.service), 1), "postgres": round(median(page.postgres), 1),
                "bytes": page.size,
            }
            for page in pages
        ],
    }  # fmt: skip
    (ROOT / SERVED).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
