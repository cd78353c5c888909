"""What was promised to whoever answers, who has earned it, what was given, and what could not be recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.incentives import Given, Known, Refusal, Standing, State
from shared.contracts.model import Snapshot
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Incentive:
    """One promise, with where it stands; `promise` is the text by language.

    Attributes:
        since: When it last changed.
        erased: Whoever it was promised to was erased.
        version: How often something was recorded or taken back.
    """

    survey_id: UUID
    state: State
    since: datetime
    snapshot: Snapshot
    promise: Mapping[str, str]
    closes_at: datetime
    erased: bool
    version: int
    redeemed_at: datetime | None
    reference: str
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Promises of a programme, by where they stand; `earned` are still to be given."""

    programme: str
    promised: int = 0
    held: int = 0
    earned: int = 0
    redeemed: int = 0
    lapsed: int = 0


_PROMISED = """
insert into incentives (survey_id, since)
select survey_id, $2 from surveys where survey_id = any($1::uuid[]) and incentive <> '' order by survey_id
on conflict do nothing
"""

_STAND = """
update incentives i set standing = t.standing, since = $3
from unnest($1::uuid[], $2::text[]) as t (survey_id, standing)
where i.survey_id = t.survey_id and i.standing <> t.standing
"""

_KNOWN = """
select i.standing, i.redeemed_at, i.reference from incentives i where i.survey_id = $1 for update
"""

_RECORD = """
update incentives set redeemed_at = $2, reference = $3, recorded_by = $4, since = $5, version = version + 1
where survey_id = $1
"""

_TAKE_BACK = """
update incentives set redeemed_at = null, reference = '', recorded_by = null, since = $2,
    version = version + 1
where survey_id = $1 and redeemed_at is not null returning survey_id
"""

_REFUSED = """
insert into refused_redemptions as r (survey_id, reason, reference, first_at, last_at, refused_to)
values ($1, $2, $3, $4, $4, $5)
on conflict (survey_id, reason, reference) do update
    set times = r.times + 1, last_at = excluded.last_at, refused_to = excluded.refused_to
"""

_REFUSALS = """
select survey_id, reason, reference, times, first_at, last_at, refused_to from refused_redemptions
where (last_at, survey_id) < ($1, $2) order by last_at desc, survey_id desc limit $3
"""

# $1 is now: what is promised lapses with the survey, and with whoever was to get it.
_OPEN = "s.state = 'open' and s.closes_at > $1"
_STATES = {
    State.PROMISED: f"i.redeemed_at is null and i.standing = 'promised' and {_OPEN}",
    State.HELD: "i.redeemed_at is null and i.standing = 'held' and s.state <> 'erased'",
    State.EARNED: "i.redeemed_at is null and i.standing = 'earned' and s.state <> 'erased'",
    State.REDEEMED: "i.redeemed_at is not null",
    State.LAPSED: "i.redeemed_at is null and (s.state = 'erased' or i.standing = 'promised'"
    " and not (s.state = 'open' and s.closes_at > $1))",
}
_STATE = "case " + " ".join(f"when {test} then '{state.value}'" for state, test in _STATES.items()) + " end"

_ONE = f"""
select i.survey_id, {_STATE} as state, i.since, s.snapshot, s.incentive, s.closes_at,
    s.state = 'erased' as erased, i.version, i.redeemed_at, i.reference, i.recorded_by
from incentives i join surveys s using (survey_id)
"""  # noqa: S608 - constants of this module

_PAGE = """
{one} where {state} and not s.test and ($2 = '' or s.programme = $2) and ($3 = '' or s.account_id = $3)
    and ($4::uuid is null or s.contact_id = $4)
    and i.since <= $5 and (i.since, i.survey_id) > ($6, $7)
order by i.since, i.survey_id limit $8
"""

_COUNTS = f"""
select s.programme, {", ".join(f"count(*) filter (where {test})::int as {state.value}" for state, test in _STATES.items())}
from incentives i join surveys s using (survey_id) where not s.test
group by s.programme order by s.programme
"""  # noqa: E501, S608 - constants of this module


async def promise(conn: Connection, survey_ids: Sequence[UUID], now: datetime) -> None:
    """Keep for which of these surveys something is promised."""
    await conn.execute(_PROMISED, list(survey_ids), now)


async def stand(conn: Connection, standings: Mapping[UUID, Standing], now: datetime) -> None:
    """Keep how the answers to surveys stand that promised something."""
    ids = sorted(standings)
    await conn.execute(_STAND, ids, [standings[one].value for one in ids], now)


async def known(conn: Connection, survey_id: UUID) -> Known | None:
    """What is known of an incentive, which is locked; None where nothing was promised."""
    row = await conn.fetchrow(_KNOWN, survey_id)
    return Known(Standing(row["standing"]), row["redeemed_at"], row["reference"]) if row else None


async def is_survey(conn: Connection, survey_id: UUID) -> bool:
    """Whether there is such a survey."""
    return bool(await conn.fetchval("select true from surveys where survey_id = $1", survey_id))


async def record(conn: Connection, survey_id: UUID, given: Given, by: str, now: datetime) -> None:
    """Keep that something was given."""
    await conn.execute(_RECORD, survey_id, given.at, given.reference, by, now)


async def take_back(conn: Connection, survey_id: UUID, now: datetime) -> bool:
    """Keep that nothing was given after all; False when nothing was recorded."""
    return await conn.fetchval(_TAKE_BACK, survey_id, now) is not None


async def refuse(
    conn: Connection, survey_id: UUID, reason: Refusal, given: Given, by: str, now: datetime
) -> None:
    """Keep that something could not be recorded; the same again is counted."""
    await conn.execute(_REFUSED, survey_id, reason.value, given.reference, now, by)


async def refusals(conn: Connection, before: tuple[datetime, UUID], limit: int) -> list[dict[str, Any]]:
    """What could not be recorded, the newest first."""
    return [dict(row) for row in await conn.fetch(_REFUSALS, *before, limit)]


async def one(conn: Connection, survey_id: UUID, now: datetime) -> Incentive | None:
    """One incentive; None where nothing was promised."""
    row = await conn.fetchrow(f"{_ONE} where i.survey_id = $2", now, survey_id)
    return _incentive(row) if row else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which incentives are wanted; None and the empty text want everything."""

    state: State | None = None
    programme: str = ""
    account_id: str = ""
    contact_id: UUID | None = None


async def page(
    conn: Connection,
    wanted: Filters,
    horizon: datetime,
    after: tuple[datetime, UUID],
    limit: int,
    now: datetime,
) -> list[Incentive]:
    """The next incentives after one that was seen, by when they last changed; none younger than `horizon`."""
    state = _STATES[wanted.state] if wanted.state else "$1::timestamptz is not null"
    rows = await conn.fetch(
        _PAGE.format(one=_ONE, state=state),
        now, wanted.programme, wanted.account_id, wanted.contact_id, horizon, *after, limit,
    )  # fmt: skip
    return [_incentive(row) for row in rows]


async def counts(conn: Connection, now: datetime) -> list[Counts]:
    """Promises by programme and where they stand."""
    return [Counts(**dict(row)) for row in await conn.fetch(_COUNTS, now)]


def _incentive(row: Mapping[str, Any]) -> Incentive:
    return Incentive(
        survey_id=row["survey_id"],
        state=State(row["state"]),
        since=row["since"],
        snapshot=Snapshot.model_validate_json(row["snapshot"]),
        promise=json.loads(row["incentive"]),
        closes_at=row["closes_at"],
        erased=row["erased"],
        version=row["version"],
        redeemed_at=row["redeemed_at"],
        reference=row["reference"],
        recorded_by=row["recorded_by"] or "",
    )
