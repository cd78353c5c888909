"""Privacy (P1): an erased person goes dark everywhere, and nobody's data lie open where they should not.

Backends write to `afterword.touchpoints` in clear, and its records are theirs until the retention ends; those
are not searched. Everything that this system wrote is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from shared.db.database import Connection
from tests.chaos.audit.check import Check, Found, Needs, listed, rows
from tests.chaos.audit.ground import SERVICES
from tests.chaos.evidence import Evidence
from tests.chaos.journal import Outcome, Planted

_COLUMNS = """
select c.table_schema, c.table_name, c.column_name, c.data_type from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = any($1) and t.table_type = 'BASE TABLE'
    and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY') and not exists (
        select from pg_inherits i join pg_class k on k.oid = i.inhrelid
        join pg_namespace n on n.oid = k.relnamespace
        where k.relname = t.table_name and n.nspname = t.table_schema)
order by 1, 2, 3
"""
_IN_CLEAR = "dead_letters"
"""Records that could not be read are kept whole, for they must be mended."""

CHECKS: list[Check] = [
    rows(
        "kept-after-erasure",
        "P1",
        "Something of an erased person is still kept.",
        """
        with gone as (select id from trigger.contacts where erased_at is not null)
        select 'trigger contact ' || id from trigger.contacts
            where erased_at is not null and (person <> '' or digest <> '' or reach = 'ok')
        union all select 'key ' || contact_id from keys.data_keys join gone on id = contact_id
            where wrapped is not null
        union all select 'message ' || delivery_id from dispatch.messages join gone on id = contact_id
            where person <> '' or slots <> '{}' or address_hash is not null
        union all select 'dispatch survey ' || survey_id from dispatch.surveys join gone on id = contact_id
            where person <> '' or slots <> '{}'
        union all select 'collector survey ' || survey_id from collector.surveys join gone on id = contact_id
            where person <> '' or slots <> '{}' or state <> 'erased'
        union all select 'answer ' || survey_id from collector.answers
            join collector.surveys using (survey_id)
            join gone on id = contact_id
            where words <> '' or content <> '' or address <> '' or idempotency_key is not null
        union all select 'observation ' || o.id from collector.observations o
            join collector.surveys using (survey_id) join gone on gone.id = contact_id where o.address <> ''
        union all select 'alerts answer ' || response_id from alerts.answers join gone on id = contact_id
            where words <> '' or person <> ''
        union all select 'alerts contact ' || contact_id from alerts.contacts join gone on id = contact_id
            where person <> '' or not erased
        """,
    ),
    rows(
        "broken-audit-chain",
        "A4",
        "The log of what people did was changed afterwards.",
        """
        select id from (
            select *, lag(hash, 1, ''::bytea) over (order by id) as before,
                lag(id, 1, 0::bigint) over (order by id) as last from access.audit
        ) a where previous <> before or id <> last + 1 or hash <> sha256(previous || convert_to(
            jsonb_build_array(id, extract(epoch from at), actor, action, subject, detail)::text, 'UTF8'))
        """,
        needs=(),
    ),
]


async def _kept(conn: Connection, evidence: Evidence) -> Found:
    gone = {name: place for name, place in _planted(evidence).items() if place.erasure}
    erased = await _erased(conn, gone)
    return listed(await _in_tables(conn, erased))


async def _leaked(conn: Connection, evidence: Evidence) -> Found:
    planted = _planted(evidence)
    gone = await _erased(conn, {canary: one for canary, one in planted.items() if one.erasure})
    found = await _in_tables(conn, planted.keys() - gone, but=_IN_CLEAR)
    seen = _finder(planted)
    for record in evidence.log.records if evidence.log else ():
        ours = dict(record.headers).get("ce_source", b"").startswith(b"/afterword/")
        if ours and record.value:
            found += [f"{record.topic}/{record.offset}: {canary}" for canary in seen(record.value)]
    return listed(found)


async def _in_logs(_: Connection, evidence: Evidence) -> Found:
    seen = _finder(_planted(evidence))
    found: list[str] = []
    for path in evidence.logs:
        with path.open("rb") as file:
            found += [f"{Path(path).name}: {canary}" for line in file for canary in seen(line)]
    return listed(sorted(set(found)))


def _planted(evidence: Evidence) -> Mapping[str, Planted]:
    told = evidence.journal.of(Planted) if evidence.journal else []
    return {one.deed.canary: one.deed for one in told if one.outcome is not Outcome.FAIL}


async def _erased(conn: Connection, gone: Mapping[str, Planted]) -> set[str]:
    """Canaries of people whose erasure the system has handled."""
    asked = [one.erasure for one in gone.values()]
    done = await conn.fetch(
        "select event_id from trigger.inbox where event_id = any($1) and outcome = 'done'"
        " union select t.subject from told t join trigger.inbox i using (event_id) where t.subject = any($1)",
        asked,
    )
    handled = {row[0] for row in done}
    return {canary for canary, one in gone.items() if one.erasure in handled}


async def _in_tables(conn: Connection, canaries: Iterable[str], but: str = "") -> list[str]:
    """Search every column that can hold a text for what all canaries begin with, then see which are there.

    Canaries are plain words, so that no encoding changes them.
    """
    wanted = sorted(canaries)
    if not wanted:
        return []
    columns = [
        (f"{schema}.{table}", column, kind)
        for schema, table, column, kind in await conn.fetch(_COLUMNS, [*SERVICES, "access"])
        if not but or (table != but and (table, column) != ("outbox", "value"))
    ]
    parts = [_hits(*column) for column in columns]
    start, seen = _beginning(wanted), _finder(wanted)
    rows = await conn.fetch(" union all ".join(parts), start, start.encode())
    return sorted({f"{place}: {canary}" for place, content in rows for canary in seen(content)})


def _beginning(words: list[str]) -> str:
    """What sorted words have in common at their beginning."""
    first, last = words[0], words[-1]
    same = next(
        (place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first)
    )
    return first[:same]


def _hits(table: str, column: str, kind: str) -> str:
    quoted = f'"{column}"'
    if kind == "bytea":
        found = f"position($2::bytea in {quoted}) > 0"
        return f"select '{table}.{column}', {quoted} from {table} where {found}"
    text = f"{quoted}::text"
    found = f"convert_to({text}, 'UTF8')"
    return f"select '{table}.{column}', {found} from {table} where strpos({text}, $1::text) > 0"


def _finder(canaries: Iterable[str]) -> Callable[[bytes], list[str]]:
    """What finds canaries in some bytes: one pass for their common beginning, however many there are."""
    words = sorted(canaries)
    if not words:
        return lambda _: []
    start = _beginning(words)
    ends = "|".join(re.escape(word.removeprefix(start)) for word in reversed(words))  # the longer one first
    pattern = re.compile(f"{re.escape(start)}(?:{ends})".encode())
    return lambda content: sorted({found.decode() for found in pattern.findall(content)})


CHECKS += [
    Check(
        "kept-canary",
        "P1",
        "What an erased person was called, wrote or is reached by still stands in a table.",
        _kept,
        (Needs.REST, Needs.CANARIES),
    ),
    Check(
        "leaked-canary",
        "P1",
        "Personal data lie open in a table or a record of ours.",
        _leaked,
        (Needs.CANARIES,),
    ),
    Check("logged-canary", "P1", "Personal data stand in a log.", _in_logs, (Needs.CANARIES, Needs.LOGS)),
]
