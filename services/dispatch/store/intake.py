"""What events bring: surveys, messages, answers, and the directory as far as sending depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.model import Planned, Survey, SurveyChange
from shared.contracts.model import Channel
from shared.db.database import Connection

_TEXTS = """
insert into texts (digest, content)
select * from unnest($1::text[], $2::text[]) order by 1 on conflict do nothing
"""
# Topics have no order among each other: a survey may come after its contact was erased. The lock lets an
# erasure that is under way end first, or come after.
_SURVEYS = """
insert into surveys (survey_id, contact_id, account_id, programme, version, snapshot, person, texts_digest,
    slots, requested_at, closes_at, fresh_until, channels, send_hours)
select s.survey_id, s.contact_id, s.account_id, s.programme, s.version, s.snapshot,
    case when c.erased then '' else s.person end, s.texts_digest,
    case when c.erased then '{}' else s.slots end, s.requested_at, s.closes_at, s.fresh_until,
    string_to_array(s.channels, ','), s.send_hours
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[],
    $14::text[])
    as s (survey_id, contact_id, account_id, programme, version, snapshot, person, texts_digest, slots,
        requested_at, closes_at, fresh_until, channels, send_hours)
left join (
    select contact_id, erased_at is not null as erased from contacts
    where contact_id = any($2::uuid[]) order by 1 for share
) c on c.contact_id = s.contact_id
order by 1
on conflict (survey_id) do nothing
"""
_CHANGES = """
update surveys as s set
    version = c.version,
    cancelled_as = coalesce(c.cancelled_as, s.cancelled_as),
    closed = s.closed or c.closed,
    closes_at = coalesce(c.closes_at, s.closes_at)
from unnest($1::uuid[], $2::int[], $3::text[], $4::boolean[], $5::timestamptz[])
    as c (survey_id, version, cancelled_as, closed, closes_at)
where s.survey_id = c.survey_id and s.version < c.version
"""
# A first message needs no proof that the answers are known: nobody can answer before it.
_MESSAGES = """
insert into messages (delivery_id, survey_id, message_id, kind, step, channel, contact_id, account_id,
    programme, key, snapshot, requested_at, person, slots, view_current)
select m.delivery_id, m.survey_id, m.message_id, m.kind, m.step, m.channel, m.contact_id, m.account_id,
    m.programme, m.key, m.snapshot, m.requested_at, case when c.erased then '' else m.person end,
    case when c.erased then '{}' else m.slots end, m.step = 0
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::text[], $7::uuid[],
    $8::uuid[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[])
    as m (delivery_id, survey_id, message_id, kind, step, channel, contact_id, account_id, programme,
        key, snapshot, requested_at, person, slots)
left join (
    select contact_id, erased_at is not null as erased from contacts
    where contact_id = any($7::uuid[]) order by 1 for share
) c on c.contact_id = m.contact_id
order by 1
on conflict (delivery_id) do nothing
"""
_KNOWN_CONTACTS = """
insert into contacts (contact_id, version, account_id)
select c, 0, a from unnest($1::uuid[], $2::uuid[]) as t (c, a) order by 1 on conflict do nothing
"""
_CONTACTS = """
insert into contacts as c (contact_id, version, account_id, opted_out, merged_into)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::boolean[], $5::uuid[]) order by 1
on conflict (contact_id) do update set
    version = excluded.version, account_id = excluded.account_id, opted_out = excluded.opted_out,
    merged_into = excluded.merged_into
where c.version < excluded.version and c.erased_at is null
"""
_ERASED = """
insert into contacts as c (contact_id, version, opted_out, erased_at)
select id, version, true, at from unnest($1::uuid[], $2::int[], $3::timestamptz[]) as t (id, version, at)
order by 1 on conflict (contact_id) do update set
    version = greatest(c.version, excluded.version), opted_out = true,
    erased_at = coalesce(c.erased_at, excluded.erased_at)
"""
# The hash stays, as a suppression: the same address imported again must not be written to. What else had kept
# it from that could be lifted, an erasure cannot.
_KEEP_HASHES = """
insert into suppressions (kind, subject, reason, via, noted_at, channel)
select distinct on (address_hash) 'address', address_hash, 'erased', 'erasure', $2::timestamptz, channel
from messages where contact_id = any($1::uuid[]) and address_hash is not null order by address_hash
on conflict (kind, subject, programme) do update set reason = 'erased', via = 'erasure', noted_by = null,
    noted_at = excluded.noted_at, channel = excluded.channel
where suppressions.reason <> 'erased'
"""
_BLANK_MESSAGES = """
update messages set person = '', slots = '{}', address_hash = null where contact_id = any($1::uuid[])
"""
_BLANK_SURVEYS = "update surveys set person = '', slots = '{}' where contact_id = any($1::uuid[])"
_BLANK_SUPPRESSIONS = "update suppressions set contact_id = null where contact_id = any($1::uuid[])"
_FORGET_LIFTED = """
delete from lifted_suppressions l
where contact_id = any($1::uuid[]) or (kind = 'address' and exists (
    select from messages m where m.contact_id = any($1::uuid[]) and m.address_hash = l.subject))
"""
_ANSWERS = """
insert into answers as a (survey_id, version, answered, held)
select * from unnest($1::uuid[], $2::int[], $3::boolean[], $4::boolean[]) order by 1
on conflict (survey_id) do update set
    version = excluded.version, answered = excluded.answered, held = excluded.held
where a.version < excluded.version
"""
_STARTS = """
insert into answers as a (survey_id, version, answered, started)
select survey_id, 0, false, true from unnest($1::uuid[]) as t (survey_id) order by 1
on conflict (survey_id) do update set started = true where not a.started
"""
_REDEMPTIONS = """
insert into answers as a (survey_id, version, answered, redeemed, redemption)
select survey_id, 0, false, redeemed, version from unnest($1::uuid[], $2::boolean[], $3::int[])
    as t (survey_id, redeemed, version) order by 1
on conflict (survey_id) do update set redeemed = excluded.redeemed, redemption = excluded.redemption
where a.redemption < excluded.redemption
"""
_ACCOUNTS = """
insert into accounts as a (account_id, version, paused)
select * from unnest($1::uuid[], $2::int[], $3::boolean[]) order by 1
on conflict (account_id) do update set version = excluded.version, paused = excluded.paused
where a.version < excluded.version
"""
_PROGRAMMES = """
insert into programmes as p (programme, revision, paused, texts, channels)
select programme, revision, paused, texts, coalesce(string_to_array(nullif(channels, ''), ','), '{}')
from unnest($1::text[], $2::int[], $3::boolean[], $4::text[], $5::text[])
    as t (programme, revision, paused, texts, channels) order by 1
on conflict (programme) do update set revision = excluded.revision, paused = excluded.paused,
    texts = excluded.texts, channels = excluded.channels
where p.revision <= excluded.revision
"""
_ORGANISATION = """
insert into organisation as o (version, paused, content) values ($1, $2, $3)
on conflict (only_row) do update set
    version = excluded.version, paused = excluded.paused, content = excluded.content
where o.version < excluded.version
"""
_WAKE = """
update messages set not_before = clock.machine_now()
where state = 'planned' and attempts = 0 and not_before <> 'infinity' and (programme = any($1::text[])
    or account_id = any($2::uuid[] || array(select former from merged where id = any($2::uuid[]))))
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the newest version of an answer says: that it counts, is held, or was withdrawn."""

    survey_id: UUID
    version: int
    answered: bool
    held: bool = False


@dataclass(frozen=True, slots=True)
class SurveyHead:
    """What a later event of a survey needs to know of it; `tried` are the channels of its messages so far."""

    channels: tuple[Channel, ...]
    tried: frozenset[Channel]


async def save_surveys(conn: Connection, texts: Mapping[str, str], surveys: Sequence[Survey]) -> None:
    """Keep new surveys and, once each, the texts they ask with; known ones stay as they are."""
    await conn.execute(_TEXTS, list(texts), list(texts.values()))
    await conn.execute(
        _KNOWN_CONTACTS, *_columns([(s.contact_id, s.account_id) for s in _by_contact(surveys)], 2)
    )
    await conn.execute(
        _SURVEYS,
        *_columns(
            [
                (
                    s.survey_id, s.contact_id, s.account_id, s.programme, s.version, s.snapshot, s.person,
                    s.digest, s.slots, s.requested_at, s.closes_at, s.fresh_until,
                    ",".join(channel.value for channel in s.channels), s.hours,
                )
                for s in surveys
            ],
            14,
        ),
    )  # fmt: skip


async def heads(conn: Connection, survey_ids: Sequence[UUID]) -> dict[UUID, SurveyHead]:
    """The surveys that are known here, with their channels."""
    rows = await conn.fetch(
        """
        select s.survey_id, s.channels,
            array(select distinct m.channel from messages m where m.survey_id = s.survey_id) as tried
        from surveys s where s.survey_id = any($1::uuid[])
        """,
        list(survey_ids),
    )
    return {
        row["survey_id"]: SurveyHead(
            tuple(map(Channel, row["channels"])), frozenset(map(Channel, row["tried"]))
        )
        for row in rows
    }


async def change_surveys(conn: Connection, changes: Sequence[SurveyChange]) -> None:
    """Apply what is newer than what is known."""
    rows = [(c.survey_id, c.version, c.cancelled_as, c.closed, c.closes_at) for c in changes]
    await conn.execute(_CHANGES, *_columns(rows, 5))


async def plan_messages(conn: Connection, messages: Sequence[Planned]) -> None:
    """Keep messages to send; one that is known is not planned twice."""
    people = {m.contact_id: (m.contact_id, m.account_id) for m in messages}
    await conn.execute(_KNOWN_CONTACTS, *_columns(list(people.values()), 2))
    rows = [
        (
            m.delivery_id, m.survey_id, m.message_id, m.kind, m.step, m.channel.value, m.contact_id,
            m.account_id, m.programme, m.key, m.snapshot, m.requested_at, m.person, m.slots,
        )
        for m in messages
    ]  # fmt: skip
    await conn.execute(_MESSAGES, *_columns(rows, 14))


async def save_answers(conn: Connection, answers: Sequence[Heard]) -> None:
    """Keep per survey whether a person's answer counts; an older version changes nothing."""
    rows = [(one.survey_id, one.version, one.answered, one.held) for one in answers]
    if rows:
        await conn.execute(_ANSWERS, *_columns(rows, 4))


async def save_starts(conn: Connection, survey_ids: Sequence[UUID]) -> None:
    """Keep that a person sent a first step of these surveys."""
    if survey_ids:
        await conn.execute(_STARTS, list(survey_ids))


async def save_redemptions(conn: Connection, rows: Sequence[tuple[UUID, bool, int]]) -> None:
    """Keep whether what surveys promised was given: survey, given, version; older news changes nothing."""
    await conn.execute(_REDEMPTIONS, *_columns(rows, 3))


async def save_contacts(
    conn: Connection, rows: Sequence[tuple[UUID, int, UUID | None, bool, UUID | None]]
) -> None:
    """Keep contacts: id, version, account, opted out, merged into whom. An erased one never comes back."""
    await conn.execute(_CONTACTS, *_columns(rows, 5))


async def erase_contacts(conn: Connection, rows: Sequence[tuple[UUID, int, datetime]], now: datetime) -> None:
    """Forget people: id, version, erased at. Only keyed hashes of their addresses stay, so none is asked."""
    ids = [row[0] for row in rows]
    await conn.execute(_ERASED, *_columns(rows, 3))
    await conn.execute(_KEEP_HASHES, ids, now)
    # The hashes in messages lead to what else is kept of the addresses, so they go last.
    for statement in (_FORGET_LIFTED, _BLANK_SUPPRESSIONS, _BLANK_SURVEYS, _BLANK_MESSAGES):
        await conn.execute(statement, ids)


async def save_accounts(conn: Connection, rows: Sequence[tuple[UUID, int, bool]]) -> None:
    """Keep accounts: id, version, paused. Messages of those that go on are due at once."""
    await conn.execute(_ACCOUNTS, *_columns(rows, 3))
    await conn.execute(_WAKE, [], [account for account, _, paused in rows if not paused])


async def save_programmes(conn: Connection, rows: Sequence[tuple[str, int, bool, str, str]]) -> None:
    """Keep programmes: key, revision, paused, texts, channels (by comma).

    Messages of those that go on are due at once.
    """
    await conn.execute(_PROGRAMMES, *_columns(rows, 5))
    await conn.execute(_WAKE, [programme for programme, _, paused, _, _ in rows if not paused], [])


async def save_organisation(conn: Connection, version: int, content: str, *, paused: bool) -> None:
    """Keep the newest settings of the organisation."""
    await conn.execute(_ORGANISATION, version, paused, content)


def _by_contact(surveys: Sequence[Survey]) -> list[Survey]:
    return list({survey.contact_id: survey for survey in surveys}.values())


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into the arrays that `unnest` takes."""
    return [[row[i] for row in rows] for i in range(width)]
