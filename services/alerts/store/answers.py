"""The newest version of each response, and those held back as unconfirmed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.model import Answer, Standing
from services.alerts.domain.unconfirmed import Item, ItemState
from shared.contracts.forms import QuestionType
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood
from shared.db.database import Connection

COLUMNS = """
    response_id, version, survey_id, contact_id, account_id, standing, mood, score, scale, low, wants_ticket,
    contact_within, resolve_within, received_at, since, snapshot, words, person, evidence, case_key, themes,
    agreed_at
"""
_SAVE = """
    insert into answers (response_id, version, survey_id, contact_id, account_id, case_key, standing, mood,
        score,
        scale, low, wants_ticket, contact_within, resolve_within, received_at, since, programme, snapshot,
        words,
        person, evidence, themes, agreed_at)
    select a.response_id, a.version, a.survey_id, a.contact_id, a.account_id, a.case_key, a.standing, a.mood,
        a.score, a.scale, a.low, a.wants_ticket, a.contact_within, a.resolve_within, a.received_at, a.since,
        a.programme, a.snapshot, case when c.erased then '' else a.words end,
        case when c.erased then '' else a.person end, string_to_array(a.evidence, ' '),
        case when c.erased then '{}' else string_to_array(a.themes, ' ') end, a.agreed_at
    from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
        $9::int[], $10::text[], $11::int[], $12::bool[], $13::interval[], $14::interval[], $15::timestamptz[],
        $16::timestamptz[], $17::text[], $18::jsonb[], $19::text[], $20::text[], $21::text[],
        $22::text[], $23::timestamptz[])
        as a (response_id, version, survey_id, contact_id, account_id, case_key, standing, mood, score,
            scale, low,
            wants_ticket, contact_within, resolve_within, received_at, since, programme, snapshot, words,
            person,
            evidence, themes, agreed_at)
    left join (  -- an answer may come after its contact was erased: topics have no order among each other
        select contact_id, erased from contacts where contact_id = any($4::uuid[]) order by 1 for share
    ) c on c.contact_id = a.contact_id
    on conflict (response_id) do update set
        version = excluded.version, standing = excluded.standing, mood = excluded.mood,
        score = excluded.score,
        scale = excluded.scale, low = excluded.low, received_at = excluded.received_at,
        since = excluded.since,
        words = excluded.words, person = excluded.person, evidence = excluded.evidence,
        wants_ticket = excluded.wants_ticket, themes = excluded.themes, agreed_at = excluded.agreed_at
    where answers.version <= excluded.version
"""
_SAVE_ITEMS = """
    insert into unconfirmed (response_id, case_key, contact_id, held_at, due_at, state, late_at, ended_at,
        by_user)
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[],
        $7::timestamptz[], $8::timestamptz[], $9::uuid[])
    on conflict (response_id) do update set
        held_at = excluded.held_at, due_at = excluded.due_at, state = excluded.state,
        late_at = excluded.late_at,
        ended_at = excluded.ended_at, by_user = excluded.by_user
"""


async def load(conn: Connection, response_ids: Collection[UUID]) -> dict[UUID, Answer]:
    """The newest known version of these responses."""
    rows = await conn.fetch(
        f"select {COLUMNS} from answers where response_id = any($1)",  # noqa: S608 - columns of our own
        list(response_ids),
    )
    return {row["response_id"]: read(row) for row in rows}


async def save(conn: Connection, answers: Sequence[Answer]) -> None:
    """Write newest versions; one row per response."""
    if not answers:
        return
    rows = [
        (
            a.response_id, a.version, a.survey_id, a.contact_id, a.account_id, a.case_key, a.standing.value,
            a.mood.value, a.score, a.scale.value, a.low, a.wants_ticket, a.contact_within, a.resolve_within,
            a.received_at, a.since, a.snapshot.programme, a.snapshot.model_dump_json(), a.words, a.person,
            " ".join(a.evidence), " ".join(a.themes), a.agreed_at,
        )
        for a in answers
    ]  # fmt: skip
    await conn.execute(_SAVE, *map(list, zip(*rows, strict=True)))


async def items(conn: Connection, response_ids: Collection[UUID]) -> dict[UUID, Item]:
    """The unconfirmed items of these responses."""
    rows = await conn.fetch("select * from unconfirmed where response_id = any($1)", list(response_ids))
    return {row["response_id"]: _item(row) for row in rows}


async def save_items(conn: Connection, items_: Sequence[Item]) -> None:
    """Write unconfirmed items as they are now."""
    if not items_:
        return
    rows = [
        (
            i.response_id,
            i.case_key,
            i.contact_id,
            i.held_at,
            i.due_at,
            i.state.value,
            i.late_at,
            i.ended_at,
            i.by,
        )
        for i in items_
    ]
    await conn.execute(_SAVE_ITEMS, *map(list, zip(*rows, strict=True)))


async def mark_late(conn: Connection, now: datetime, limit: int) -> int:
    """Note which waiting items have passed their time; nobody is told. Returns how many."""
    rows = await conn.fetch(
        """
        update unconfirmed set late_at = due_at where response_id in (
            select response_id from unconfirmed
            where state = 'waiting' and late_at is null and due_at <= $1
            order by due_at limit $2 for update skip locked)
        returning response_id
        """,
        now,
        limit,
    )
    return len(rows)


def read(row: asyncpg.Record) -> Answer:
    """A row of `answers` as the domain knows it."""
    own = row["account_id"] or row["contact_id"]
    return Answer(
        response_id=row["response_id"],
        version=row["version"],
        survey_id=row["survey_id"],
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        standing=Standing(row["standing"]),
        mood=Mood(row["mood"]),
        score=row["score"],
        scale=QuestionType(row["scale"]),
        received_at=row["received_at"],
        since=row["since"],
        snapshot=Snapshot.model_validate_json(row["snapshot"]),
        low=row["low"],
        wants_ticket=row["wants_ticket"],
        contact_within=row["contact_within"],
        resolve_within=row["resolve_within"],
        words=row["words"],
        person=row["person"],
        evidence=tuple(row["evidence"]),
        themes=tuple(row["themes"]),
        agreed_at=row["agreed_at"],
        joined=row["case_key"] if row["case_key"] != own else None,
    )


def _item(row: asyncpg.Record) -> Item:
    return Item(
        response_id=row["response_id"],
        case_key=row["case_key"],
        contact_id=row["contact_id"],
        held_at=row["held_at"],
        due_at=row["due_at"],
        state=ItemState(row["state"]),
        late_at=row["late_at"],
        ended_at=row["ended_at"],
        by=row["by_user"],
    )
