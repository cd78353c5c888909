"""Messages of which nobody knows whether they left, and what people decided about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.dispatch.domain.model import OWNER, expiry
from services.dispatch.domain.states import Happening, State, sources, target
from services.dispatch.domain.uncertain import Decision, Standing
from shared.contracts.model import Channel
from shared.db.database import Connection

# `d` is a message's last decision or, in the log of decisions, each of them.
_COLUMNS = """
m.delivery_id, m.survey_id, m.kind, m.step, m.channel, m.contact_id, m.account_id, m.programme, m.snapshot,
    m.state, m.reason, m.requested_at, m.finished_at, m.address_hash, s.closes_at, s.fresh_until,
    coalesce(nullif(m.person, ''), s.person, '') as sealed, coalesce(s.slots, '{}') as values,
    coalesce(s.closed, false) as closed, s.cancelled_as is not null as cancelled,
    coalesce(a.answered, false) as answered, coalesce(a.started or a.held, false) as begun,
    coalesce(c.opted_out, false) as opted_out, c.erased_at is not null as erased,
    exists (select from messages e where e.survey_id = m.survey_id and e.step > m.step and e.state in
        ('planned', 'claimed', 'handing_over', 'handed_over', 'uncertain')) as followed,
    (select count(*) from uncertain_decisions n where n.delivery_id = m.delivery_id)::int as decisions,
    lost.detail as lost_detail, tried.outcome as last_outcome, tried.detail as last_detail,
    d.number, d.decision, d.decided_by, d.decided_at
"""
_AROUND = """
left join surveys s on s.survey_id = m.survey_id
left join answers a on a.survey_id = m.survey_id
left join contacts c on c.contact_id = m.contact_id
left join lateral (select detail from attempts where delivery_id = m.delivery_id and outcome = 'unknown'
    order by number desc limit 1) lost on true
left join lateral (select outcome, detail from attempts where delivery_id = m.delivery_id
    order by number desc limit 1) tried on true
"""
_LAST = """
left join lateral (select number, decision, decided_by, decided_at from uncertain_decisions
    where delivery_id = m.delivery_id order by number desc limit 1) d on true
"""
_FILTERS = "($1 = '' or m.programme = $1) and ($2 = '' or m.channel = $2)"
_STANDS = {
    Standing.OPEN: "m.state = 'uncertain' and d.decision is distinct from 'leave'",
    Standing.LEFT: "m.state = 'uncertain' and d.decision = 'leave'",
}
_UNCERTAIN = """
select {columns} from messages m {last} {around}
where {stands} and {filters}
    and ($3::timestamptz is null or (m.finished_at, m.delivery_id::text) < ($3, $4))
    and $5::int is not null
order by m.finished_at desc, m.delivery_id::text desc limit $6
"""
_DECIDED = """
select {columns} from uncertain_decisions d join messages m on m.delivery_id = d.delivery_id {around}
where {filters}
    and ($3::timestamptz is null or (d.decided_at, d.delivery_id::text, d.number) < ($3, $4, $5))
order by d.decided_at desc, d.delivery_id::text desc, d.number desc limit $6
"""
_COUNTS = f"""
select d.decision is not distinct from 'leave' as left_alone, count(*)::int as n
from messages m {_LAST} where m.state = 'uncertain' group by 1
"""  # noqa: S608 - constants
_CHOICES = """
select distinct programme from messages where state = 'uncertain'
union select distinct m.programme from uncertain_decisions d join messages m using (delivery_id) order by 1
"""
# What may be answered by now must be proven anew, and who comes a second time stands behind the others.
_SEND_AGAIN = """
update messages set state = $2, version = version + 1, finished_at = null, reason = null, detail = '',
    lease_token = null, not_before = clock.machine_now(), arrived_at = clock.machine_now(), pace = null,
    opens_at = null, view_current = survey_id is null, again_at = $3
where delivery_id = $1 and state = any($4::text[]) returning true
"""
_CALL_OFF = """
update messages set state = $2, version = version + 1, lease_token = null, lease_until = null,
    finished_at = $3, not_before = clock.machine_now(), pace = null, opens_at = null
where delivery_id = $1 and again_at is not null and state = any($4::text[]) returning true
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was made; `number` counts those about one message from 1."""

    number: int
    decision: Decision
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A message with all that a decision about it needs.

    Attributes:
        reason: why it was not sent again, when somebody had wanted that.
        since: when it became uncertain; None when it is not.
        sealed: the person.
        owner: the address that gets the mail in the person's place, "" for none.
        begun: somebody or something answered in part, or in a way that is held.
        followed: a later message of the same survey left, or is to leave.
        decisions: how many were made so far.
        lost_detail: of the attempt whose end is not known.
        last_outcome: of the last attempt, with its detail.
        made: the last decision or, in the log, the one of this line.
    """

    delivery_id: UUID
    survey_id: UUID | None
    kind: str
    step: int
    channel: Channel
    contact_id: UUID
    account_id: UUID | None
    programme: str
    snapshot: str
    state: State
    reason: str | None
    requested_at: datetime
    since: datetime | None
    address_hash: str
    expires_at: datetime
    sealed: str
    owner: str
    closed: bool
    cancelled: bool
    answered: bool
    begun: bool
    opted_out: bool
    erased: bool
    followed: bool
    decisions: int
    lost_detail: str
    last_outcome: str
    last_detail: str
    made: Made | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a list is asked for; "" for any programme or channel.

    `after`: where the page before ended: when, which message, and in the log which of its decisions.
    """

    standing: Standing = Standing.OPEN
    programme: str = ""
    channel: str = ""
    after: tuple[datetime, str, int] | None = None


async def listed(conn: Connection, wanted: Wanted, limit: int) -> list[Row]:
    """A page of a list, the newest first."""
    if wanted.standing is Standing.DECIDED:
        statement = _DECIDED.format(columns=_COLUMNS, around=_AROUND, filters=_FILTERS)
    else:
        statement = _UNCERTAIN.format(
            columns=_COLUMNS, last=_LAST, around=_AROUND, stands=_STANDS[wanted.standing], filters=_FILTERS
        )
    after = wanted.after or (None, "", 0)
    return [_row(row) for row in await conn.fetch(statement, wanted.programme, wanted.channel, *after, limit)]


async def held(conn: Connection, delivery_id: UUID) -> Row | None:
    """A message of any state, held so that nobody else decides about it; None when there is none."""
    # Read once it is held: whoever decided meanwhile is seen.
    if not await conn.fetchval("select true from messages where delivery_id = $1 for update", delivery_id):
        return None
    row = await conn.fetchrow(
        f"select {_COLUMNS} from messages m {_LAST} {_AROUND} where m.delivery_id = $1",  # noqa: S608 - constants
        delivery_id,
    )
    assert row is not None  # noqa: S101 - it is held
    return _row(row)


async def keep(conn: Connection, delivery_id: UUID, made: Made) -> None:
    """Write a decision down."""
    await conn.execute(
        "insert into uncertain_decisions (delivery_id, number, decision, decided_by, decided_at) "
        "values ($1, $2, $3, $4, $5)",
        delivery_id,
        made.number,
        made.decision.value,
        made.by,
        made.at,
    )


async def send_again(conn: Connection, delivery_id: UUID, now: datetime) -> bool:
    """Let an uncertain message be due once more; False when it is not uncertain."""
    return bool(
        await conn.fetchval(
            _SEND_AGAIN,
            delivery_id,
            target(Happening.SEND_AGAIN).value,
            now,
            [state.value for state in sources(Happening.SEND_AGAIN)],
        )
    )


async def call_off(conn: Connection, delivery_id: UUID, now: datetime) -> bool:
    """Not send a message again that was to be, since something is heard of its first try."""
    return bool(
        await conn.fetchval(
            _CALL_OFF,
            delivery_id,
            target(Happening.CALL_OFF).value,
            now,
            [state.value for state in sources(Happening.CALL_OFF)],
        )
    )


async def counts(conn: Connection) -> dict[Standing, int]:
    """How many are to be decided, and how many were left as they are."""
    found = {row["left_alone"]: row["n"] for row in await conn.fetch(_COUNTS)}
    return {Standing.OPEN: found.get(False, 0), Standing.LEFT: found.get(True, 0)}


async def undecided(conn: Connection) -> int:
    """How many are to be decided."""
    return (await counts(conn))[Standing.OPEN]


async def programmes(conn: Connection) -> list[str]:
    """Programmes of which a list has something."""
    return [row["programme"] for row in await conn.fetch(_CHOICES)]


def _row(row: asyncpg.Record) -> Row:
    _, expires_at = expiry(row["step"], row["requested_at"], row["closes_at"], row["fresh_until"])
    state = State(row["state"])
    return Row(
        delivery_id=row["delivery_id"],
        survey_id=row["survey_id"],
        kind=row["kind"],
        step=row["step"],
        channel=Channel(row["channel"]),
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        programme=row["programme"],
        snapshot=row["snapshot"],
        state=state,
        reason=row["reason"],
        requested_at=row["requested_at"],
        since=row["finished_at"] if state is State.UNCERTAIN else None,
        address_hash=row["address_hash"] or "",
        expires_at=expires_at,
        sealed=row["sealed"],
        owner=json.loads(row["values"]).get(OWNER, ""),
        closed=row["closed"],
        cancelled=row["cancelled"],
        answered=row["answered"],
        begun=row["begun"],
        opted_out=row["opted_out"],
        erased=row["erased"],
        followed=row["followed"],
        decisions=row["decisions"],
        lost_detail=row["lost_detail"] or "",
        last_outcome=row["last_outcome"] or "",
        last_detail=row["last_detail"] or "",
        made=_made(row),
    )


def _made(row: asyncpg.Record) -> Made | None:
    if row["decision"] is None:
        return None
    return Made(row["number"], Decision(row["decision"]), row["decided_by"], row["decided_at"])
