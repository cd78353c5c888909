"""Whose words may be shown to everybody: asked of the answer as it stands now, never remembered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.contracts.forms import Permission
from shared.db.database import Connection

QUOTABLE = f"""(
    f.version = c.version
    and coalesce((f.answer -> 'permissions')::jsonb ? '{Permission.QUOTE.value}', false)
    and not exists (select from unquoted u where u.response_id = f.response_id and u.version >= f.version)
)"""
"""Of comment `c` and its fact `f`: the newest version of the answer, whose words these are, allows it.

Nobody wrote down that the person took it back since.
"""

_UNQUOTE = """
insert into unquoted as known (response_id, version, at, by)
select response_id, version, $2, $3 from answer_facts
where response_id = $1 and coalesce((answer -> 'permissions')::jsonb ? 'quote', false)
on conflict (response_id) do update set (version, at, by) = (excluded.version, excluded.at, excluded.by)
where known.version <= excluded.version
returning response_id
"""


async def unquote(conn: Connection, response_id: UUID, at: datetime, by: str) -> bool:
    """Write down that somebody took back the consent of their answer; False where there is none to take."""
    return await conn.fetchval(_UNQUOTE, response_id, at, by) is not None
