"""Programmes that forms answer, whom their answers are of, what was taken and what could not be used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.form_answers import Read, Trouble
from services.collector.domain.form_surveys import KnownProgramme
from services.collector.domain.sharing import Somebody
from shared.contracts.directory import AccountChanged
from shared.contracts.forms import Form
from shared.contracts.model import Channel, Family, Persona, Snapshot
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.surveys import CloseTheLoop
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of an answer that came before; `digest` is empty once its person was erased."""

    survey_id: UUID
    digest: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class FormSurvey:
    """The survey that an answer is one to; `person` is sealed."""

    survey_id: UUID
    contact_id: UUID
    questionnaire: str
    snapshot: Snapshot
    person: str
    loop: CloseTheLoop
    closes_at: datetime
    identified: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What could not be used of an answer; `what` is one of the codes of the table."""

    token: str
    what: str
    trouble: Trouble


_PROGRAMMES = """
insert into programmes as p (programme, revision, version, state, family, questionnaire, close_the_loop,
    breakdown, stage, open_for_days)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (programme) do update set revision = excluded.revision, version = excluded.version,
    state = excluded.state, family = excluded.family, questionnaire = excluded.questionnaire,
    close_the_loop = excluded.close_the_loop, breakdown = excluded.breakdown, stage = excluded.stage,
    open_for_days = excluded.open_for_days
    where p.revision < excluded.revision
"""

_PROGRAMME = "select p.*, q.form from programmes p join questionnaires q on q.digest = p.questionnaire"

# A second telling waits for the first one's commit; if that rolls back, it is the first itself.
_CLAIM = """
insert into form_answers (form, token, survey_id, digest, answered_at, received_at)
select $1, token, survey_id, digest, answered_at, $6
from unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[])
    as t (token, survey_id, digest, answered_at)
order by token
on conflict do nothing
returning token
"""

_RECEIPTS = """
select token, survey_id, digest, answered_at from form_answers
where form = $1 and token = any($2::text[]) order by token for update
"""

_CHANGED = """
update form_answers f set digest = t.digest, answered_at = t.answered_at
from unnest($2::text[], $3::text[], $4::timestamptz[]) as t (token, digest, answered_at)
where f.form = $1 and f.token = t.token
"""

_CONFLICTS = "update form_answers set conflicts = conflicts + 1 where form = $1 and token = any($2::text[])"

_OPEN = """
with given as (
    select * from json_to_recordset($1::json) as t (survey_id uuid, contact_id uuid, questionnaire text,
        snapshot text, person text, close_the_loop text, closes_at timestamptz, identified bool)
), opened as (
    insert into surveys (survey_id, version, contact_id, questionnaire, snapshot, person, slots,
        close_the_loop, closes_at, state, identified)
    select survey_id, 1, contact_id, questionnaire, snapshot, person, '{}', close_the_loop, closes_at, 'open',
        identified
    from given g
    where not exists (select from erased_contacts e where e.contact_id = g.contact_id)
    order by survey_id
    on conflict (survey_id) do nothing
    returning survey_id
)
insert into hand_overs (survey_id, step, channel, known_at) select survey_id, 0, $2, $3 from opened
"""

_BY_ID = "select external_id, contact_id from widget_contacts where external_id = any($1::text[])"

_PEOPLE = """
select p.contact_id, p.mark, p.person, p.persona, p.job_function,
    coalesce(m.facts, a.facts) as facts
from known_people p
left join known_accounts a using (account_id)
left join known_accounts m on m.account_id = (a.facts::json ->> 'merged_into')::uuid
where p.mark = any($1::text[]) or p.contact_id = any($2::uuid[])
order by p.version desc, p.contact_id
"""

_ACCOUNTS = """
select a.external_id, a.account_id::text as account_id, coalesce(m.facts, a.facts) as facts
from known_accounts a left join known_accounts m on m.account_id = (a.facts::json ->> 'merged_into')::uuid
where a.external_id = any($1::text[]) or a.account_id::text = any($1::text[])
order by a.version
"""

_FIND = """
insert into form_findings as f (form, token, what, field, reason, what_to_do, first_at, last_at)
select $1, token, what, field, reason, what_to_do, $7, $7
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    as t (token, what, field, reason, what_to_do)
order by token, what, field
on conflict (form, token, what, field) do update set last_at = excluded.last_at, times = f.times + 1,
    reason = excluded.reason, what_to_do = excluded.what_to_do, mended_at = null
"""

_MENDED = """
update form_findings set mended_at = $3
where form = $1 and token = any($2::text[]) and what = 'refused' and mended_at is null
"""

_LISTED = """
select id, form, token, what, field, reason, what_to_do, first_at, last_at, times, mended_at
from form_findings
where id > $1 and ($2 = '' or form = $2) and (mended_at is null or $3) order by id limit $4
"""

_NEWEST = """
select id, form, token, what, field, reason, what_to_do, first_at, last_at, times
from form_findings where ($1 = '' or form = $1) and mended_at is null order by last_at desc, id desc limit $2
"""

_SUMS = """
select form, count(*) as answers, sum(conflicts)::int as conflicts, max(received_at) as last_received_at
from form_answers group by form
"""

_OPEN_FINDINGS = """
select form, count(*) filter (where what = 'refused') as refused, count(*) as findings
from form_findings where mended_at is null group by form
"""


async def save_programme(conn: Connection, told: ProgrammePublished, digest: str) -> None:
    """Keep a programme; its form is kept already, under `digest`."""
    await conn.execute(
        _PROGRAMMES, told.programme, told.revision, told.version, told.state.value, told.family.value, digest,
        told.close_the_loop.model_dump_json(), list(told.breakdown), told.stage, told.open_for_days,
    )  # fmt: skip


async def load_programme(conn: Connection, key: str) -> KnownProgramme | None:
    """A programme; None while nobody told of it."""
    row = await conn.fetchrow(f"{_PROGRAMME} where p.programme = $1", key)
    if row is None:
        return None
    return KnownProgramme(
        key=row["programme"],
        version=row["version"],
        state=ProgrammeState(row["state"]),
        family=Family(row["family"]),
        form=Form.model_validate_json(row["form"]),
        loop=CloseTheLoop.model_validate_json(row["close_the_loop"]),
        breakdown=tuple(row["breakdown"]),
        stage=row["stage"],
        open_for_days=row["open_for_days"],
    )


async def claim(
    conn: Connection, form: str, answers: Sequence[tuple[Read, UUID]], now: datetime
) -> dict[str, Receipt]:
    """Note answers with their surveys, each token once; what is known, locked, of those that came before."""
    reads = [read for read, _ in answers]
    fresh = await conn.fetch(
        _CLAIM, form, [read.token for read in reads], [survey for _, survey in answers],
        [read.digest for read in reads], [read.at for read in reads], now,
    )  # fmt: skip
    new = {row["token"] for row in fresh}
    old = [read.token for read in reads if read.token not in new]
    rows = await conn.fetch(_RECEIPTS, form, old) if old else []
    return {row["token"]: Receipt(row["survey_id"], row["digest"], row["answered_at"]) for row in rows}


async def note_changed(conn: Connection, form: str, reads: Sequence[Read]) -> None:
    """Keep what answers say since they were changed."""
    await conn.execute(
        _CHANGED, form, [read.token for read in reads], [read.digest for read in reads],
        [read.at for read in reads],
    )  # fmt: skip


async def note_conflicts(conn: Connection, form: str, tokens: Sequence[str]) -> None:
    """Count tellings that say something else than the first one."""
    await conn.execute(_CONFLICTS, form, list(tokens))


async def open_surveys(conn: Connection, surveys: Sequence[FormSurvey], now: datetime) -> None:
    """Keep the surveys that answers are to; nothing was handed over, and that is known too."""
    given = [
        {
            "survey_id": str(one.survey_id), "contact_id": str(one.contact_id),
            "questionnaire": one.questionnaire, "snapshot": one.snapshot.model_dump_json(),
            "person": one.person, "close_the_loop": one.loop.model_dump_json(),
            "closes_at": one.closes_at.isoformat(), "identified": one.identified,
        }
        for one in surveys
    ]  # fmt: skip
    await conn.execute(_OPEN, json.dumps(given), Channel.FORM.value, now)


async def contacts_by_id(conn: Connection, external_ids: Sequence[str]) -> dict[str, UUID]:
    """Which contacts are meant by the ids of the customer's own systems."""
    rows = await conn.fetch(_BY_ID, list(external_ids))
    return {row["external_id"]: row["contact_id"] for row in rows}


async def people(
    conn: Connection, marks: Sequence[str], contacts: Sequence[UUID]
) -> tuple[dict[str, Somebody], dict[UUID, Somebody]]:
    """Whom the directory knows, by the keyed hash of an address and by id."""
    by_mark: dict[str, Somebody] = {}
    by_id: dict[UUID, Somebody] = {}
    for row in await conn.fetch(_PEOPLE, list(marks), list(contacts)):
        found = Somebody(
            contact_id=row["contact_id"],
            person=row["person"],
            persona=Persona(row["persona"]) if row["persona"] else None,
            job_function=row["job_function"],
            account=AccountChanged.model_validate_json(row["facts"]) if row["facts"] else None,
        )
        by_mark.setdefault(row["mark"], found)
        by_id[found.contact_id] = found
    return by_mark, by_id


async def accounts(conn: Connection, named: Sequence[str]) -> dict[str, AccountChanged]:
    """Companies by their id in the customer's systems, or by ours."""
    found: dict[str, AccountChanged] = {}
    for row in await conn.fetch(_ACCOUNTS, list(named)):
        account = AccountChanged.model_validate_json(row["facts"])
        found[row["account_id"]] = account
        if row["external_id"]:
            found[row["external_id"]] = account
    return found


async def erased(conn: Connection, contacts: Sequence[UUID]) -> set[UUID]:
    """Those that were erased."""
    rows = await conn.fetch(
        "select contact_id from erased_contacts where contact_id = any($1::uuid[])", list(contacts)
    )
    return {row["contact_id"] for row in rows}


async def note(conn: Connection, form: str, found: Sequence[Finding], now: datetime) -> None:
    """Record what could not be used; the same again only counts."""
    once = {(one.token, one.what, one.trouble.field): one for one in found}.values()
    await conn.execute(
        _FIND, form, [one.token for one in once], [one.what for one in once],
        [one.trouble.field for one in once], [one.trouble.reason for one in once],
        [one.trouble.what_to_do for one in once], now,
    )  # fmt: skip


async def note_mended(conn: Connection, form: str, tokens: Sequence[str], now: datetime) -> None:
    """Note that answers which were refused before are taken."""
    await conn.execute(_MENDED, form, list(tokens), now)


async def findings(
    conn: Connection, form: str, after: int, limit: int, *, mended: bool
) -> list[dict[str, Any]]:
    """What could not be used, in the order in which it was first found; of one form or of all."""
    return [dict(row) for row in await conn.fetch(_LISTED, after, form, mended, limit)]


async def newest_findings(conn: Connection, form: str, limit: int) -> list[dict[str, Any]]:
    """What could not be used and is not mended, the last first; of one form or of all."""
    return [dict(row) for row in await conn.fetch(_NEWEST, form, limit)]


async def sums(conn: Connection) -> Mapping[str, dict[str, Any]]:
    """How many answers came by each form, and what is open of them."""
    found = {row["form"]: dict(row) for row in await conn.fetch(_SUMS)}
    for row in await conn.fetch(_OPEN_FINDINGS):
        found.setdefault(row["form"], {}).update(refused=row["refused"], findings=row["findings"])
    return found
