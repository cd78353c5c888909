"""What people decided about verdicts: who let an answer count, and who took that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.collector.domain.review import Why
from shared.db.database import Connection

_RELEASED = """
select count(*)::int from responses r
join answers a on a.survey_id = r.survey_id and a.version = r.announced
where r.state = 'held' and a.released_by is not null
"""

_HELD = """
select a.survey_id, a.version, a.received_at, a.mood, a.verdict, a.evidence,
    a.released_by is not null as released, s.snapshot
from responses r
join answers a on a.survey_id = r.survey_id and a.version = r.announced
join surveys s on s.survey_id = r.survey_id
where r.state = 'held' and r.survey_id > $1
order by r.survey_id limit $2
"""

# The settling loop takes the queue's row before those of the answers; whoever decides does so, too.
_QUEUE = """
insert into settling (survey_id, ready_at, at_latest) values ($1, $2, $2)
on conflict (survey_id) do update set ready_at = excluded.ready_at, at_latest = excluded.at_latest
"""

_HELD_ALONE = "select true from responses where survey_id = $1 and state = 'held'"

_RELEASE = """
update answers a set released_by = $2, released_at = $3,
    taken_back_by = null, taken_back_at = null, taken_back_why = null
from responses r
where a.survey_id = $1 and r.survey_id = $1 and r.state = 'held' and a.version = r.announced
returning a.survey_id
"""

_VOUCHED = """
select a.released_by is not null from answers a join responses r using (survey_id)
where a.survey_id = $1 and (a.version = r.announced and a.released_by is not null
    or a.released_by is null and a.taken_back_by is not null)
order by 1 desc limit 1
"""

_TAKE_BACK = """
update answers a set released_by = null, released_at = null,
    taken_back_by = $2, taken_back_at = $3, taken_back_why = $4
from responses r
where a.survey_id = $1 and r.survey_id = $1 and a.version = r.announced and a.released_by is not null
returning a.survey_id
"""

_BY_WORD = """
select a.survey_id, a.version, a.released_at from answers a
join responses r on r.survey_id = a.survey_id and r.announced = a.version and r.state in ('counted', 'held')
join surveys s on s.survey_id = a.survey_id
where a.released_by is not null and not s.test and (a.released_at, a.survey_id) < ($1, $2)
order by a.released_at desc, a.survey_id desc limit $3
"""


async def held(conn: Connection, after: UUID, limit: int) -> list[dict[str, object]]:
    """Held answers with the reasons, in id order."""
    return [dict(row) for row in await conn.fetch(_HELD, after, limit)]


async def released(conn: Connection) -> int:
    """How many held answers somebody let count that are not announced yet."""
    return int(await conn.fetchval(_RELEASED))


async def release(conn: Connection, survey_id: UUID, user: str, now: datetime) -> bool:
    """Let a user vouch for a held answer; False when it is not held."""
    if not await conn.fetchval(_HELD_ALONE, survey_id):
        return False
    await conn.execute(_QUEUE, survey_id, now)
    return await conn.fetchval(_RELEASE, survey_id, user, now) is not None


async def take_back(conn: Connection, survey_id: UUID, user: str, why: Why, now: datetime) -> bool | None:
    """Let a user take back that somebody vouched for an answer, and have it judged anew.

    Returns:
        Whether it was still to be taken back: False when it had been before; None when nobody had vouched.
    """
    vouched: bool | None = await conn.fetchval(_VOUCHED, survey_id)
    if not vouched:
        return vouched
    await conn.execute(_QUEUE, survey_id, now)
    return await conn.fetchval(_TAKE_BACK, survey_id, user, now, why.value) is not None


async def by_word(
    conn: Connection, before: tuple[datetime, UUID], limit: int
) -> Sequence[tuple[UUID, int, datetime]]:
    """Answers that somebody vouched for, by id, version and when, the newest word first.

    Those that do not count yet are on their way.
    """
    return [tuple(row) for row in await conn.fetch(_BY_WORD, *before, limit)]


async def keep(conn: Connection, survey_id: UUID, user: str) -> bool:
    """Note that somebody looked at a held answer and left it held; False when it is not held."""
    statement = "update responses set reviewed_by = $2 where survey_id = $1 and state = 'held' returning 1"
    return await conn.fetchval(statement, survey_id, user) is not None
