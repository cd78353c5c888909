"""Improvement actions, the cases they come from, who raised them, and what was answered before and after."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.alerts.domain.effect import FRESH, SCORED, SPAN, Cases, Effect, Figures, Tally, effect
from services.alerts.domain.improvements import Did, Improvement, Line, Plan
from services.alerts.domain.thanking import Fate
from shared.contracts.forms import QuestionType
from shared.contracts.improvements import Stage
from shared.db.database import Connection

_FIGURES = TypeAdapter(Figures)
_SAVE = """
insert into improvements (id, title, theme, programme, product, impact, effort, owner, due_on, stage, version,
    opened_by, opened_at, shipped_at, ended_at, figures)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (id) do update set
    title = excluded.title, theme = excluded.theme, programme = excluded.programme,
    product = excluded.product, impact = excluded.impact, effort = excluded.effort,
    owner = excluded.owner, due_on = excluded.due_on,
    stage = excluded.stage, version = excluded.version, shipped_at = excluded.shipped_at,
    ended_at = excluded.ended_at, figures = excluded.figures
"""
# Of each person the last linked answer, by its case or alone; who took it back or was erased raised nothing.
_RAISED = """
with spoken as (
    select v.response_id, v.contact_id from improvement_cases i join voices v using (ticket_id)
    where i.improvement_id = $1 and v.state <> 'withdrawn'
    union
    select a.response_id, a.contact_id from improvement_answers i join answers a using (response_id)
    where i.improvement_id = $1
)
select distinct on (coalesce(m.id, v.contact_id)) coalesce(m.id, v.contact_id) as speaker, v.response_id,
    coalesce(nullif(a.snapshot ->> 'locale', ''), 'en') as locale,
    coalesce(nullif(c.name, ''), a.snapshot ->> 'account_name') as account_name,
    sent.state, sent.reason
from spoken v join answers a using (response_id)
left join merged m on m.former = v.contact_id
left join contacts p on p.contact_id = coalesce(m.id, v.contact_id)
left join merged ma on ma.former = a.account_id
left join accounts c on c.account_id = coalesce(ma.id, a.account_id)
left join lateral (
    select state, reason from messages
    where improvement_id = $1 and kind = $2
        and (contact_id = coalesce(m.id, v.contact_id)
            or contact_id in (select former from merged where id = coalesce(m.id, v.contact_id)))
    limit 1
) sent on true
where a.standing = 'counted' and not coalesce(p.erased, false)
order by 1, a.received_at desc, v.response_id
"""
_UNLINKED = """
from tickets t where t.cause <> '' and t.cause = $2 and t.opened_at >= $3 and not exists
    (select from improvement_cases c where c.improvement_id = $1 and c.ticket_id = t.id)
"""
_TALLIES = """
select a.scale, a.received_at >= $3 as since,
    (count(*) filter (where a.mood = 'happy'))::int as happy,
    (count(*) filter (where a.mood = 'passive'))::int as passive,
    (count(*) filter (where a.mood = 'unhappy'))::int as unhappy,
    count(distinct coalesce(m.id, a.account_id, a.contact_id))::int as accounts
from answers a left join merged m on m.former = coalesce(a.account_id, a.contact_id)
where a.programme = $1 and ($2 = '' or a.snapshot ->> 'product' = $2) and a.standing = 'counted'
    and a.score is not null and a.received_at >= $4 and a.received_at < $5
group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """Somebody who raised what is improved, by their last answer in a linked case.

    Attributes:
        speaker: the id by which they are known now.
        state: what became of the message to them; None while there is none.
    """

    speaker: UUID
    response_id: UUID
    locale: str
    account_name: str
    state: Fate | None
    reason: str

    @property
    def language(self) -> str:
        """What they speak: the first part of their locale."""
        return self.locale.replace("_", "-").partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Linked:
    """A case that an improvement comes from."""

    ticket_id: UUID
    account_name: str
    opened_at: datetime
    cause: str
    state: str


async def get(conn: Connection, improvement_id: UUID) -> Improvement | None:
    """One improvement."""
    row = await conn.fetchrow("select * from improvements where id = $1", improvement_id)
    return _read(row) if row else None


async def lock(conn: Connection, improvement_id: UUID) -> Improvement | None:
    """One improvement, kept from others until the transaction ends; nobody opens it meanwhile."""
    key = f"improvement/{improvement_id}"
    await conn.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    row = await conn.fetchrow("select * from improvements where id = $1 for update", improvement_id)
    return _read(row) if row else None


async def waiting(conn: Connection) -> list[Improvement]:
    """All that are to be shipped."""
    rows = await conn.fetch(
        "select * from improvements where stage in ('proposed', 'planned', 'under_way') order by id"
    )
    return [_read(row) for row in rows]


async def shipped(conn: Connection) -> list[Improvement]:
    """All that are shipped and not measured, the first shipped first."""
    rows = await conn.fetch("select * from improvements where stage = 'shipped' order by shipped_at, id")
    return [_read(row) for row in rows]


async def ended(conn: Connection, limit: int) -> list[Improvement]:
    """Those that were measured or dropped, the last one first."""
    rows = await conn.fetch(
        "select * from improvements where ended_at is not null order by ended_at desc, id desc limit $1",
        limit,
    )
    return [_read(row) for row in rows]


async def of_ticket(conn: Connection, ticket_id: UUID) -> list[Improvement]:
    """What a case has led to."""
    rows = await conn.fetch(
        """
        select i.* from improvements i join improvement_cases c on c.improvement_id = i.id
        where c.ticket_id = $1 order by i.opened_at, i.id
        """,
        ticket_id,
    )
    return [_read(row) for row in rows]


async def countable(conn: Connection, before: datetime, limit: int) -> list[Improvement]:
    """Those that were shipped before then and whose effect is not counted yet; kept from others."""
    rows = await conn.fetch(
        """
        select * from improvements where shipped_at < $1 and figures is null
        order by shipped_at, id limit $2 for update skip locked
        """,
        before,
        limit,
    )
    return [_read(row) for row in rows]


async def page_of(conn: Connection, after: UUID | None, limit: int) -> list[Improvement]:
    """All there are, so many at a time, in the order of their ids."""
    rows = await conn.fetch(
        "select * from improvements where $1::uuid is null or id > $1 order by id limit $2", after, limit
    )
    return [_read(row) for row in rows]


async def save(conn: Connection, one: Improvement) -> None:
    """Write an improvement as it is now."""
    p = one.plan
    await conn.execute(
        _SAVE, one.id, p.title, p.theme, p.programme, p.product, p.impact, p.effort, p.owner, p.due_on,
        one.stage.value, one.version, one.opened_by, one.opened_at, one.shipped_at, one.ended_at,
        _FIGURES.dump_json(one.figures).decode() if one.figures else None,
    )  # fmt: skip


async def append(conn: Connection, improvement_id: UUID, line: Line) -> None:
    """Add a line to its history."""
    await conn.execute(
        "insert into improvement_lines (improvement_id, at, by_user, did, data, note) "
        "values ($1, $2, $3, $4, $5, $6)",
        improvement_id,
        line.at,
        line.by,
        line.did.value,
        json.dumps(dict(line.data)),
        line.note,
    )


async def history(conn: Connection, improvement_id: UUID) -> list[Line]:
    """Everything that happened to it, the newest first."""
    rows = await conn.fetch(
        "select at, by_user, did, data, note from improvement_lines "
        "where improvement_id = $1 order by id desc",
        improvement_id,
    )
    return [Line(Did(r["did"]), r["at"], r["by_user"], json.loads(r["data"]), r["note"]) for r in rows]


async def link(
    conn: Connection, improvement_id: UUID, ticket_ids: Collection[UUID], by: UUID, now: datetime
) -> int:
    """Note that it comes from these cases; how many of them are new to it and exist."""
    rows = await conn.fetch(
        """
        insert into improvement_cases (improvement_id, ticket_id, at, by_user)
        select $1, id, $3, $4 from tickets where id = any($2) on conflict do nothing returning ticket_id
        """,
        improvement_id,
        list(ticket_ids),
        now,
        by,
    )
    return len(rows)


async def unlink(conn: Connection, improvement_id: UUID, ticket_id: UUID) -> bool:
    """It does not come from this case; false when that is known already."""
    gone = await conn.fetchval(
        "delete from improvement_cases where improvement_id = $1 and ticket_id = $2 returning 1",
        improvement_id,
        ticket_id,
    )
    return gone is not None


async def unlinked(conn: Connection, improvement_id: UUID, theme: str, since: datetime) -> list[UUID]:
    """Cases that ended with this cause, were opened since then, and are not linked to it yet."""
    rows = await conn.fetch(f"select t.id {_UNLINKED} order by t.id", improvement_id, theme, since)
    return [row["id"] for row in rows]


async def count_unlinked(conn: Connection, improvement_id: UUID, theme: str, since: datetime) -> int:
    """How many there are of these."""
    return int(await conn.fetchval(f"select count(*) {_UNLINKED}", improvement_id, theme, since))


async def cases(conn: Connection, improvement_id: UUID) -> list[Linked]:
    """The cases it comes from, the newest first."""
    rows = await conn.fetch(
        """
        select t.id, coalesce(nullif(c.name, ''), t.snapshot ->> 'account_name') as account_name,
            t.opened_at, t.cause, t.state
        from improvement_cases i join tickets t on t.id = i.ticket_id
        left join merged m on m.former = t.case_key
        left join accounts c on c.account_id = coalesce(m.id, t.case_key)
        where i.improvement_id = $1 order by t.opened_at desc, t.id
        """,
        improvement_id,
    )
    return [Linked(*tuple(row)) for row in rows]


async def voices(conn: Connection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many accounts (else persons) stand behind each."""
    rows = await conn.fetch(
        """
        with behind as (
            select i.improvement_id, t.case_key from improvement_cases i join tickets t on t.id = i.ticket_id
            union
            select i.improvement_id, a.case_key from improvement_answers i join answers a using (response_id)
        )
        select improvement_id, count(*)::int as n from behind where improvement_id = any($1) group by 1
        """,
        list(ids),
    )
    return {row["improvement_id"]: row["n"] for row in rows}


async def raised(conn: Connection, improvement_id: UUID, kind: str) -> list[Raised]:
    """Everybody who raised it, each once, with what became of a message of this kind."""
    rows = await conn.fetch(_RAISED, improvement_id, kind)
    return [
        Raised(
            r["speaker"],
            r["response_id"],
            r["locale"],
            r["account_name"] or "",
            Fate(r["state"]) if r["state"] else None,
            r["reason"] or "",
        )
        for r in rows
    ]


async def effects(conn: Connection, one: Improvement, now: datetime) -> list[Effect]:
    """What it has changed, by scale; empty where it names no programme, is not shipped, or nobody said.

    What was counted for good is not counted again.
    """
    if one.figures is not None:
        return list(one.figures.effects)
    at = one.shipped_at
    if at is None or not one.plan.programme:
        return []
    until = min(now, at + SPAN)
    rows = await conn.fetch(_TALLIES, one.plan.programme, one.plan.product, at, at - SPAN, until)
    found = {
        (QuestionType(r["scale"]), r["since"]): Tally(r["happy"], r["passive"], r["unhappy"], r["accounts"])
        for r in rows
    }
    asked = {scale for scale, _ in found}
    return [
        effect(scale, found.get((scale, False), Tally()), found.get((scale, True), Tally()))
        for scale in SCORED
        if scale in asked
    ]


async def cases_by_cause(conn: Connection, one: Improvement, now: datetime) -> Cases:
    """How many cases its theme was the cause of, opened within 90 days before and since it shipped."""
    if one.figures is not None:
        return one.figures.cases
    at = one.shipped_at or now
    row = await conn.fetchrow(
        """
        select count(*) filter (where opened_at < $2)::int as before,
            count(*) filter (where opened_at >= $2)::int as since
        from tickets where cause <> '' and cause = $1 and opened_at >= $3 and opened_at < $4
        """,
        one.plan.theme,
        at,
        at - SPAN,
        min(now, at + SPAN),
    )
    return Cases(row["before"], row["since"]) if row else Cases(0, 0)


async def stands(conn: Connection, one: Improvement, now: datetime) -> Figures:
    """What it has changed: as counted for good, else within the last hour or two, else as of now."""
    if one.figures is not None:
        return one.figures
    kept = await conn.fetchval(
        "select figures from improvement_standings where improvement_id = $1 and basis = $2 and at > $3",
        one.id,
        _basis(one),
        now - 2 * FRESH,
    )
    return _FIGURES.validate_json(kept) if kept else await count(conn, one, now)


async def count(conn: Connection, one: Improvement, now: datetime) -> Figures:
    """What it has changed as of now; with many answers that takes a while."""
    return Figures(tuple(await effects(conn, one, now)), await cases_by_cause(conn, one, now), now)


async def outdated(conn: Connection, now: datetime, limit: int) -> list[Improvement]:
    """Shipped ones that are not counted for good, and were not counted so far within the last hour."""
    rows = await conn.fetch("select * from improvements where shipped_at is not null and figures is null")
    kept = await conn.fetch(
        "select improvement_id, basis from improvement_standings where at > $1", now - FRESH
    )
    fresh = {tuple(row) for row in kept}
    found = (one for one in map(_read, rows) if (one.id, _basis(one)) not in fresh)
    return list(islice(found, limit))


async def keep_standing(conn: Connection, one: Improvement, figures: Figures) -> None:
    """Keep what it has changed so far."""
    await conn.execute(
        """
        insert into improvement_standings (improvement_id, basis, at, figures) values ($1, $2, $3, $4)
        on conflict (improvement_id) do update
            set basis = excluded.basis, at = excluded.at, figures = excluded.figures
        """,
        one.id,
        _basis(one),
        figures.at,
        _FIGURES.dump_json(figures).decode(),
    )


def _basis(one: Improvement) -> str:
    """By what it is counted; once that changes it is counted anew."""
    return json.dumps([str(one.shipped_at), one.plan.programme, one.plan.product, one.plan.theme])


async def programmes(conn: Connection, ticket_ids: Sequence[UUID]) -> tuple[str, str]:
    """Programme and product of the first of these cases; empty where there is none."""
    row = await conn.fetchrow(
        "select snapshot ->> 'programme' as programme, snapshot ->> 'product' as product from tickets "
        "where id = any($1) order by opened_at, id limit 1",
        list(ticket_ids),
    )
    return (row["programme"] or "", row["product"] or "") if row else ("", "")


def _read(row: asyncpg.Record) -> Improvement:
    return Improvement(
        id=row["id"],
        plan=Plan(
            title=row["title"],
            impact=row["impact"],
            effort=row["effort"],
            owner=row["owner"],
            due_on=row["due_on"],
            theme=row["theme"],
            programme=row["programme"],
            product=row["product"],
        ),
        stage=Stage(row["stage"]),
        version=row["version"],
        opened_by=row["opened_by"],
        opened_at=row["opened_at"],
        shipped_at=row["shipped_at"],
        ended_at=row["ended_at"],
        figures=_FIGURES.validate_json(row["figures"]) if row["figures"] else None,
    )
