"""Who may see scores by what: for pages and programs alike, for both go by the same scopes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.scoring.domain.rollups import CONTEXT
from services.scoring.store import queries
from shared.db.database import Connection
from shared.security.access import Scope
from shared.web.problems import Problem

PEOPLE = frozenset({"owner", "account"})
"""An account manager is a person, and an account is not every viewer's business."""


async def may_see(
    conn: Connection, dimensions: Iterable[str], scopes: Collection[Scope], *, field: str = "dimension"
) -> None:
    """See to it that scores by some dimensions are shown to whom they may be.

    An event may carry whatever its sender wrote into it, an address or a sentence too. What a programme names
    in `breakdown` its operator has looked at; all else is for whoever may read the answers themselves.

    Args:
        conn: connection.
        dimensions: by which scores are told apart.
        scopes: of who asks.
        field: of the address that names them.

    Raises:
        Problem: 403, they may not.
    """
    asked = set(dimensions)
    if PEOPLE & asked and Scope.ACCOUNTS_READ not in scopes:
        raise Problem(
            403,
            "Scores by account manager (owner) or account are for those who may see accounts.",
            what_to_do=f"Ask an admin for the role rep, or for a key with {Scope.ACCOUNTS_READ}.",
            field=field,
        )
    if Scope.RESPONSES_READ in scopes:
        return
    for name in sorted(one for one in asked if one.startswith(CONTEXT)):
        if not await queries.summed(conn, f"programme+{name}"):
            raise Problem(
                403,
                f"No programme has scores kept by {name}: it may hold what leads to a person, so it is for"
                " those who may read answers.",
                what_to_do=f"Name it in breakdown of a programme, or ask an admin for the role rep or a key"
                f" with {Scope.RESPONSES_READ}.",
                field=field,
            )
