"""Endpoints of customers, and what they are to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.webhooks import Topic
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where somebody wants to be told."""

    id: UUID
    url: str
    topics: tuple[Topic, ...]
    programmes: tuple[str, ...]
    description: str
    created_at: datetime
    created_by: str
    active: bool = True
    off_because: str = ""
    generation: int = 1
    rotated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One response event that endpoints may want to hear of."""

    survey_id: UUID
    topic: Topic
    event: int
    answer_version: int


@dataclass(frozen=True, slots=True)
class Due:
    """One call that is to be made now."""

    id: UUID
    endpoint: Endpoint
    topic: Topic
    survey_id: UUID | None
    event: int
    answer_version: int
    made_at: datetime
    attempts: int
    tries: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one call came to; `due_at` is for a delivery that stays pending."""

    delivery_id: UUID
    number: int
    at: datetime
    status: int
    error: str
    millis: int
    state: str
    due_at: datetime


# The id is made of what the delivery is about: an event that is told twice is one delivery.
_ENQUEUE = """
insert into webhook_deliveries
    (id, endpoint_id, topic, survey_id, event, answer_version, made_at, state, due_at)
select md5(e.id::text || t.survey_id::text || t.event)::uuid, e.id, t.topic, t.survey_id, t.event,
    t.answer_version, $5, 'pending', $5
from unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) as t (survey_id, topic, event, answer_version)
join surveys s on s.survey_id = t.survey_id and not s.test
join webhook_endpoints e on e.active and t.topic = any(e.topics)
    and (e.programmes = '{}' or s.programme = any(e.programmes))
order by 1
on conflict (id) do nothing
"""

_CLAIM = """
with due as (
    select d.id from webhook_endpoints e
    cross join lateral (
        select id, due_at from webhook_deliveries
        where endpoint_id = e.id and state = 'pending' and due_at <= $1
            and (lease_until is null or lease_until < clock.machine_now())
        order by due_at limit $2 for update skip locked
    ) d
    where e.active order by d.due_at limit $3
), claimed as (
    update webhook_deliveries d
    set lease_token = $4, lease_until = clock.machine_now() + make_interval(secs => $5)
    from due where d.id = due.id
    returning d.*
)
select c.id as delivery_id, c.topic, c.survey_id, c.event, c.answer_version, c.made_at, c.attempts, c.tries,
    e.*
from claimed c join webhook_endpoints e on e.id = c.endpoint_id
order by c.made_at, c.event
"""

_RECORD = """
with told as (
    select * from unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::int[], $6::text[], $7::int[],
        $8::text[], $9::timestamptz[]) as t (id, number, at, status, error, millis, state, due_at)
), kept as (
    update webhook_deliveries d
    set attempts = t.number, tries = d.tries + 1, state = t.state, due_at = t.due_at, lease_token = null,
        lease_until = null
    from told t where d.id = t.id and d.lease_token = $1
    returning d.id
)
insert into webhook_attempts (delivery_id, number, at, status, error, millis)
select t.id, t.number, t.at, t.status, t.error, t.millis from told t join kept k on k.id = t.id
on conflict do nothing
"""

_LIST = """
select e.*, count(d.id) filter (where d.state = 'pending') as pending,
    count(d.id) filter (where d.state = 'failed') as failed,
    max(d.made_at) filter (where d.state = 'delivered') as last_delivered
from webhook_endpoints e left join webhook_deliveries d on d.endpoint_id = e.id
group by e.id order by e.created_at, e.id
"""

_DELIVERIES = """
select d.id, d.topic, d.survey_id, d.event, d.made_at, d.state, d.due_at, d.attempts,
    coalesce((
        select json_agg(json_build_object('number', number, 'at', at, 'status', status, 'error', error,
            'millis', millis) order by number)
        from webhook_attempts where delivery_id = d.id
    ), '[]') as log
from webhook_deliveries d
where d.endpoint_id = $1 and ($2 = '' or d.state = $2) and (d.made_at, d.id) > ($3, $4)
order by d.made_at, d.id limit $5
"""

_REPLAY = """
update webhook_deliveries set state = 'pending', due_at = $5, tries = 0
where endpoint_id = $1 and state <> 'pending' and ($2::uuid is null or id = $2)
    and ($3 = '' or state = $3) and made_at >= $4
"""


async def enqueue(conn: Connection, told: Sequence[Told], now: datetime) -> None:
    """Queue events for every endpoint that wants to hear of them."""
    await conn.execute(
        _ENQUEUE,
        [one.survey_id for one in told],
        [one.topic.value for one in told],
        [one.event for one in told],
        [one.answer_version for one in told],
        now,
    )


async def enqueue_test(conn: Connection, endpoint: UUID, delivery: UUID, now: datetime) -> None:
    """Queue a call that is about nothing."""
    await conn.execute(
        "insert into webhook_deliveries"
        " (id, endpoint_id, topic, event, answer_version, made_at, state, due_at)"
        " values ($1, $2, $3, 0, 0, $4, 'pending', $4)",
        delivery, endpoint, Topic.TEST.value, now,
    )  # fmt: skip


async def claim(
    conn: Connection, now: datetime, token: UUID, *, each: int, most: int, lease_seconds: float
) -> list[Due]:
    """Take calls that are due under a lease.

    Args:
        conn: Inside the unit of work.
        now: Business time.
        token: Of the lease.
        each: Calls of one endpoint at most, so that a slow one delays itself alone.
        most: Calls in all.
        lease_seconds: Machine time.
    """
    rows = await conn.fetch(_CLAIM, now, each, most, token, lease_seconds)
    return [
        Due(
            id=row["delivery_id"],
            endpoint=_endpoint(row),
            topic=Topic(row["topic"]),
            survey_id=row["survey_id"],
            event=row["event"],
            answer_version=row["answer_version"],
            made_at=row["made_at"],
            attempts=row["attempts"],
            tries=row["tries"],
        )
        for row in rows
    ]


async def record(conn: Connection, token: UUID, attempts: Sequence[Attempt]) -> None:
    """Keep what calls came to; a worker whose lease went to another writes nothing."""
    await conn.execute(
        _RECORD,
        token,
        [one.delivery_id for one in attempts],
        [one.number for one in attempts],
        [one.at for one in attempts],
        [one.status for one in attempts],
        [one.error for one in attempts],
        [one.millis for one in attempts],
        [one.state for one in attempts],
        [one.due_at for one in attempts],
    )


async def add(conn: Connection, endpoint: Endpoint) -> None:
    """Keep a new endpoint."""
    await conn.execute(
        "insert into webhook_endpoints (id, url, topics, programmes, description, created_at, created_by)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        endpoint.id, endpoint.url, list(endpoint.topics), list(endpoint.programmes), endpoint.description,
        endpoint.created_at, endpoint.created_by,
    )  # fmt: skip


async def load(conn: Connection, endpoint: UUID) -> Endpoint | None:
    """One endpoint."""
    row = await conn.fetchrow("select * from webhook_endpoints where id = $1", endpoint)
    return None if row is None else _endpoint(row)


async def load_all(conn: Connection) -> list[tuple[Endpoint, dict[str, Any]]]:
    """All endpoints with what waits, what failed and when the last one arrived."""
    names = ("pending", "failed", "last_delivered")
    return [(_endpoint(row), {name: row[name] for name in names}) for row in await conn.fetch(_LIST)]


async def change(conn: Connection, endpoint: Endpoint) -> None:
    """Keep what was changed of an endpoint."""
    await conn.execute(
        "update webhook_endpoints set url = $2, topics = $3, programmes = $4, description = $5, active = $6,"
        " off_because = $7, generation = $8, rotated_at = $9 where id = $1",
        endpoint.id, endpoint.url, list(endpoint.topics), list(endpoint.programmes), endpoint.description,
        endpoint.active, endpoint.off_because, endpoint.generation, endpoint.rotated_at,
    )  # fmt: skip


async def switch_off(conn: Connection, endpoints: Sequence[UUID], because: str) -> None:
    """Tell endpoints nothing any more; what waits stays queued."""
    await conn.execute(
        "update webhook_endpoints set active = false, off_because = $2 where id = any($1::uuid[])",
        list(endpoints), because,
    )  # fmt: skip


async def remove(conn: Connection, endpoint: UUID) -> bool:
    """Forget an endpoint with all that it was told; False when there is none."""
    return (
        await conn.fetchval("delete from webhook_endpoints where id = $1 returning id", endpoint) is not None
    )


async def load_deliveries(
    conn: Connection, endpoint: UUID, state: str, after: tuple[datetime, UUID], limit: int
) -> list[dict[str, Any]]:
    """What an endpoint was told, oldest first, each with the log of its attempts as JSON."""
    return [dict(row) for row in await conn.fetch(_DELIVERIES, endpoint, state, *after, limit)]


async def replay(
    conn: Connection, endpoint: UUID, delivery: UUID | None, state: str, since: datetime, now: datetime
) -> int:
    """Queue again what is over: one, or all of a state since a time; how many."""
    done = await conn.execute(_REPLAY, endpoint, delivery, state, since, now)
    return int(done.rpartition(" ")[2])


async def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Remove old deliveries that are over; how many."""
    done = await conn.execute(
        "delete from webhook_deliveries where id in (select id from webhook_deliveries"
        " where state <> 'pending' and made_at < $1 limit $2)",
        before, limit,
    )  # fmt: skip
    return int(done.rpartition(" ")[2])


async def waiting(conn: Connection) -> int:
    """How many calls wait."""
    found: int = await conn.fetchval("select count(*) from webhook_deliveries where state = 'pending'")
    return found


def _endpoint(row: Any) -> Endpoint:  # noqa: ANN401 - a record of the driver
    return Endpoint(
        id=row["id"],
        url=row["url"],
        topics=tuple(Topic(topic) for topic in row["topics"]) if row["topics"] else (),
        programmes=tuple(row["programmes"]),
        description=row["description"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        active=row["active"],
        off_because=row["off_because"],
        generation=row["generation"],
        rotated_at=row["rotated_at"],
    )
