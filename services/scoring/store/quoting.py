"""Whose words may be shown to everybody: asked of the answer as it stands now, never remembered.

What its writer said by word of mouth (`shared/permissions.py`) counts, too. Alerts goes by the same rule
(`domain/quoting.py` there).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.contracts.forms import Permission
from shared.db import permissions
from shared.db.database import Connection
from shared.permissions import Word

_TICKED_AT = f"(f.answer -> 'permitted_at' ->> '{Permission.QUOTE.value}')::timestamptz"
_TICKED = f"coalesce((f.answer -> 'permissions')::jsonb ? '{Permission.QUOTE.value}', false)"
QUOTABLE = f"""(
    f.version = c.version
    and coalesce((
        select u.given and u.version = f.version from unquoted u
        where u.response_id = f.response_id
            and (u.version >= f.version or not u.given and u.at >= {_TICKED_AT})
    ), {_TICKED})
)"""  # noqa: S608 - texts of our own
"""Of comment `c` and its fact `f`: the newest version of the answer, whose words these are, allows it.

What somebody wrote down because the person said so stands above its tick as long as it holds (`Word.holds`).
"""

_ALLOWED = f"""
select f.version from answer_facts f
where f.response_id = $1 and ({_TICKED}
    or exists (select from unquoted u where u.response_id = f.response_id and u.version >= f.version))
"""  # noqa: S608 - texts of our own


async def allowed(conn: Connection, response_id: UUID) -> int | None:
    """The version of an answer of which there is a consent, given or taken back; None where there is none."""
    version: int | None = await conn.fetchval(_ALLOWED, response_id)
    return version


async def note(conn: Connection, words: Sequence[Word]) -> None:
    """Keep what was said, one for each answer, unless something weightier is known."""
    await permissions.note(conn, "unquoted", words)
