"""What became of surveys, as of now: sent, arrived, come back, begun, answered, held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.db.database import Connection


class Cut(StrEnum):
    """By what rates are told apart."""

    PROGRAMME = "programme"
    CHANNEL = "channel"
    OWNER = "owner"


_BY = {Cut.PROGRAMME: "s.programme", Cut.CHANNEL: "m.channel", Cut.OWNER: "s.snapshot::json->>'owner'"}
# A survey counts by the message that stands for it: one that was passed on counts where it went.
_RATES = """
select coalesce({by}, '') as name, count(*)::int as requested,
    count(*) filter (where m.state = 'handed_over')::int as sent,
    count(*) filter (where m.state = 'uncertain')::int as uncertain,
    count(*) filter (where m.delivered_at is not null)::int as delivered,
    count(*) filter (where m.bounced_at is not null)::int as bounced,
    count(*) filter (where m.complained_at is not null)::int as complained,
    count(*) filter (where a.started or a.answered or a.held)::int as started,
    count(*) filter (where a.answered)::int as answered,
    count(*) filter (where a.held)::int as held
from surveys s
join messages m on m.survey_id = s.survey_id and m.step = 0 and m.state <> 'passed_on'
left join answers a on a.survey_id = s.survey_id
where s.requested_at >= $1 and s.requested_at < $2 and s.snapshot not like '%"test":true%'
group by 1 order by 1
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Sums of surveys that were requested in a span of time; nobody knows who only opened a mail."""

    name: str
    requested: int
    sent: int
    uncertain: int
    delivered: int
    bounced: int
    complained: int
    started: int
    answered: int
    held: int


async def rates(conn: Connection, cut: Cut, since: datetime, until: datetime) -> list[Rate]:
    """Sums by a cut, each survey in the span of time it was requested in."""
    statement = _RATES.format(by=_BY[cut])
    return [Rate(**dict(row)) for row in await conn.fetch(statement, since, until)]
