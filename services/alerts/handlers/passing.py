"""When one way to a person does not work: the next one, and in the end somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.alerts.domain.model import Audience, Entry, Kind, Occasion, Tell
from services.alerts.domain.routing import TEAM, Member
from services.alerts.domain.ways import PATIENCE, next_way
from services.alerts.handlers.applying import Desk, notices_of
from services.alerts.handlers.opening import number
from services.alerts.store import cases, notices, rota, ways
from services.alerts.store.notices import Notice
from shared.db.database import Connection, Database, Tx
from shared.runtime.ids import derive

BATCH = 100


async def pass_on(desk: Desk, db: Database) -> int:
    """Try the next way for whoever one way has not reached in time; returns the notices looked at."""
    async with db.begin() as tx:
        late = await ways.stuck(tx.conn, desk.machine.wall() - PATIENCE, BATCH)
        await next_ways(desk, tx, late)
    return len(late)


async def failed(desk: Desk, tx: Tx, lost: Sequence[Notice]) -> None:
    """Notices to people that failed for good: the next way; where none is left, the managers are told."""
    personal = {n.id: n for n in lost if n.recipient != TEAM}
    fresh = await ways.give_up(tx.conn, personal)
    await next_ways(desk, tx, [personal[notice_id] for notice_id in sorted(fresh)])
    found = await ways.tried(tx.conn, list(personal.values()))
    hopeless = [n for n in personal.values() if set(found[n.id].values()) <= {"failed"}]
    await _tell_others(desk, tx, [n for n in hopeless if n.occasion is not Occasion.UNREACHABLE])


async def next_ways(desk: Desk, tx: Tx, late: Sequence[Notice]) -> None:
    """Put the same notice on the recipient's next way, and write down why."""
    if not late:
        return
    numbered = await ways.numbers(tx.conn, {UUID(notice.recipient) for notice in late})
    tried = await ways.tried(tx.conn, late)
    wanted: list[Notice] = []
    for notice in late:
        reachable = [w for w in desk.ways if w != "sms" or UUID(notice.recipient) in numbered]
        way = next_way(reachable, tried[notice.id])
        if way is not None:
            wanted.append(_by(notice, way))
            await cases.append(tx.conn, [_line(tx, notice, way)])
    await notices.enqueue(tx.conn, wanted, tx.now, desk.machine.wall())


async def address(desk: Desk, conn: Connection, channel: str, member: Member) -> str:
    """Where a person is reached on a channel; empty when they no longer are."""
    if channel != "sms":
        return member.email
    sealed = (await ways.numbers(conn, {member.user_id})).get(member.user_id, "")
    return await number(desk.sealer, conn, member.user_id, sealed)


def _by(notice: Notice, way: str) -> Notice:
    notice_id = derive("notice", notice.ticket_id, notice.step, way, notice.recipient)
    return Notice(notice_id, notice.ticket_id, notice.occasion, notice.step, way, notice.recipient)


def _line(tx: Tx, notice: Notice, way: str) -> tuple[UUID, Entry, str, UUID | None]:
    data = {
        "to": notice.recipient,
        "channel": notice.channel,
        "next": way,
        "occasion": notice.occasion.value,
        "step": notice.step,
    }
    return (notice.ticket_id, Entry(Kind.PASSED_ON, tx.now, data=data), "", None)


async def _tell_others(desk: Desk, tx: Tx, personal: Sequence[Notice]) -> None:
    """One person could not be told by any way: the managers are, who are not that person."""
    if not personal:
        return
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    wanted: list[Notice] = []
    for notice in personal:
        ticket = await cases.ticket(tx.conn, notice.ticket_id)
        if ticket is not None and ticket.is_open:
            told = notices_of(desk, ticket, _unreachable(notice), staff)
            wanted.extend(n for n in told if n.recipient != notice.recipient)
    await notices.enqueue(tx.conn, wanted, tx.now, desk.machine.wall())


def _unreachable(notice: Notice) -> Tell:
    audiences = frozenset({Audience.MANAGERS, Audience.TEAM})
    return Tell(Occasion.UNREACHABLE, f"unreachable/{notice.step}", audiences)
