"""Surveys as the collector knows them, the fate of their invitations, and the organisation that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.collector.domain.amend import SurveyState
from shared.contracts.directory import OrganisationChanged
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """A survey as it was requested. `snapshot`, `slots` and `close_the_loop` are JSON, `person` is sealed.

    Attributes:
        incentive: What was promised to whoever answers, as JSON by language; empty where nothing was (R55).
    """

    survey_id: UUID
    version: int
    contact_id: UUID
    questionnaire: str
    snapshot: str
    person: str
    slots: str
    close_the_loop: str
    closes_at: datetime
    incentive: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """What later events changed about a survey; None leaves a field as it is."""

    survey_id: UUID
    version: int
    closes_at: datetime | None = None
    state: SurveyState | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """What is known of one step's invitation; `at` only where it really went out."""

    survey_id: UUID
    step: int
    channel: str
    at: datetime | None


_QUESTIONNAIRES = """
insert into questionnaires (digest, form)
select * from unnest($1::text[], $2::text[]) as t (digest, form) order by digest
on conflict do nothing
"""

# What happened to whom, and what somebody's job is, can single a person out: erasure takes it too.
_BLURRED = r"""regexp_replace({}, '"(subject_id|job_function)":"([^"\\]|\\.)*"', '"\1":""', 'g')"""

_SURVEYS = f"""
insert into surveys as s (survey_id, version, contact_id, questionnaire, snapshot, person, slots,
    close_the_loop, closes_at, incentive, state)
select t.survey_id, t.version, t.contact_id, t.questionnaire,
    case when e.contact_id is null then t.snapshot else {_BLURRED.format("t.snapshot")} end,
    case when e.contact_id is null then t.person else '' end,
    case when e.contact_id is null then t.slots else '{{}}' end,
    t.close_the_loop, t.closes_at, t.incentive, case when e.contact_id is null then 'open' else 'erased' end
from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::text[]) as t (survey_id, version, contact_id, questionnaire, snapshot, person,
    slots, close_the_loop, closes_at, incentive)
left join erased_contacts e on e.contact_id = t.contact_id
order by t.survey_id
on conflict (survey_id) do nothing
"""  # noqa: S608 - constants of this module

# A link can be faster than its survey: who looked at it then was noted with an address.
_FORGET_EARLIER = """
update observations o set address = '' from surveys s
where s.survey_id = any($1::uuid[]) and s.state = 'erased' and o.survey_id = s.survey_id and o.address <> ''
"""

_PATCH = """
update surveys as s set
    version = p.version,
    closes_at = coalesce(p.closes_at, s.closes_at),
    state = case when s.state = 'erased' then s.state else coalesce(p.state, s.state) end
from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::text[]) as p (survey_id, version, closes_at, state)
where s.survey_id = p.survey_id and s.version < p.version
"""

_HAND_OVERS = """
insert into hand_overs as h (survey_id, step, channel, known_at, handed_over_at)
select survey_id, step, channel, $5, handed_over_at
from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[])
    as t (survey_id, step, channel, handed_over_at)
order by survey_id, step
on conflict (survey_id, step) do update
    set handed_over_at = coalesce(h.handed_over_at, excluded.handed_over_at),
        channel = case when h.handed_over_at is null then excluded.channel else h.channel end
"""

_JUDGE_AGAIN = """
insert into settling (survey_id, ready_at, at_latest)
select survey_id, $2, $2 from responses
where survey_id = any($1::uuid[]) and state <> 'pending' order by survey_id
on conflict do nothing
"""

_ERASE = (
    """
    insert into erased_contacts (contact_id, erased_at)
    select * from unnest($1::uuid[], $2::timestamptz[]) as t (contact_id, erased_at) order by contact_id
    on conflict do nothing
    """,
    # First: whoever looks at a link meanwhile waits here, and leaves no address.
    f"""
    update surveys set state = 'erased', person = '', slots = '{{}}', snapshot = {_BLURRED.format("snapshot")}
    where contact_id = any($1::uuid[])
    """,  # noqa: S608 - constants of this module
    "delete from widget_contacts where contact_id = any($1::uuid[])",
    "delete from known_people where contact_id = any($1::uuid[])",
    """
    update observations set address = '' where survey_id in
        (select survey_id from surveys where contact_id = any($1::uuid[]))
    """,
    """
    update form_answers set digest = '' where survey_id in
        (select survey_id from surveys where contact_id = any($1::uuid[]))
    """,
    """
    update incentives set reference = '' where reference <> '' and survey_id in
        (select survey_id from surveys where contact_id = any($1::uuid[]))
    """,
    """
    delete from refused_redemptions where survey_id in
        (select survey_id from surveys where contact_id = any($1::uuid[]))
    """,
    """
    update answers set words = '', content = '', address = '', idempotency_key = null where survey_id in
        (select survey_id from surveys where contact_id = any($1::uuid[]))
    """,
)

_ORGANISATION = """
insert into organisation as o (only_row, version, settings) values (true, $1, $2)
on conflict (only_row) do update set version = excluded.version, settings = excluded.settings
    where o.version < excluded.version
"""


async def save_requested(conn: Connection, rows: Sequence[SurveyRow], forms: dict[str, str]) -> None:
    """Keep surveys that may be answered from now on; one of an erased contact is kept as erased.

    Args:
        conn: Inside the unit of work.
        rows: One per survey.
        forms: Digest -> form as JSON of all questionnaires that the rows name.
    """
    await save_forms(conn, forms)
    await conn.execute(
        _SURVEYS,
        [row.survey_id for row in rows],
        [row.version for row in rows],
        [row.contact_id for row in rows],
        [row.questionnaire for row in rows],
        [row.snapshot for row in rows],
        [row.person for row in rows],
        [row.slots for row in rows],
        [row.close_the_loop for row in rows],
        [row.closes_at for row in rows],
        [row.incentive for row in rows],
    )
    await conn.execute(_FORGET_EARLIER, [row.survey_id for row in rows])


async def save_forms(conn: Connection, forms: dict[str, str]) -> None:
    """Keep forms as JSON by digest."""
    await conn.execute(_QUESTIONNAIRES, list(forms), list(forms.values()))


async def save_patches(conn: Connection, patches: Sequence[Patch]) -> None:
    """Apply what newer events say; older ones than what is there change nothing."""
    await conn.execute(
        _PATCH,
        [patch.survey_id for patch in patches],
        [patch.version for patch in patches],
        [patch.closes_at for patch in patches],
        [None if patch.state is None else patch.state.value for patch in patches],
    )


async def save_hand_overs(conn: Connection, known: Sequence[HandOver], now: datetime) -> None:
    """Keep what became of invitations, and have announced answers judged again by it. One entry per step."""
    await conn.execute(
        _HAND_OVERS,
        [one.survey_id for one in known],
        [one.step for one in known],
        [one.channel for one in known],
        [one.at for one in known],
        now,
    )
    await conn.execute(_JUDGE_AGAIN, [one.survey_id for one in known], now)


async def erase(conn: Connection, contacts: dict[UUID, datetime]) -> None:
    """Let all that is personal about contacts go; their answers keep counting, without a person."""
    tombstones, *statements = _ERASE
    await conn.execute(tombstones, list(contacts), list(contacts.values()))
    for statement in statements:
        await conn.execute(statement, list(contacts))


async def save_organisation(conn: Connection, settings: OrganisationChanged) -> None:
    """Keep the newest settings of the organisation."""
    await conn.execute(_ORGANISATION, settings.version, settings.model_dump_json())


async def load_forms(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Forms as JSON by digest."""
    rows = await conn.fetch("select digest, form from questionnaires where digest = any($1::text[])", digests)
    return {row["digest"]: row["form"] for row in rows}
