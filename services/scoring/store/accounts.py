"""Accounts as their pages show them: who they are, who was heard, what is open, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Group
from services.scoring.store.around import Account
from services.scoring.store.fates import SIGNS
from services.scoring.store.queries import Series
from services.scoring.store.stretches import stretch
from shared.db.database import Connection
from shared.db.merged import families, family

_COLUMNS = (
    "account_id, version, name, tier, industry, size, owner, region, annual_value, phase, started_on,"
    " renewal_on, external_id, acquisition_cost"
)
# Happy answers less unhappy ones of the metric that is asked about; nothing where none was given. They are
# those of one programme, or of all.
_BALANCE = (
    "case $7 "
    + " ".join(
        f"when '{metric}' then case when s.{metric}_given > 0 then s.{metric} end" for metric in Metric
    )
    + " end"
)


def _list(said: str) -> str:
    """The list, told apart by what had been said in one programme or in all."""
    return f"""
select {_COLUMNS} from accounts
where ($1::float8 is null or (coalesce(annual_value, 0), account_id) < ($1, $2))
    and ($3 = '' or tier = $3) and ($4 = '' or lower(owner) = lower($4))
    and ($5 = '' or name ilike '%' || $5 || '%')
    and not exists (select from merged m where m.former = account_id)
    and ($7::text is null or exists (
        select from fates t join {said} s using (account_id)
        where t.account_id = accounts.account_id and t.day >= $9 and ($10::text is null or t.kind = $10)
            and {_BALANCE} is not null and sign({_BALANCE}) = $8))
order by coalesce(annual_value, 0) desc, account_id desc limit $6
"""  # noqa: S608 - our own column names


_LIST = _list("fates")
_LIST_BY_PROGRAMME = _list("(select * from programme_fates where programme = $11)")
_ONE = f"""
select {_COLUMNS} from accounts
where account_id = coalesce((select id from merged where former = $1), $1)
"""  # noqa: S608 - our own column names
_SOME = f"""
select {_COLUMNS} from accounts where account_id = any($1::uuid[]) order by account_id
"""  # noqa: S608 - our own column names
# All are as of an instant: what came later is left out, what was open then counts as open.
_LAST = """
select coalesce(m.id, a.account_id),
    max((
        select max(day) from answer_facts f
        where f.account_id = a.account_id and f.state = 'counted' and f.day <= $2
    ))
from unnest($1::uuid[]) as a (account_id) left join merged m on m.former = a.account_id group by 1
"""
_OPEN = """
select coalesce(m.id, account_id), count(*)::int from cases left join merged m on m.former = account_id
where account_id = any($1::uuid[]) and opened_at <= $2
    and (state not in ('resolved', 'closed') or changed_at > $2)
group by 1
"""
_SUPPORT = """
select coalesce(m.id, account_id), count(*)::int from happenings
left join merged m on m.former = account_id
where account_id = any($1::uuid[]) and kind = 'support_ticket' and event <> 'support_ticket.resolved'
    and at > $2 and at <= $3
group by 1
"""
_USAGE = """
select coalesce(m.id, account_id), avg(number) filter (where at > $2),
    avg(number) filter (where at <= $2)
from happenings left join merged m on m.former = account_id
where account_id = any($1::uuid[]) and kind = 'usage' and at > $3 and at <= $4
    and number is not null
group by 1
"""
# The newest first: who was heard lately is found at once.
_COMMITTEE = f"""
select coalesce(led.id, p.account_id), coalesce(p.persona, ''), count(*)::int,
    (count(*) filter (where (
        select true from answer_facts f
        where f.contact_id = any (
                p.contact_id || array(select former from merged m where m.id = p.contact_id))
            and {stretch("f.day")} >= {stretch("$2::date")} and f.day >= $2 and f.state = 'counted'
        order by {stretch("f.day")} desc limit 1
    )))::int
from people p left join merged led on led.former = p.account_id
where p.account_id = any($1::uuid[]) and not exists (select from merged m where m.former = p.contact_id)
group by 1, 2
"""  # noqa: S608 - texts of ours
_ANSWERS = """
select day, family, programme, coalesce(persona, ''), nps, nps5, csat, ces from answer_facts
where account_id = any($1::uuid[]) and state = 'counted' and day >= $2 order by day desc, response_id limit $3
"""
_HAPPENED = """
select at, kind, event, label from happenings
where account_id = any($1::uuid[]) and kind <> 'usage' order by at desc limit $2
"""
_TICKETS = """
select ticket_id, state, opened_at, contact_due_at from cases where account_id = any($1::uuid[])
order by state in ('resolved', 'closed'), opened_at desc limit $2
"""
MOST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class After:
    """Where a list of accounts goes on: behind this value and id."""

    value: float
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Ended:
    """Accounts whose contract was renewed or ended, by what their people had said before it.

    Attributes:
        metric: what they had answered.
        mood: more happy answers than unhappy ones, as many, or fewer.
        since: first day on which it was renewed or ended.
        left: whether it ended; None for both.
        programme: in which they had said it; "" for all together.
    """

    metric: Metric
    mood: Group
    since: date
    left: bool | None = None
    programme: str = ""

    @property
    def values(self) -> tuple[object, ...]:
        """What the list is asked for with."""
        kind = None if self.left is None else "churn" if self.left else "renewal"
        where = (self.programme,) if self.programme else ()
        return self.metric.value, SIGNS[self.mood], self.since, kind, *where


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accounts a list shows; empty texts leave all in, and so does None."""

    tier: str = ""
    owner: str = ""
    name: str = ""
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of one account besides what its people said."""

    last_day: date | None
    open_tickets: int
    support_tickets: int
    usage: float | None
    committee: Mapping[str, tuple[int, int]]
    """Persona -> people known, and those who answered within a year."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an account."""

    day: date
    family: str
    programme: str
    persona: str
    points: tuple[tuple[Metric, int], ...]


async def listed(conn: Connection, wanted: Wanted, after: After | None, limit: int) -> list[Account]:
    """Accounts, those of most annual value first."""
    at = (after.value, after.account_id) if after else (None, None)
    ended = wanted.ended.values if wanted.ended else (None, None, None, None)
    statement = _LIST_BY_PROGRAMME if wanted.ended and wanted.ended.programme else _LIST
    rows = await conn.fetch(statement, *at, wanted.tier, wanted.owner, wanted.name, limit, *ended)
    return [Account(*row) for row in map(tuple, rows)]


async def one(conn: Connection, account: UUID) -> Account | None:
    """One account, the one that stays where it was merged; None where the directory never told of it."""
    row = await conn.fetchrow(_ONE, account)
    return Account(*tuple(row)) if row else None


async def some(conn: Connection, accounts: Sequence[UUID]) -> list[Account]:
    """Those of some accounts that the directory told of."""
    return [Account(*row) for row in map(tuple, await conn.fetch(_SOME, list(accounts)))]


async def around(conn: Connection, accounts: Sequence[UUID], now: datetime) -> dict[UUID, Around]:
    """What was known of some accounts at an instant besides what their people said, under all their ids."""
    ids = [one for found in (await families(conn, accounts)).values() for one in found]
    last = dict(map(tuple, await conn.fetch(_LAST, ids, now.date())))
    cases = dict(map(tuple, await conn.fetch(_OPEN, ids, now)))
    support = dict(map(tuple, await conn.fetch(_SUPPORT, ids, now - timedelta(days=90), now)))
    usage = await conn.fetch(_USAGE, ids, now - timedelta(days=30), now - timedelta(days=120), now)
    used = {row[0]: row[1] / row[2] for row in map(tuple, usage) if row[1] is not None and row[2]}
    committees: dict[UUID, dict[str, tuple[int, int]]] = {}
    year = (now - timedelta(days=365)).date()
    for account, persona, people, heard in map(tuple, await conn.fetch(_COMMITTEE, ids, year)):
        committees.setdefault(account, {})[persona] = (people, heard)
    return {
        account: Around(
            last.get(account),
            cases.get(account, 0),
            support.get(account, 0),
            used.get(account),
            committees.get(account, {}),
        )
        for account in accounts
    }


HISTORY = timedelta(days=730)
"""So far back an account is shown over time."""


async def answers(conn: Connection, account: UUID, since: date) -> list[Answer]:
    """The newest answers of an account."""
    found = []
    rows = await conn.fetch(_ANSWERS, await family(conn, account), since, MOST_SHOWN)
    for day, kind, programme, persona, *values in map(tuple, rows):
        points = tuple((m, v) for m, v in zip(Metric, values, strict=True) if v is not None)
        found.append(Answer(day, kind, programme, persona, points))
    return found


def over_time(answers: Iterable[Answer]) -> list[Series]:
    """Answers of one account day by day, each metric of each kind of survey by itself."""
    given: dict[tuple[Metric, str], dict[date, list[int]]] = {}
    for answer in answers:
        for metric, value in answer.points:
            given.setdefault((metric, answer.family), {}).setdefault(answer.day, []).append(value)
    return [
        Series(metric, family, "", {day: Histogram.of(metric, of) for day, of in days.items()})
        for (metric, family), days in sorted(given.items())
    ]


async def happened(conn: Connection, account: UUID, limit: int = 30) -> list[tuple[datetime, str, str, str]]:
    """What happened at an account lately: when, kind, event, label; usage is told as one number instead."""
    rows = await conn.fetch(_HAPPENED, await family(conn, account), limit)
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def tickets(
    conn: Connection, account: UUID, limit: int = 10
) -> list[tuple[UUID, str, datetime, datetime]]:
    """An account's tickets, the open ones first: id, state, opened at, first contact due at."""
    rows = await conn.fetch(_TICKETS, await family(conn, account), limit)
    return [(row[0], row[1], row[2], row[3]) for row in rows]
