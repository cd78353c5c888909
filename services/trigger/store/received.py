"""What came in from outside, by the sender's own ids: each is taken once, and the first body stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from services.trigger.domain.reports import Report
from shared.db.database import Connection

# A second request waits for the first one's commit; if that one rolls back, it is the first itself.
_CLAIM = """
insert into webhooks as w (source, id, digest, received_at, conflicts)
select $1, id, digest, $5, clashes
from unnest($2::text[], $3::text[], $4::int[]) as told (id, digest, clashes) order by id
on conflict (source, id) do update
    set conflicts = w.conflicts + excluded.conflicts + (w.digest <> excluded.digest)::int
returning id, digest, (xmax = 0) as fresh
"""
_PURGE = """
delete from webhooks where ctid = any (array(select ctid from webhooks where received_at < $1 limit $2))
"""


class Seen(StrEnum):
    """Whether an id is new; CONFLICT: it came before with another body."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


async def claim(conn: Connection, route: str, reports: Sequence[Report], at: datetime) -> list[Seen]:
    """Note that reports came in by a route; tells of each whether it is to be taken."""
    first: dict[str, Report] = {}
    clashes: Counter[str] = Counter()
    for report in reports:
        clashes[report.replay] += first.setdefault(report.replay, report).digest != report.digest
    digests = [report.digest for report in first.values()]
    rows = await conn.fetch(_CLAIM, route, list(first), digests, [clashes[name] for name in first], at)
    known = {row["id"]: (row["digest"], row["fresh"]) for row in rows}
    return [_seen(report, *known[report.replay], of=first[report.replay]) for report in reports]


def _seen(report: Report, digest: str, fresh: bool, *, of: Report) -> Seen:  # noqa: FBT001 - a column
    if fresh and report is of:
        return Seen.NEW
    return Seen.DUPLICATE if digest == report.digest else Seen.CONFLICT


async def purge(conn: Connection, before: datetime, limit: int) -> int:
    """Forget a part of the receipts of reports that came in before then; returns how many."""
    done = await conn.execute(_PURGE, before, limit)
    return int(done.rpartition(" ")[2])
