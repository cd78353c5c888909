"""Whether there is a programme that an address names, for pages and programs alike."""

from __future__ import annotations

from collections.abc import Sized

from services.scoring.store import queries
from shared.db.database import Connection
from shared.web.problems import Problem


async def known_programme(
    conn: Connection,
    programme: str,
    found: Sized = (),
    *,
    field: str = "programme",
    what_to_do: str = "GET /v1/scores/summary lists the programmes that asked somebody.",
) -> None:
    """Where a programme has nothing: see to it that there is one; "" means all of them.

    Args:
        conn: connection.
        programme: its key.
        found: what it has; where that is something, there is such a programme.
        field: of the address that names it.
        what_to_do: where to find one.

    Raises:
        Problem: 404, nobody ever heard of it.
    """
    if programme and not found and not await queries.known(conn, programme):
        raise Problem(404, "There is no such programme.", field=field, what_to_do=what_to_do)
