"""Whose words may be shown to everybody: asked of the answer as it stands now, never remembered.

What its writer said by word of mouth stands until the answer is changed: a yes for the words of that very
version, a no for all of them. Alerts goes by the same rule (`domain/quoting.py` there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.forms import Permission
from shared.db.database import Connection

_TICKED = f"coalesce((f.answer -> 'permissions')::jsonb ? '{Permission.QUOTE.value}', false)"
QUOTABLE = f"""(
    f.version = c.version
    and coalesce((
        select u.given and u.version = f.version from unquoted u
        where u.response_id = f.response_id and u.version >= f.version
    ), {_TICKED})
)"""  # noqa: S608 - texts of our own
"""Of comment `c` and its fact `f`: the newest version of the answer, whose words these are, allows it.

What somebody wrote down since, because the person said so, stands above its tick.
"""

_ALLOWED = f"""
select f.version from answer_facts f
where f.response_id = $1 and ({_TICKED}
    or exists (select from unquoted u where u.response_id = f.response_id and u.version >= f.version))
"""  # noqa: S608 - texts of our own
_NOTE = """
insert into unquoted as known (response_id, version, given, at, by)
select * from unnest($1::uuid[], $2::int[], $3::bool[], $4::timestamptz[], $5::text[])
on conflict (response_id) do update set
    version = excluded.version, given = excluded.given, at = excluded.at, by = excluded.by
where (known.version, known.at, not known.given) < (excluded.version, excluded.at, not excluded.given)
"""


@dataclass(frozen=True, slots=True)
class Word:
    """What the writer of an answer said about being quoted, and who wrote it down (`user:` or `key:`)."""

    response_id: UUID
    version: int
    given: bool
    at: datetime
    by: str

    @property
    def weight(self) -> tuple[int, datetime, bool]:
        """Of two the one of the higher version counts, of these the later, of these the no."""
        return self.version, self.at, not self.given


async def allowed(conn: Connection, response_id: UUID) -> int | None:
    """The version of an answer of which there is a consent, given or taken back; None where there is none."""
    version: int | None = await conn.fetchval(_ALLOWED, response_id)
    return version


async def note(conn: Connection, words: Sequence[Word]) -> None:
    """Keep what was said, one for each answer, unless something weightier is known."""
    rows = [
        (one.response_id, one.version, one.given, one.at, one.by)
        for one in sorted(words, key=lambda one: one.response_id)
    ]
    if rows:
        await conn.execute(_NOTE, *map(list, zip(*rows, strict=True)))
