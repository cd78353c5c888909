"""Everything that a service's tables say, in a form that two moments can be compared by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from shared.db.database import Connection

PLUMBING = frozenset({"inbox", "leases", "relay_marks"})
_TABLES = """
select c.relname, coalesce((select array_agg(a.attname::text) from pg_attribute a
    where a.attrelid = c.oid and (a.attidentity <> '' or a.atttypid = 'xid8'::regtype)), '{}') as numbered
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind = 'r' and c.relname not like 'outbox%' order by 1
"""
_SEALED = re.compile(r'"A[Q-Za-f][A-Za-z0-9_-]{58,}"')
"""A sealed text is never the same twice, whatever it says."""


@dataclass(frozen=True, slots=True)
class State:
    """Rows of each table as text, without numbers given by the database; and the events in the outbox."""

    tables: Mapping[str, Counter[str]]
    announced: Counter[str]

    def since(self, before: State) -> Counter[str]:
        """Events announced since an earlier moment."""
        return self.announced - before.announced


async def state_of(conn: Connection, schema: str) -> State:
    """Read a service's schema in one statement, inside a transaction also what that one has not committed."""
    tables = [row for row in await conn.fetch(_TABLES, schema) if row[0] not in PLUMBING]
    parts = [
        f"select '{name}' as place, (to_jsonb(t) - array[{_listed(numbered)}]::text[])::text as content"
        f" from {schema}.{name} t"
        for name, numbered in tables
    ]
    parts.append(f"select 'outbox', event_id from {schema}.outbox")
    found: dict[str, Counter[str]] = {name: Counter() for name, _ in tables}
    announced: Counter[str] = Counter()
    for place, content in await conn.fetch(" union all ".join(parts)):
        if place == "outbox":
            announced[content] += 1
        else:
            found[place][_SEALED.sub('"sealed"', content)] += 1
    return State(found, announced)


STANDING = frozenset({"state", "version", "standing", "verdict", "mood", "answered", "event_version", "n"})
"""Columns that say how a thing stands, beside its natural key."""

REPEATED = frozenset({"observations", "attempts", "notice_attempts", "headlines"})
"""Tables in which a repetition rightly shows: what was seen, what was tried, how often it was told."""

KNOWN_BY = {"notices": ["ticket_id", "occasion", "step", "channel", "state"]}
"""Tables whose key holds the id of a user, which is another one in each life."""

_KEYS = """
select c.relname, array_agg(a.attname::text order by a.attnum) as kept
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
left join pg_index i on i.indrelid = c.oid and i.indisprimary
where n.nspname = $1 and c.relkind = 'r' and c.relname not like 'outbox%'
    and (a.attnum = any (i.indkey) or a.attname = any ($2::text[]))
group by 1 order by 1
"""


async def skeleton_of(conn: Connection, schema: str) -> dict[str, Counter[str]]:
    """Which things a service knows and how they stand: what two lives of one story must have in common."""
    found: dict[str, Counter[str]] = {}
    for table, kept in await conn.fetch(_KEYS, schema, sorted(STANDING)):
        if table in PLUMBING - {"inbox"} or table in REPEATED:
            continue
        columns = ", ".join(f'"{name}"' for name in KNOWN_BY.get(table, kept))
        rows = await conn.fetch(f"select row({columns})::text from {schema}.{table}")
        found[f"{schema}.{table}"] = Counter(row[0] for row in rows)
    return found


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
