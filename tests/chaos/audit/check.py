"""One check: a promise, the anomaly that breaks it, and how broken cases are found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.db.database import Connection
from tests.chaos.evidence import Evidence

IDS_SHOWN = 20


class Needs(StrEnum):
    """Evidence without which a check says nothing; the value says what is missing."""

    REST = "the system is still at work"
    JOURNAL = "no journal of the outside world was given"
    MAILS = "no journal of the mail sink was given"
    LOG = "no broker log was given"
    LOGS = "no log files were given"
    CANARIES = "the journal names no planted personal data"
    PROBES = "the journal holds no probes"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Broken cases: how many, and the first of them."""

    count: int
    ids: tuple[str, ...]


Look = Callable[[Connection, Evidence], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """A promise that can be looked at.

    Attributes:
        name: of the anomaly.
        invariant: the promise it breaks, as `E1`.
        meaning: one sentence for whoever has to mend it.
        look: finds broken cases.
        needs: evidence without which it is not done.
    """

    name: str
    invariant: str
    meaning: str
    look: Look
    needs: tuple[Needs, ...] = ()


def rows(
    name: str, invariant: str, meaning: str, sql: str, *, needs: tuple[Needs, ...] = (Needs.REST,)
) -> Check:
    """A check whose broken cases are the rows of a query; its first column names each."""

    async def look(conn: Connection, _: Evidence) -> Found:
        found = await conn.fetchrow(
            f"with broken (id) as materialized (\n{sql}\n)"
            f" select count(*), array(select id::text from broken order by 1 limit {IDS_SHOWN}) from broken"
        )
        assert found is not None
        return Found(found[0], tuple(found[1]))

    return Check(name, invariant, meaning, look, needs)


def listed(ids: list[str]) -> Found:
    """What a check in Python found."""
    return Found(len(ids), tuple(sorted(ids)[:IDS_SHOWN]))
