"""Digests: who gets one, which are due, what became of them, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.change import compare
from services.scoring.domain.definitions import pooled
from services.scoring.domain.digest import Line, Part, Standing, part_of
from services.scoring.domain.health import Part as HealthPart
from services.scoring.domain.windows import Window, before, span_of
from services.scoring.store import accounts, churn, customers, reports, rises, voices
from services.scoring.store.around import Account
from shared.db.database import Connection
from shared.security import access_store
from shared.security.people import User
from shared.security.roles import Role

MOST_LOOKED_AT = 500
"""Accounts that a digest looks at, those of most annual value first."""

_PLAN = """
insert into digests (week, user_id, planned_at, next_at)
select week, user_id, $3, $4 from unnest($1::date[], $2::uuid[]) as t (week, user_id)
on conflict do nothing
"""
# Who vanished while handing over left it open whether the mail went: it is not sent again.
_GIVE_UP = """
update digests set state = 'uncertain', ended_at = $2, lease = null, leased_until = null,
    detail = 'whoever sent it vanished in the middle'
where state = 'handing_over' and leased_until <= $1
"""
_CLAIM = """
update digests d set attempts = attempts + 1, lease = $1, leased_until = $3
where (week, user_id) in (
    select week, user_id from digests
    where state = 'pending' and next_at <= $2 and (leased_until is null or leased_until <= $2)
    order by next_at, user_id limit $4 for update skip locked)
returning week, user_id, attempts
"""
_BEGIN = """
update digests set state = 'handing_over'
where week = $1 and user_id = $2 and state = 'pending' and lease = $3
"""
_RECORD = """
update digests set state = $3, detail = $4, next_at = coalesce($5, next_at), lease = null,
    leased_until = null, ended_at = case when $3 = 'pending' then null else $6::timestamptz end
where week = $1 and user_id = $2 and lease = $7
"""
_LISTED = """
select week, user_id, state, attempts, planned_at, ended_at, detail from digests
where week >= $1 and ($2::date is null or week < $2 or (week = $2 and user_id > $3))
order by week desc, user_id limit $4
"""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who gets digests: of the whole house, of accounts of their own, or of both."""

    user: User
    leads: bool
    owns: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A digest to be handed over now."""

    week: date
    user_id: UUID
    attempts: int


async def addressees(conn: Connection) -> list[Addressee]:
    """Leaders (managers and admins), and whoever owns an account by their address."""
    owners = {
        row[0] for row in await conn.fetch("select distinct lower(owner) from accounts where owner <> ''")
    }
    found = [
        Addressee(user, user.role.includes(Role.MANAGER), user.email in owners)
        for user in await access_store.users(conn, active=True)
    ]
    return [one for one in found if one.leads or (one.owns and one.user.role.includes(Role.REP))]


async def plan(conn: Connection, due: Sequence[tuple[date, UUID]], now: datetime, wall: datetime) -> int:
    """Plan digests; one that was planned before stays as it is. Returns how many are new."""
    done = await conn.execute(_PLAN, [week for week, _ in due], [user for _, user in due], now, wall)
    return int(done.rpartition(" ")[2])


async def claim(
    conn: Connection, lease: UUID, wall: datetime, now: datetime, hold: timedelta
) -> list[Claimed]:
    """Take digests that are due.

    One that somebody left while it was written is taken anew; one that was left while it was handed over is
    given up as uncertain.
    """
    await conn.execute(_GIVE_UP, wall, now)
    rows = await conn.fetch(_CLAIM, lease, wall, wall + hold, 10)
    return [Claimed(*tuple(row)) for row in rows]


async def begin(conn: Connection, one: Claimed, lease: UUID) -> bool:
    """Note that from now on nobody can know whether the mail went; False where it is not ours any more."""
    return bool(await conn.execute(_BEGIN, one.week, one.user_id, lease) == "UPDATE 1")


async def record(
    conn: Connection,
    one: Claimed,
    state: str,
    detail: str,
    lease: UUID,
    times: tuple[datetime, datetime | None],
) -> None:
    """Write what became of a digest, where it is still ours.

    Args:
        conn: to write by.
        one: which.
        state: pending to be tried again, sent, failed or uncertain.
        detail: why.
        lease: under which it was taken.
        times: business time, and the machine time at which to try again.
    """
    await conn.execute(_RECORD, one.week, one.user_id, state, detail[:300], times[1], times[0], lease)


async def listed(
    conn: Connection, since: date, after: tuple[date, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """What became of digests, the newest week first; `after` is the one behind which the list goes on."""
    rows = await conn.fetch(_LISTED, since, *(after or (None, None)), limit)
    return [dict(row) for row in rows]


async def house(conn: Connection, now: datetime, weights: Mapping[HealthPart, float]) -> Part:
    """What is told of the whole house: every score as the overview shows it, accounts of most value."""
    span, earlier = _spans(now)
    found = await accounts.listed(conn, accounts.Wanted(), None, MOST_LOOKED_AT)
    compared = await reports.compared(conn, span, earlier)
    lines = [Line(one.programme, one.family, one.change) for one in compared]
    today = now.date()
    rising, leaving = await rises.standing(conn, today), await churn.standing(conn, today)
    return part_of(await _standings(conn, found, now, weights), lines, today, rising, leaving)


async def own(conn: Connection, owner: str, now: datetime, weights: Mapping[HealthPart, float]) -> Part:
    """What is told of the accounts that somebody owns."""
    span, earlier = _spans(now)
    found = await accounts.listed(conn, accounts.Wanted(owner=owner), None, MOST_LOOKED_AT)
    ids = [one.account_id for one in found]
    after = await voices.said_of(conn, ids, span)
    was = await voices.said_of(conn, ids, earlier)
    lines = [
        Line(programme, family, compare(pooled(metric, was.get(key, [])), pooled(metric, said)))
        for key, said in after.items()
        for metric, family, programme in (key,)
    ]
    return part_of(await _standings(conn, found, now, weights), lines, now.date())


def _spans(now: datetime) -> tuple[Span, Span]:
    """The days that are told of and those before: the same as on the overview."""
    span = span_of(Window.DAYS_90, now.date())
    return span, before(span, Window.DAYS_90) or span


async def _standings(
    conn: Connection,
    found: Sequence[Account],
    now: datetime,
    weights: Mapping[HealthPart, float],
) -> list[Standing]:
    return [
        Standing(
            str(one.account.account_id), one.account.name, one.health, one.around.open_tickets,
            one.silent_days, one.account.renewal_on,
        )
        for one in await customers.customers(conn, found, now, weights)
    ]  # fmt: skip
