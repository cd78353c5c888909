"""Words of answers on their way to being read: copied in beside the facts, taken out by the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from uuid import UUID

from services.scoring.domain.reading import Told
from services.scoring.store.facts import escaped
from shared.db.database import Connection
from shared.words.reading import Reading

_COLUMNS = ("response_id", "version", "contact_id", "words")
# What comes late, of a version that is not the answer's any more, is taken out and never read: whoever
# amended the answer may have taken these words back.
_TAKE = """
with taken as (
    delete from spoken where ctid = any (array(select ctid from spoken limit $1 for update skip locked))
    returning response_id, version, contact_id, words
), newest as (
    select distinct on (response_id) response_id, version, contact_id, words from taken
    order by response_id, version desc
)
select n.response_id, n.version, n.contact_id, n.words, f.day, f.programme, f.family, f.account_id,
    f.answer ->> 'mood', coalesce(f.snapshot ->> 'locale', 'en')
from newest n join answer_facts f on f.response_id = n.response_id and f.version = n.version
order by n.response_id
"""
_STALE = """
select c.response_id, c.version, c.contact_id, c.words, c.day, c.programme, c.family, f.account_id,
    f.answer ->> 'mood', coalesce(f.snapshot ->> 'locale', 'en')
from comments c join answer_facts f using (response_id)
where c.response_id = any (array(
    (select response_id from comments where dictionary < $1 limit $2)
    union all (select response_id from comments where dictionary > $1 limit $2)
)) order by c.response_id limit $2
"""
_SAVE = """
insert into comments as held (response_id, version, contact_id, words, day, programme, family, account_id,
    language, tone, at_odds, themes, tones, dictionary)
select response_id, version, contact_id, words, day, programme, family, account_id, language, tone, at_odds,
    string_to_array(themes, ','), string_to_array(tones, ','), $13
from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::date[], $6::text[], $7::text[], $8::uuid[],
    $9::text[], $10::text[], $11::bool[], $12::text[], $14::text[]) as t
    (response_id, version, contact_id, words, day, programme, family, account_id, language, tone, at_odds,
    themes, tones)
where not exists (select from erased_contacts e where e.contact_id = t.contact_id)
on conflict (response_id) do update set (version, words, day, programme, family, account_id, language, tone,
    at_odds, themes, tones, dictionary) = (excluded.version, excluded.words, excluded.day, excluded.programme,
    excluded.family, excluded.account_id, excluded.language, excluded.tone, excluded.at_odds,
    excluded.themes, excluded.tones, excluded.dictionary)
where held.version <= excluded.version
"""
_DROP = """
delete from comments c using unnest($1::uuid[], $2::int[]) as t (response_id, version)
where c.response_id = t.response_id and c.version <= t.version
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sealed words with what is needed to read them; `words` is empty where somebody took them back."""

    response_id: UUID
    version: int
    contact_id: UUID | None
    words: str
    day: date
    programme: str
    family: str
    account_id: UUID | None
    mood: str | None
    locale: str


async def save_words(conn: Connection, told: Sequence[Told]) -> None:
    """Keep the words of answers until they are read; an amendment without words takes back earlier ones."""
    lines = [
        f"{one.fact.response_id}\t{one.fact.version}\t{one.contact_id}\t{escaped(one.response.words)}"
        for one in told
        if one.contact_id and one.response.scores and (one.response.words or one.fact.version > 1)
    ]
    if lines:
        source = BytesIO("\n".join(lines).encode())
        await conn.copy_to_table("spoken", source=source, columns=_COLUMNS)


async def take(conn: Connection, limit: int) -> list[Spoken]:
    """Take out words that were not read yet."""
    return [Spoken(*row) for row in map(tuple, await conn.fetch(_TAKE, limit))]


async def stale(conn: Connection, dictionary: str, limit: int) -> list[Spoken]:
    """Comments that were read with another dictionary."""
    return [Spoken(*row) for row in map(tuple, await conn.fetch(_STALE, dictionary, limit))]


async def save_comments(conn: Connection, read: Sequence[tuple[Spoken, Reading]], dictionary: str) -> None:
    """Keep what was read; of an erased contact nothing is kept."""
    rows = [
        (one.response_id, one.version, one.contact_id, one.words, one.day, one.programme, one.family,
         one.account_id, found.language, found.tone.value, found.at_odds, ",".join(found.themes),
         ",".join(tone.value for tone in found.themes.values()))
        for one, found in read
    ]  # fmt: skip
    if rows:
        columns = list(zip(*rows, strict=True))
        await conn.execute(_SAVE, *columns[:12], dictionary, columns[12])


async def drop_comments(conn: Connection, gone: Sequence[Spoken]) -> None:
    """Forget words that were taken back, or that nobody can read any more."""
    if gone:
        await conn.execute(_DROP, [one.response_id for one in gone], [one.version for one in gone])


async def forget_words(conn: Connection, contacts: Sequence[UUID]) -> None:
    """Delete whatever erased contacts wrote."""
    await conn.execute("delete from spoken where contact_id = any($1::uuid[])", contacts)
    await conn.execute("delete from comments where contact_id = any($1::uuid[])", contacts)


async def wait_for_erasures(conn: Connection) -> None:
    """Whoever keeps words does so before an erasure, or sees it."""
    await conn.execute("lock table erased_contacts in row share mode")
