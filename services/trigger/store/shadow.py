"""What programmes in shadow would have done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.trigger.domain.model import Ask
from services.trigger.domain.rehearsal import Rehearsal
from services.trigger.domain.survey import survey_id_of
from shared.contracts.model import Family
from shared.contracts.reasons import Reason
from shared.db.database import Connection

_SAVE = """
insert into shadow_asks (plan_id, programme, version, family, contact_id, account_id, asked_at)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[]
)
on conflict do nothing
"""
_RECENT = """
select * from shadow_asks
where programme = any($1) and asked_at > $4 and (contact_id = any($2) or account_id = any($3))
"""
_REFUSED = """
insert into shadow_refusals (programme, day, reason, events)
select * from unnest($1::text[], $2::date[], $3::text[], $4::int[]) order by 1, 2, 3
on conflict (programme, day, reason) do update set events = shadow_refusals.events + excluded.events
"""
_ASKED = """
select programme, count(*) as asks, count(distinct contact_id) as people,
    count(distinct account_id) as accounts
from shadow_asks where programme = any($1) and asked_at > $2 group by programme
"""
_PLANS = """
select programme, state, coalesce(reason, waits_for, '') as reason, count(*) as n
from plans where shadow and programme = any($1) and first_due_at > $2 and first_due_at <= $3
  and state <> 'expanded'
group by 1, 2, 3
"""
_AHEAD = """
select programme, count(*)::int as n, min(first_due_at) as next_at from plans
where shadow and programme = any($1) and first_due_at > $2 and state = 'pending' group by programme
"""
_LEFT_OUT = """
select programme, reason, sum(events)::int as n from shadow_refusals
where programme = any($1) and day >= $2 group by 1, 2
"""
_WHO = """
select contact_id, account_id, asked_at from shadow_asks where programme = $1 and asked_at > $2
order by asked_at desc, plan_id limit $3
"""


async def save_would_be(conn: Connection, asks: Sequence[Ask]) -> None:
    """Keep what would have been asked."""
    if asks:
        await conn.execute(
            _SAVE,
            [ask.plan_id for ask in asks],
            [ask.programme for ask in asks],
            [ask.version for ask in asks],
            [ask.family for ask in asks],
            [ask.contact_id for ask in asks],
            [ask.account_id for ask in asks],
            [ask.asked_at for ask in asks],
        )


async def would_be(
    conn: Connection,
    programmes: Sequence[str],
    contacts: Sequence[UUID],
    accounts: Sequence[UUID],
    since: datetime,
) -> list[Ask]:
    """What programmes in shadow would have asked of people and accounts, as far as it may still count."""
    rows = await conn.fetch(_RECENT, programmes, contacts, accounts, since)
    return [
        Ask(
            **{**row, "family": Family(row["family"])},
            survey_id=survey_id_of(row["plan_id"]),
            closes_at=row["asked_at"],
        )
        for row in rows
    ]


async def count_refusals(conn: Connection, day: date, refused: Mapping[tuple[str, Reason], int]) -> None:
    """Count events after which a programme in shadow did not even plan to ask somebody, by reason."""
    keys = sorted(refused)
    if keys:
        await conn.execute(
            _REFUSED,
            [programme for programme, _ in keys],
            [day] * len(keys),
            [reason for _, reason in keys],
            [refused[key] for key in keys],
        )


async def rehearsals(
    conn: Connection, programmes: Sequence[str], since: datetime, now: datetime
) -> dict[str, Rehearsal]:
    """What programmes in shadow came to since then."""
    found = {key: Rehearsal(key, since) for key in programmes}
    if not found:
        return found
    asked = {row["programme"]: row for row in await conn.fetch(_ASKED, programmes, since)}
    ahead = {row["programme"]: row for row in await conn.fetch(_AHEAD, programmes, now)}
    left_out: dict[str, Counter[str]] = {key: Counter() for key in found}
    waiting: dict[str, Counter[str]] = {key: Counter() for key in found}
    for row in await conn.fetch(_PLANS, programmes, since, now):
        if row["state"] == "pending":
            waiting[row["programme"]][row["reason"]] += row["n"]
        elif row["reason"] != Reason.SHADOW:
            left_out[row["programme"]][row["reason"]] += row["n"]
    for row in await conn.fetch(_LEFT_OUT, programmes, since.date()):
        left_out[row["programme"]][row["reason"]] += row["n"]
    return {
        key: Rehearsal(
            key,
            since,
            asks=asked[key]["asks"] if key in asked else 0,
            people=asked[key]["people"] if key in asked else 0,
            accounts=asked[key]["accounts"] if key in asked else 0,
            left_out=dict(left_out[key].most_common()),
            waiting=dict(waiting[key].most_common()),
            ahead=ahead[key]["n"] if key in ahead else 0,
            next_at=ahead[key]["next_at"] if key in ahead else None,
        )
        for key in found
    }


async def who(
    conn: Connection, programme: str, since: datetime, limit: int
) -> list[tuple[UUID, UUID | None, datetime]]:
    """Whom a programme in shadow would have asked, newest first."""
    rows = await conn.fetch(_WHO, programme, since, limit)
    return [(row["contact_id"], row["account_id"], row["asked_at"]) for row in rows]
