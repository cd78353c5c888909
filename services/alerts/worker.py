"""What happens when something is due: clocks that ran out, notices that wait to be handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.alerts import metrics
from services.alerts.channels.port import Channel, Delivery
from services.alerts.domain import retry, routing
from services.alerts.domain import ticket as life
from services.alerts.domain.alarm import compose
from services.alerts.domain.model import OPEN_STATES, Entry, Kind
from services.alerts.domain.pace import LONGEST_HOLD, grant
from services.alerts.domain.paging import Door, Page, gather
from services.alerts.domain.routing import TEAM, Staff
from services.alerts.handlers import taking
from services.alerts.handlers.alarms import alarm_of
from services.alerts.handlers.applying import Desk, apply
from services.alerts.handlers.escalating import escalated
from services.alerts.handlers.passing import address, failed
from services.alerts.handlers.taking import ASKING
from services.alerts.store import answers, books, cases, directory, notices, paces, paging, rota, ways
from services.alerts.store.notices import Notice, Result
from shared.contracts.tickets import TicketState
from shared.db.database import Database, Tx
from shared.errors import SendError
from shared.runtime.failpoints import failpoint
from shared.runtime.ids import random_id

BATCH = 100
HOLD = timedelta(seconds=60)
"""How long a notice stays with the one who took it; longer than any channel's time-out."""
SEND_SECONDS = 30.0
NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Claimed:
    """Notices taken under one lease, with what to hand over; None where there is nobody to hand it to."""

    lease: UUID
    notices: Sequence[tuple[Notice, Delivery | None]]


async def ring_clocks(desk: Desk, db: Database) -> int:
    """Tell what ran out: each due ticket once, at its highest overdue level; returns the tickets handled.

    Steps that are due because nobody takes a case are told besides.
    """
    async with db.begin() as tx:
        keys = await cases.lock_due(tx.conn, tx.now, BATCH)
        due = await cases.tickets_due(tx.conn, keys, tx.now) if keys else []
        if due:
            failpoint("alerts.after_clock_claim")
            staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
            rung = [life.ring(ticket, tx.now) for ticket in due]
            steps = [*rung, *await escalated(desk, tx, [step.ticket for step in rung], staff)]
            await apply(desk, tx, steps, staff)
        late = await answers.mark_late(tx.conn, tx.now, BATCH)
        for _ in range(late):
            metrics.BREACHES.labels("unconfirmed").inc()
    return len(due) + late


async def adopt_orphans(desk: Desk, db: Database) -> int:
    """Give the cases of people who have left to the account's owner or the rota; returns how many."""
    async with db.begin() as tx:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        keys = await cases.lock_orphans(tx.conn, staff.workers, BATCH)
        if not keys:
            return 0
        found = await cases.tickets_for(tx.conn, keys, (), cases.Lately(tx.now))
        owners = await directory.owners(tx.conn, keys)  # the key of a case is its account, if it has one
        orphans = [
            ticket
            for tickets in found.values()
            for ticket in tickets
            if ticket.is_open and ticket.owner.user_id and ticket.owner.user_id not in staff.workers
        ]
        steps = [
            life.adopt(ticket, routing.heir(ticket, owners.get(ticket.case_key, ""), staff, tx.now), tx.now)
            for ticket in orphans
        ]
        await apply(desk, tx, steps, staff)
    return len(steps)


async def release_pages(desk: Desk, db: Database) -> int:
    """Tell at once of everything that was held for a person or room; returns how many notices waited."""
    async with db.begin() as tx:
        waiting = await paging.due(tx.conn, tx.now, BATCH)
        if not waiting:
            return 0
        notices_by_id = {page.id: notice for page, notice in waiting}
        states = await cases.states(tx.conn, {page.ticket_id for page, _ in waiting})
        still_open = {ticket_id for ticket_id, state in states.items() if state in OPEN_STATES}
        untaken = {ticket_id for ticket_id in still_open if states[ticket_id] is TicketState.OPEN}
        by_door: dict[Door, list[Page]] = {}
        for page, _ in waiting:
            by_door.setdefault(page.door, []).append(page)
        for pages in by_door.values():
            found = gather(pages, still_open, untaken)
            lead = found.lead.id if found.lead else None
            await paging.settle(tx.conn, lead, [p.id for p in found.others], [p.id for p in found.silent])
            if found.lead is not None:
                await paging.knocked(tx.conn, [found.lead.door], tx.now)
                wanted = [notices_by_id[found.lead.id]]
                await notices.enqueue(tx.conn, wanted, tx.now, desk.machine.wall())
    return len(waiting)


async def hand_over(desk: Desk, db: Database, channel: Channel, public_url: str) -> int:
    """Hand over the notices of one channel that are due; returns how many were tried.

    No transaction is open while the channel works. Who vanishes in between leaves the notice "handing over";
    it is repeated with the same id when the lease ends: a missed alarm costs more than a double one.
    """
    claimed = await _claim(desk, db, channel, public_url)
    if not claimed.notices:
        return 0
    failpoint("alerts.notice_claimed_before_send")
    results = await _send_all(desk, channel, claimed.notices)
    failpoint("alerts.notice_accepted_before_record")
    await _record(desk, db, claimed, results)
    failpoint("alerts.after_notice_record")
    for result in results:
        metrics.NOTICES.labels(channel.name, "retry" if result.next_at else result.outcome).inc()
    return len(results)


async def refresh_gauges(db: Database) -> int:
    """Count tickets by state for Prometheus."""
    async with db.read() as conn:
        found = await books.states(conn)
        waiting = await books.waiting(conn)
    for state in TicketState:
        metrics.TICKETS.labels(state.value).set(found.get(state.value, 0))
    metrics.UNCONFIRMED.set(waiting)
    return 0


async def _claim(desk: Desk, db: Database, channel: Channel, public_url: str) -> Claimed:
    lease = random_id()
    async with db.begin() as tx:
        dropped = await notices.drop_pointless(tx.conn, channel.name, tx.now)
        if dropped:
            await paging.hold_again(tx.conn, dropped, desk.page_every)
        taken = await _take(desk, tx, channel, lease)
        if not taken:
            return Claimed(lease, ())
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        deliveries = [(notice, await _delivery(desk, tx, notice, staff, public_url)) for notice in taken]
    return Claimed(lease, deliveries)


async def _take(desk: Desk, tx: Tx, channel: Channel, lease: UUID) -> Sequence[Notice]:
    """Claim as many as the channel and its pace allow; none while its partner asked to be left alone."""
    wall = desk.machine.wall()
    if not await notices.any_due(tx.conn, channel.name, wall):
        return ()
    spent = await paces.lock(tx.conn, channel.name, wall)
    if spent.held_until > wall:
        return ()
    pace = desk.paces.get(channel.name)
    limit = channel.concurrency
    if pace is not None:
        limit = grant(pace, spent.used_until, wall, limit).number
    taken = await notices.claim(tx.conn, channel.name, lease, wall, hold=HOLD, limit=limit)
    if pace is not None and taken:
        used = grant(pace, spent.used_until, wall, len(taken))
        await paces.spend(tx.conn, channel.name, used.used_until)
    return taken


async def _delivery(desk: Desk, tx: Tx, notice: Notice, staff: Staff, public_url: str) -> Delivery | None:
    alarm = await alarm_of(desk, tx, notice, staff, public_url)
    member = None if notice.recipient == TEAM else staff.by_id(UUID(notice.recipient))
    text = compose(alarm)
    if member is not None and desk.tokens is not None and notice.occasion in ASKING:
        text = replace(
            text, take=taking.link(desk.tokens, alarm.link, notice.ticket_id, member.user_id, tx.now)
        )
    delivery = Delivery(
        notice.id,
        text,
        ticket_id=notice.ticket_id,
        occasion=notice.occasion,
        urgent=alarm.priority,
        at=tx.now,
    )
    if notice.recipient == TEAM:
        return delivery
    to = await address(desk, tx.conn, notice.channel, member) if member else ""
    return replace(delivery, to=to, name=member.name) if member and to else None


async def _send_all(
    desk: Desk, channel: Channel, work: Sequence[tuple[Notice, Delivery | None]]
) -> list[Result]:
    """Try all at once; each has its own time, so a stuck one delays no other."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_send(desk, channel, notice, delivery)) for notice, delivery in work]
    return [task.result() for task in running]


async def _send(desk: Desk, channel: Channel, notice: Notice, delivery: Delivery | None) -> Result:
    if delivery is None:
        return Result(notice, "failed", "the recipient is no longer reached that way")
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await channel.send(delivery)
    except SendError as error:
        wait = retry.next_attempt(notice.attempts, permanent=error.permanent, retry_after=error.retry_after)
        result = _failed(desk, notice, str(error), wait)
        hold = min(error.retry_after or NONE, LONGEST_HOLD)
        return replace(result, hold_until=desk.machine.wall() + hold) if hold else result
    except TimeoutError:
        wait = retry.next_attempt(notice.attempts, permanent=False, retry_after=None)
        return _failed(desk, notice, "no answer in time", wait)
    return Result(notice, "sent", "")


def _failed(desk: Desk, notice: Notice, why: str, wait: timedelta | None) -> Result:
    next_at = None if wait is None else desk.machine.wall() + wait
    return Result(notice, "failed", why, next_at)


async def _record(desk: Desk, db: Database, claimed: Claimed, results: Sequence[Result]) -> None:
    async with db.begin() as tx:
        mine = set(await notices.record(tx.conn, results, claimed.lease, tx.now))
        final = [result for result in results if result.notice.id in mine and result.next_at is None]
        await cases.append(tx.conn, [_line(tx, result) for result in final])
        await ways.drop_others(tx.conn, [r.notice.id for r in final if r.outcome == "sent"], tx.now)
        await failed(desk, tx, [r.notice for r in final if r.outcome == "failed"])
        holds = [r.hold_until for r in results if r.hold_until is not None]
        if holds:
            await paces.hold(tx.conn, results[0].notice.channel, max(holds))


def _line(tx: Tx, result: Result) -> tuple[UUID, Entry, str, UUID | None]:
    notice = result.notice
    kind = Kind.TOLD if result.outcome == "sent" else Kind.NOT_TOLD
    data = {
        "to": notice.recipient,
        "channel": notice.channel,
        "occasion": notice.occasion.value,
        "step": notice.step,
    }
    return (
        notice.ticket_id,
        Entry(kind, tx.now, data=data | ({"why": result.detail} if result.detail else {})),
        "",
        None,
    )
