"""Links without an invitation, the surveys of those who come by them, and who they turn out to be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.collector.domain.sharing import SharedLink, Somebody
from shared.contracts.directory import AccountChanged
from shared.contracts.model import Channel, Persona, Snapshot
from shared.contracts.surveys import CloseTheLoop, SurveyShared
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A contact with the keyed hash of the address; `person` is sealed."""

    contact_id: UUID
    version: int
    mark: str
    person: str
    account_id: UUID | None
    persona: str | None
    job_function: str


@dataclass(frozen=True, slots=True)
class OpenedSurvey:
    """The survey of somebody who came by a link."""

    survey_id: UUID
    link: SharedLink
    contact_id: UUID
    snapshot: Snapshot
    person: str
    loop: CloseTheLoop
    closes_at: datetime
    identified: bool


_LINK = """
insert into shared_links as l (link_id, version, snapshot, questionnaire, slots, close_the_loop, closes_at,
    open_for_days, withdrawn_at, shared_at, shared_by, withdrawn_by, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (link_id) do update set version = excluded.version, withdrawn_at = excluded.withdrawn_at,
    withdrawn_by = excluded.withdrawn_by, reason = excluded.reason
    where l.version < excluded.version
"""

_CLOSE = "update surveys set state = 'closed' where link_id = any($1::uuid[]) and state = 'open'"

_OPEN = """
with opened as (
    insert into surveys (survey_id, version, contact_id, questionnaire, snapshot, person, slots,
        close_the_loop, closes_at, state, link_id, identified)
    select $1, 1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10
    where not exists (select from erased_contacts where contact_id = $2)
    on conflict (survey_id) do nothing
    returning survey_id
)
insert into hand_overs (survey_id, step, channel, known_at) select survey_id, 0, $11, $12 from opened
returning survey_id
"""

# What was seen of somebody goes with them: it decides whether a person answered.
_MOVE = """
with fresh as (
    update surveys set moved_to = case when survey_id = $2 then null else $2 end
    where survey_id in ($1, $2, (select moved_to from surveys where survey_id = $1))
    returning survey_id
), seen as (
    insert into observations (survey_id, at, kind, address, agent, score, page)
    select $2, at, kind, address, agent, score, page from observations where survey_id = $1 and $3
)
insert into settling (survey_id, ready_at, at_latest)
select survey_id, $4, $4 from fresh join responses using (survey_id) order by survey_id
on conflict (survey_id) do update
    set ready_at = least(settling.ready_at, excluded.ready_at),
        at_latest = least(settling.at_latest, excluded.at_latest)
"""

_PEOPLE = """
insert into known_people as k (contact_id, version, mark, person, account_id, persona, job_function)
select t.* from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[])
    as t (contact_id, version, mark, person, account_id, persona, job_function)
where not exists (select from erased_contacts e where e.contact_id = t.contact_id)
order by t.contact_id
on conflict (contact_id) do update
    set version = excluded.version, mark = excluded.mark, person = excluded.person,
        account_id = excluded.account_id, persona = excluded.persona, job_function = excluded.job_function
    where k.version < excluded.version
"""

_ACCOUNTS = """
insert into known_accounts as k (account_id, version, facts)
select * from unnest($1::uuid[], $2::int[], $3::text[]) as t (account_id, version, facts) order by account_id
on conflict (account_id) do update set version = excluded.version, facts = excluded.facts
    where k.version < excluded.version
"""

_WHO = """
select p.contact_id, p.person, p.persona, p.job_function, a.facts
from known_people p left join known_accounts a using (account_id)
where case when $1::text = '' then p.contact_id = $2 else p.mark = $1 end
order by p.version desc, p.contact_id limit 1
"""

_ANSWERED = """
select exists (
    select from surveys s join answers a using (survey_id)
    where s.link_id = $1 and s.contact_id = $2 and a.complete
        and coalesce(a.verdict = 'human' or a.released_by is not null, true)
)
"""


async def save_links(conn: Connection, told: Iterable[tuple[SurveyShared, str]]) -> None:
    """Keep links with the digests of their forms; what was withdrawn can be answered no more."""
    gone: list[UUID] = []
    for link, digest in told:
        await conn.execute(
            _LINK, UUID(link.link_id), link.version, link.snapshot.model_dump_json(), digest,
            json.dumps(link.slots), link.close_the_loop.model_dump_json(), link.closes_at,
            link.open_for_days, link.withdrawn_at, link.shared_at, link.shared_by, link.withdrawn_by,
            link.reason,
        )  # fmt: skip
        if link.withdrawn_at:
            gone.append(UUID(link.link_id))
    if gone:
        await conn.execute(_CLOSE, gone)


async def load_link(conn: Connection, ident: UUID) -> SharedLink | None:
    """A link, or None while it has not arrived here."""
    row = await conn.fetchrow("select * from shared_links where link_id = $1", ident)
    if row is None:
        return None
    return SharedLink(
        id=ident,
        snapshot=Snapshot.model_validate_json(row["snapshot"]),
        questionnaire=row["questionnaire"],
        slots=row["slots"],
        loop=CloseTheLoop.model_validate_json(row["close_the_loop"]),
        closes_at=row["closes_at"],
        open_for=timedelta(days=row["open_for_days"]),
        withdrawn=row["withdrawn_at"] is not None,
    )


async def open_survey(conn: Connection, opened: OpenedSurvey, now: datetime) -> bool:
    """Keep the survey of a visitor; False when there is one, or its person was erased.

    Nothing was handed over: that is known too, so that its answer waits for no word about a mail.
    """
    found = await conn.fetchval(
        _OPEN, opened.survey_id, opened.contact_id, opened.link.questionnaire,
        opened.snapshot.model_dump_json(), opened.person, opened.link.slots,
        opened.loop.model_dump_json(), opened.closes_at, opened.link.id, opened.identified,
        Channel.SHARED_LINK.value, now,
    )  # fmt: skip
    return found is not None


async def move(conn: Connection, old: UUID, new: UUID, now: datetime, *, fresh: bool) -> None:
    """Let the survey of a visitor be that of a person from now on; `fresh`: it was opened just now."""
    await conn.execute(_MOVE, old, new, fresh, now)


async def standing(conn: Connection, survey_id: UUID) -> UUID:
    """The survey that a visitor's has become; itself while nobody knows who it is."""
    found: UUID | None = await conn.fetchval("select moved_to from surveys where survey_id = $1", survey_id)
    return found or survey_id


async def learn_people(conn: Connection, people: Sequence[KnownPerson]) -> None:
    """Keep by which address contacts are known; of erased ones nothing."""
    await conn.execute(
        _PEOPLE,
        [one.contact_id for one in people],
        [one.version for one in people],
        [one.mark for one in people],
        [one.person for one in people],
        [one.account_id for one in people],
        [one.persona for one in people],
        [one.job_function for one in people],
    )


async def learn_accounts(conn: Connection, accounts: Sequence[AccountChanged]) -> None:
    """Keep what a snapshot says of accounts, the newest version of each."""
    await conn.execute(
        _ACCOUNTS,
        [UUID(one.account_id) for one in accounts],
        [one.version for one in accounts],
        [one.model_dump_json() for one in accounts],
    )


async def find(conn: Connection, *, mark: str = "", contact_id: UUID | None = None) -> Somebody | None:
    """Whom the directory knows by the keyed hash of an address, or by the contact's id."""
    row = await conn.fetchrow(_WHO, mark, contact_id)
    if row is None:
        return None
    return Somebody(
        contact_id=row["contact_id"],
        person=row["person"],
        persona=Persona(row["persona"]) if row["persona"] else None,
        job_function=row["job_function"],
        account=AccountChanged.model_validate_json(row["facts"]) if row["facts"] else None,
    )


async def is_erased(conn: Connection, contact_id: UUID) -> bool:
    """Whether a contact was erased."""
    return bool(await conn.fetchval("select true from erased_contacts where contact_id = $1", contact_id))


async def has_answered(conn: Connection, link: UUID, contact_id: UUID) -> bool:
    """Whether somebody answered by a link already."""
    return bool(await conn.fetchval(_ANSWERED, link, contact_id))
