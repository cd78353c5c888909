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
    where a.attrelid = c.oid and a.attidentity <> ''), '{}') as numbered
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


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
