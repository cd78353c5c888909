"""What all checks stand on: the outside world's journals as temporary tables beside the five schemas.

Everything is read in one snapshot. The temporary tables are the auditor's own; the transaction that reads the
schemas is read only, so the auditor cannot mend or spoil anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.db.database import Connection
from tests.chaos.evidence import Arrival, BrokerLog, Evidence, Fate
from tests.chaos.journal import (
    Acted,
    Answered,
    Braked,
    Faulted,
    Fetched,
    Operation,
    Planted,
    Posted,
    Probed,
    Produced,
    Stopped,
)

SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
SUBSCRIBED = {
    "trigger": ("touchpoints", "deliveries", "responses", "tickets"),
    "dispatch": ("directory", "programmes", "surveys", "messages", "responses"),
    "collector": ("directory", "surveys", "deliveries"),
    "scoring": ("directory", "programmes", "surveys", "deliveries", "responses"),
    "alerts": ("directory", "responses"),
}
"""Topics by the service that reads them: every event on them is handled there, once."""

FEW_ROWS = 5000
"""Up to so many any plan will do; to have them counted would only make the server plan anew."""

_TIMES = "sent timestamptz, sent_machine timestamptz, ended timestamptz, ended_machine timestamptz"
TABLES = {
    "moment": "now timestamptz, machine timestamptz, rate float8, late interval",
    "told": "service text, id bigint, topic text, key text, event_id text, source text, type text,"
    " subject text, at timestamptz, written_at timestamptz, published bool",
    "reads": "service text, topic text",
    "current_answer": "survey_id uuid, state text, version int, announced int, first_at timestamptz,"
    " received_at timestamptz, question text, score int, low int, wants_ticket bool, scores jsonb,"
    " family text, snapshot jsonb, released_by text",
    "scored": "survey_id uuid, version int, score int",
    "sent_event": f"kind text, event_id text, source text, type text, digest text, poison bool, birth int,"
    f' partition int, "offset" bigint, outcome text, {_TIMES}',
    "visited": f"by text, method text, survey_id text, link text, outcome text, {_TIMES}",
    "sent_answer": f"by text, survey_id uuid, key text, score int, outcome text, {_TIMES}",
    "sent_stop": f"by text, contact_id text, programme text, outcome text, {_TIMES}",
    "acted": f"ticket_id uuid, action text, outcome text, {_TIMES}",
    "braked": f'scope text, subject text, "on" bool, outcome text, {_TIMES}',
    "fault": f"kind text, place text, jump interval, outcome text, {_TIMES}",
    "probe": f"what text, place text, needs bool, value bigint, outcome text, {_TIMES}",
    "repeated": "message_id text",
    "mail": "message_id text, id uuid, recipients int, fate text, at timestamptz",
    "record": 'topic text, partition int, "offset" bigint, key text, event_id text, source text, type text,'
    " empty bool",
}
VIEWS = {
    "heard": " union all ".join(
        f"select '{s}' as service, source, event_id, outcome, seen_at from {s}.inbox" for s in SERVICES
    ),
    "dead": " union all ".join(f"select '{s}' as service, d.* from {s}.dead_letters d" for s in SERVICES),
}
_HEADER = """nullif(split_part(split_part(headers, '"{}", "', 2), '"', 1), '')"""
"""Cut out as text: a tenth of what reading the headers as JSON or by a pattern costs."""

_TOLD = """
insert into told
select service, id, topic, key, event_id, source, type, subject,
    case when source like '/afterword/%' and topic not like 'dlq.%' then at::timestamptz end,
    written_at, published
from (
    select '{service}' as service, id, topic, encode(key, 'escape') as key, event_id, {source} as source,
        {type} as type, {subject} as subject, {at} as at, written_at, published
    from {service}.outbox
) one
"""
_CURRENT = """
insert into current_answer
select r.survey_id, r.state, r.version, r.announced, f.first_at, a.received_at,
    q.form ->> 'primary', p.score, (q.form ->> 'low')::int,
    coalesce((s.close_the_loop::json ->> 'ticket')::bool, true), a.scores::jsonb,
    s.snapshot::json ->> 'family', s.snapshot::jsonb, a.released_by
from collector.responses r
join collector.surveys s using (survey_id)
join (select digest, form::jsonb as form from collector.questionnaires) q on q.digest = s.questionnaire
join collector.answers a on a.survey_id = r.survey_id and a.version = r.announced
join (select survey_id, min(received_at) as first_at from collector.answers group by 1) f
    on f.survey_id = r.survey_id
left join lateral (
    select (one ->> 2)::int as score from jsonb_array_elements(a.scores::jsonb) as one
    where one ->> 0 = q.form ->> 'primary' and one ->> 3 = '' limit 1
) p on true
"""
_SCORED = """
insert into scored
select a.survey_id, a.version, (one ->> 2)::int
from collector.answers a join collector.surveys s using (survey_id)
join (select digest, form::jsonb ->> 'primary' as question from collector.questionnaires) q
    on q.digest = s.questionnaire,
lateral jsonb_array_elements(a.scores::jsonb) as one
where one ->> 0 = q.question and one ->> 3 = ''
"""
"""Stored versions of answers with the score of the primary question."""

_MESSAGE = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


async def prepare(conn: Connection) -> None:
    """Make the auditor's own tables, once for a connection; all else happens in a read-only transaction."""
    await conn.execute("set timezone = 'UTC'")
    await conn.execute("set work_mem = '128MB'")
    await conn.execute("set jit = off")
    for name, columns in TABLES.items():
        await conn.execute(f"create temporary table {name} ({columns})")
    for name, query in VIEWS.items():
        await conn.execute(f"create temporary view {name} as {query}")


async def fill(conn: Connection, evidence: Evidence) -> int:
    """Bring all evidence into the auditor's tables, in the snapshot of the audit; returns the rows read."""
    await _moment(conn, evidence)
    for service in SERVICES:
        await conn.execute(
            _TOLD.format(
                service=service,
                source=_HEADER.format("ce_source"),
                type=_HEADER.format("ce_type"),
                subject=_HEADER.format("ce_subject"),
                at=_HEADER.format("ce_time"),
            )
        )
    reads = [(service, f"afterword.{topic}") for service, topics in SUBSCRIBED.items() for topic in topics]
    await _copy(conn, "reads", reads)
    await conn.execute(_CURRENT)
    await conn.execute(_SCORED)
    if evidence.journal is not None:
        await _operations(conn, evidence.journal.operations)
    await _copy(conn, "mail", [_mail(one) for one in evidence.mails or ()])
    await _copy(conn, "repeated", [(message_id,) for message_id in evidence.repeats])
    await _copy(conn, "record", _records(evidence.log))
    counts = " + ".join(f"(select count(*) from {name})" for name in (*TABLES, "heard"))
    total: int = await conn.fetchval(f"select {counts}")
    if total > FEW_ROWS:
        for name in TABLES:
            await conn.execute(f"analyze {name}")
    return total


async def _moment(conn: Connection, evidence: Evidence) -> None:
    await conn.execute(
        """
        insert into moment
        select coalesce($1, business_at + rate * (clock.machine_now() - machine_at)),
            clock.machine_now(), rate,
            $2 + make_interval(secs => 120 * greatest(rate, 1))
        from clock.anchor
        """,
        evidence.now,
        evidence.step,
    )


async def _operations(conn: Connection, operations: Sequence[Operation[Any]]) -> None:
    rows: dict[str, list[tuple[object, ...]]] = {}
    for one in operations:
        table, values = _row(one)
        times = (one.sent, one.sent_machine, one.ended, one.ended_machine)
        rows.setdefault(table, []).append((*values, one.outcome.value, *times))
    for table, content in rows.items():
        if table:
            await _copy(conn, table, content)


def _row(one: Operation[Any]) -> tuple[str, tuple[object, ...]]:  # noqa: PLR0911 - one line a kind
    match one.deed:
        case Produced() as d:
            event = ("produced", d.event_id, d.source, d.type, d.digest, d.poison, d.birth)
            return "sent_event", (*event, d.partition, d.offset)
        case Posted() as d:
            return "sent_event", ("posted", d.event_id, d.source, d.type, d.digest, False, 0, None, None)
        case Fetched() as d:
            return "visited", (d.by.value, d.method, d.survey_id, d.link)
        case Answered() as d:
            return "sent_answer", (d.by.value, UUID(d.survey_id), d.key, d.score)
        case Stopped() as d:
            return "sent_stop", (d.by.value, d.contact_id, d.programme)
        case Acted() as d:
            return "acted", (UUID(d.ticket_id), d.action)
        case Braked() as d:
            return "braked", (d.scope, d.subject, d.on)
        case Faulted() as d:
            jump = timedelta(seconds=int(d.detail)) if d.kind == "clock" else None
            return "fault", (d.kind, d.where, jump)
        case Probed() as d:
            return "probe", (d.what, d.where, d.needs, d.value)
        case Planted():
            return "", ()
        case _:
            raise TypeError(f"{one.deed!r} is no operation of a journal")


def _mail(one: Arrival) -> tuple[object, ...]:
    found = _MESSAGE.match(one.message_id)
    return (
        one.message_id,
        UUID(found[1]) if found else None,
        len(one.recipients),
        one.fate.value,
        one.at,
    )


def _records(log: BrokerLog | None) -> Iterable[tuple[object, ...]]:
    for record in log.records if log else ():
        headers = {name: content.decode("utf-8", "replace") for name, content in record.headers}
        key = (record.key or b"").decode("ascii", "backslashreplace")
        yield (
            *(record.topic, record.partition, record.offset, key),
            *(_plain(headers.get(f"ce_{name}")) for name in ("id", "source", "type")),
            record.value is None,
        )


def _plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\x00", "")


async def _copy(conn: Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    await conn.copy_records_to_table(table, records=list(rows))


def arrived(evidence: Evidence) -> list[Arrival]:
    """Mails that a reader may have, whatever their sender was told."""
    return [one for one in evidence.mails or () if one.fate is not Fate.REJECTED]
