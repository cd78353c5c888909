"""Facts: rows of `answer_facts`. Insert comes first: a response nobody knew costs one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import astuple

from services.scoring.domain.facts import DIMENSIONS, Fact, State, merge
from services.scoring.domain.histogram import Metric
from services.scoring.domain.reading import Told, kept_of, without_person
from shared.db.database import Connection

_FACT_COLUMNS: Mapping[str, str] = {
    "response_id": "uuid",
    "survey_id": "uuid",
    "version": "int",
    "state": "text",
    "family": "text",
    "day": "date",
    "cohort": "date",
    "nps": "smallint",
    "nps5": "smallint",
    "csat": "smallint",
    "ces": "smallint",
    "answered_at": "timestamptz",
    "answer": "jsonb",
    **dict.fromkeys(DIMENSIONS, "text"),
    "programme_version": "text",
    "contact_id": "uuid",
    "account_id": "uuid",
    "account_name": "text",
    "zone": "text",
    "subject_kind": "text",
    "subject_id": "text",
    "context": "jsonb",
}
_SNAPSHOT_COLUMNS = 22
_ARRAYS = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_FACT_COLUMNS.values(), 1))
_INSERT_FACTS = f"""
insert into answer_facts ({", ".join(_FACT_COLUMNS)}) select * from unnest({_ARRAYS})
on conflict (response_id) do nothing returning response_id
"""  # noqa: S608 - names and types of our own columns
_FACTS = f"""
select response_id, survey_id, version, state, family, day, cohort, nps, nps5, csat, ces,
    {", ".join(DIMENSIONS)}
from answer_facts
"""  # noqa: S608 - names of our own columns

Change = tuple[list[Fact], list[Fact]]
"""Facts that no longer hold, and those that do instead."""


async def save_facts(conn: Connection, told: Sequence[Told]) -> Change:
    """Write the newest facts of a batch, one a response, in order of their ids.

    Returns:
        What really changed. A response that is new here is only in the second list; an old version and a
        repetition are in neither.
    """
    told = await _forget_erased(conn, told)
    inserted = await _insert(conn, told)
    come = [one.fact for one in told if one.fact.response_id in inserted]
    if len(come) == len(told):
        return [], come
    gone, changed = await _replace(conn, [one for one in told if one.fact.response_id not in inserted])
    return gone, come + changed


async def _forget_erased(conn: Connection, told: Sequence[Told]) -> Sequence[Told]:
    # Shared with other writers, exclusive to an erasure: it either sees our rows or we see it.
    await conn.execute("lock table erased_contacts in row share mode")
    contacts = {one.response.snapshot.contact_id for one in told} - {None}
    rows = await conn.fetch(
        "select contact_id from erased_contacts where contact_id = any($1::uuid[])", list(contacts)
    )
    erased = {row[0] for row in rows}
    if not erased:
        return told
    return [
        one._replace(response=without_person(one.response))
        if one.response.snapshot.contact_id in erased
        else one
        for one in told
    ]


async def _insert(conn: Connection, told: Sequence[Told]) -> set[UUID]:
    if not told:
        return set()
    rows = await conn.fetch(_INSERT_FACTS, *zip(*map(_row, told), strict=True))
    return {row[0] for row in rows}


def _row(told: Told) -> tuple[object, ...]:
    fact, response = told
    points = dict(fact.points)
    snapshot = astuple(response.snapshot)
    return (
        *fact[:7],
        points.get("nps"),
        points.get("nps5"),
        points.get("csat"),
        points.get("ces"),
        response.received_at or response.at,
        kept_of(response),
        *snapshot[: _SNAPSHOT_COLUMNS - 1],
        bytes(response.snapshot.context).decode(),
    )


async def _replace(conn: Connection, told: Sequence[Told]) -> Change:
    """Let newer versions take the place of rows that are there, under their locks."""
    ids = [one.fact.response_id for one in told]
    rows = await conn.fetch(
        _FACTS + "where response_id = any($1::uuid[]) order by response_id for update", ids
    )
    known = {row["response_id"]: fact_from(row) for row in rows}
    gone: list[Fact] = []
    come: list[Fact] = []
    anew: list[Told] = []
    for one in told:
        old = known[one.fact.response_id]
        new = merge(old, one.fact)
        if new is None:
            continue
        gone.append(old)
        come.append(new)
        if new.state is not State.WITHDRAWN:
            anew.append(Told(new, one.response))
    await conn.execute(
        "update answer_facts f set version = t.version, state = t.state"
        " from unnest($1::uuid[], $2::int[], $3::text[]) as t (response_id, version, state)"
        " where f.response_id = t.response_id",
        [fact.response_id for fact in come],
        [fact.version for fact in come],
        [fact.state.value for fact in come],
    )
    if anew:
        await conn.execute(
            "delete from answer_facts where response_id = any($1::uuid[])",
            [one.fact.response_id for one in anew],
        )
        await _insert(conn, anew)
    return gone, come


def fact_from(row: Mapping[str, object]) -> Fact:
    """A fact as a row of `answer_facts` holds it."""
    values = tuple(row.values())
    points = tuple(
        (metric.value, value)
        for metric, value in zip(Metric, values[7:11], strict=True)
        if isinstance(value, int)
    )
    response_id, survey_id, version, state, family, day, cohort = values[:7]
    fact = (response_id, survey_id, version, State(str(state)), family, day, cohort, values[11:], points)
    return Fact(*fact)  # type: ignore[arg-type] # as the columns are declared


async def facts_after(conn: Connection, last: UUID | None, limit: int) -> list[Fact]:
    """Facts in order of their ids, for a rebuild."""
    rows = await conn.fetch(
        _FACTS + "where $1::uuid is null or response_id > $1 order by response_id limit $2", last, limit
    )
    return [fact_from(row) for row in rows]
