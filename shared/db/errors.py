"""Tell a database that is away, or a lost race, from a statement that is wrong."""

from __future__ import annotations

import asyncpg

from shared.errors import Unavailable

RAISED = (
    Unavailable,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
)
"""What work on the database raises when a statement, its connection or its server fails."""

UNWRITABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What a text raises that PostgreSQL cannot hold: one with a zero byte."""

_TRANSIENT_CLASSES = ("08", "40", "53", "57")
_TRANSIENT_STATES = frozenset({"55P03", "25P03", "25006", "XX000"})


def is_transient(error: BaseException) -> bool:
    """Whether the same work will succeed later.

    Covers what a killed, full, restarting or unreachable server really raises: raw socket errors, time-
    outs, client state errors of a torn connection, and SQLSTATE classes 08, 40 (lost race), 53 (resources)
    and 57 (shutdown).
    """
    if isinstance(error, (Unavailable, ConnectionError, TimeoutError)):
        return True
    if isinstance(error, asyncpg.PostgresError):
        state = str(getattr(error, "sqlstate", "") or "")
        return state.startswith(_TRANSIENT_CLASSES) or state in _TRANSIENT_STATES
    # A torn connection shows as a client error; wrong arguments (DataError, a ValueError) are a bug instead.
    return isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)) and not isinstance(
        error, ValueError
    )
