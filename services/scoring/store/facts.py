"""Facts: rows of `answer_facts`. New ones are copied in, known ones replaced under their locks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg

from services.scoring.domain.facts import DIMENSIONS, Fact, State, context_of, merge
from services.scoring.domain.histogram import Metric
from services.scoring.domain.reading import PERSONAL, Told, kept_of, without_person
from services.scoring.domain.rollups import UNASKED
from shared.db.database import Connection
from shared.errors import Unavailable

_COLUMNS = (
    "response_id", "survey_id", "version", "state", "family", "day", "cohort", "nps", "nps5", "csat", "ces",
    "answered_at", "contact_id", "account_id", "programme", "persona", "unasked", "answer", "snapshot",
)  # fmt: skip
_FACTS = """
select response_id, survey_id, version, state, family, day, cohort, nps, nps5, csat, ces, snapshot
from answer_facts
"""
# Ids come as one text: an array of thousands of parameters costs more to check than to look up.
_KNOWN = _FACTS + "where response_id = any(string_to_array($1, ',')::uuid[]) order by response_id for update"
_ERASED = (
    "select contact_id::text from erased_contacts where contact_id = any(string_to_array($1, ',')::uuid[])"
)
_STATE = """
update answer_facts f set version = t.version, state = t.state
from unnest($1::uuid[], $2::int[], $3::text[]) as t (response_id, version, state)
where f.response_id = t.response_id
"""

_OF_CONTACTS = _FACTS + "where contact_id = any($1::uuid[]) order by response_id for update"
_FORGET = """
update answer_facts set contact_id = null, snapshot = (snapshot::jsonb - $2::text[])::json
where contact_id = any($1::uuid[])
"""

Change = tuple[list[Fact], list[Fact]]
"""Facts that no longer hold, and those that do instead."""


async def save_facts(conn: Connection, told: Sequence[Told]) -> Change:
    """Write the newest facts of a batch, one a response, in order of their ids.

    Returns:
        What really changed. A response that is new here is only in the second list; an old version and a
        repetition are in neither.

    Raises:
        Unavailable: another instance wrote one of the responses at this moment; the batch is to be repeated.
    """
    if not told:
        return [], []
    told = await _forget_erased(conn, told)
    rows = await conn.fetch(_KNOWN, ",".join([one.fact.response_id for one in told]))
    known = {str(row["response_id"]): fact_from(row) for row in rows}
    fresh = [one for one in told if one.fact.response_id not in known] if known else told
    await _copy(conn, fresh)
    come = [one.fact for one in fresh]
    if not known:
        return [], come
    gone, changed = await _replace(conn, known, [one for one in told if one.fact.response_id in known])
    return gone, come + changed


async def _forget_erased(conn: Connection, told: Sequence[Told]) -> Sequence[Told]:
    # Shared with other writers, exclusive to an erasure: it either sees our rows or we see it.
    await conn.execute("lock table erased_contacts in row share mode")
    contacts = {one.contact_id for one in told if one.contact_id}
    erased = {row[0] for row in await conn.fetch(_ERASED, ",".join(contacts))}
    if not erased:
        return told
    return [without_person(one) if one.contact_id in erased else one for one in told]


async def _copy(conn: Connection, told: Sequence[Told]) -> None:
    """Copy rows that are not there yet: a fifth of what an insert of arrays costs."""
    if not told:
        return
    try:
        source = BytesIO("\n".join(map(_line, told)).encode())
        await conn.copy_to_table("answer_facts", source=source, columns=_COLUMNS)
    except asyncpg.UniqueViolationError as error:
        raise Unavailable("answer_facts: another instance is writing the same response") from error


_NULL = "\\N"
_PERSONA, _CHANNEL = DIMENSIONS.index("persona"), DIMENSIONS.index("channel")


def _line(told: Told) -> str:
    """A row in the text format of COPY."""
    fact, response, contact_id, account_id, snapshot, _ = told
    points = dict(fact.points)
    at = (response.received_at or response.at).isoformat()
    return (
        f"{fact.response_id}\t{fact.survey_id}\t{fact.version}\t{fact.state.value}\t{fact.family}\t{fact.day}"
        f"\t{fact.cohort}\t{points.get('nps', _NULL)}\t{points.get('nps5', _NULL)}"
        f"\t{points.get('csat', _NULL)}\t{points.get('ces', _NULL)}\t{at}\t{contact_id or _NULL}"
        f"\t{account_id or _NULL}\t{escaped(fact.dims[0] or '')}\t{fact.dims[_PERSONA] or _NULL}"
        f"\t{'t' if fact.dims[_CHANNEL] in UNASKED else 'f'}"
        f"\t{escaped(kept_of(response))}\t{escaped(snapshot)}"
    )


def escaped(text: str) -> str:
    """JSON as COPY wants it; its strings hold no raw control characters, but lines may break between them."""
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\n", " ").replace("\t", " ").replace("\r", " ")
    return text


async def _replace(conn: Connection, known: Mapping[str, Fact], told: Sequence[Told]) -> Change:
    """Let newer versions take the place of rows that are there, under the locks that are held."""
    pairs = [(known[one.fact.response_id], one) for one in told]
    merged = [(old, new, one) for old, one in pairs if (new := merge(old, one.fact)) is not None]
    come = [new for _, new, _ in merged]
    await conn.execute(
        _STATE,
        [fact.response_id for fact in come],
        [fact.version for fact in come],
        [fact.state.value for fact in come],
    )
    # A withdrawal says nothing but that: what was answered stays on record.
    anew = [one._replace(fact=new) for _, new, one in merged if new.state is not State.WITHDRAWN]
    if anew:
        await conn.execute(
            "delete from answer_facts where response_id = any($1::uuid[])",
            [one.fact.response_id for one in anew],
        )
        await _copy(conn, anew)
    return [old for old, _, _ in merged], come


def fact_from(row: Mapping[str, Any]) -> Fact:
    """A fact as a row of `answer_facts` holds it."""
    snapshot = json.loads(row["snapshot"])
    return Fact(
        str(row["response_id"]),
        str(row["survey_id"]),
        row["version"],
        State(row["state"]),
        row["family"],
        row["day"],
        row["cohort"],
        tuple(snapshot.get(dimension) for dimension in DIMENSIONS),
        tuple((metric.value, row[metric.value]) for metric in Metric if row[metric.value] is not None),
        context_of(snapshot.get("context") or {}, snapshot.get("breakdown") or ()),
    )


async def forget(conn: Connection, contacts: Sequence[UUID]) -> Change:
    """Cut what leads to persons from their facts; the answers go on counting.

    Returns:
        What changed of it in the scores: the attributes of the event are no longer known.
    """
    rows = await conn.fetch(_OF_CONTACTS, contacts)
    await conn.execute(_FORGET, contacts, list(PERSONAL))
    gone = [fact_from(row) for row in rows]
    return gone, [fact._replace(context=()) for fact in gone]


async def facts_after(conn: Connection, last: str | None, limit: int) -> list[Fact]:
    """Facts in order of their ids, for a rebuild."""
    rows = await conn.fetch(
        _FACTS + "where $1::uuid is null or response_id > $1 order by response_id limit $2", last, limit
    )
    return [fact_from(row) for row in rows]
