"""What became of surveys, as of now: sent, arrived, come back, begun, answered, held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from services.dispatch.domain.rates import Rate
from shared.db.database import Connection


class Cut(StrEnum):
    """By what rates are told apart."""

    PROGRAMME = "programme"
    CHANNEL = "channel"
    OWNER = "owner"


_BY = {Cut.PROGRAMME: "s.programme", Cut.CHANNEL: "m.channel", Cut.OWNER: "s.snapshot::json->>'owner'"}
# A survey counts by the message that stands for it: one that was passed on counts where it went.
_RATES = """
select {by}, count(*)::int as requested,
    count(*) filter (where m.state = 'handed_over')::int as sent,
    count(*) filter (where m.state = 'uncertain')::int as uncertain,
    count(*) filter (where m.delivered_at is not null)::int as delivered,
    count(*) filter (where m.bounced_at is not null)::int as bounced,
    count(*) filter (where m.complained_at is not null)::int as complained,
    count(*) filter (where m.state = 'handed_over' and m.bounced_at is null
        and (a.started or a.answered or a.held) is not true)::int as not_begun,
    count(*) filter (where a.started or a.answered or a.held)::int as started,
    count(*) filter (where a.answered)::int as answered,
    count(*) filter (where a.held)::int as held,
    count(*) filter (where t.promises and m.state = 'handed_over')::int as promised,
    count(*) filter (where t.promises and a.answered)::int as earned,
    count(*) filter (where a.redeemed)::int as redeemed
from surveys s
join texts t on t.digest = s.texts_digest
join messages m on m.survey_id = s.survey_id and m.step = 0 and m.state <> 'passed_on'
left join answers a on a.survey_id = s.survey_id
where s.requested_at >= $1 and s.requested_at < $2 and s.snapshot not like '%"test":true%'
group by {keys} order by {keys}
"""


async def rates(conn: Connection, cut: Cut, since: datetime, until: datetime) -> list[Rate]:
    """Sums by a cut, each survey in the span of time it was requested in."""
    statement = _RATES.format(by=f"coalesce({_BY[cut]}, '') as name", keys="1")
    return [Rate(**dict(row)) for row in await conn.fetch(statement, since, until)]


async def sums(conn: Connection, since: datetime, until: datetime) -> Mapping[tuple[str, str], Rate]:
    """Sums by programme and channel."""
    statement = _RATES.format(by="s.programme, m.channel", keys="1, 2")
    found: dict[tuple[str, str], Rate] = {}
    for row in await conn.fetch(statement, since, until):
        counts = dict(row)
        key = (counts.pop("programme"), counts.pop("channel"))
        found[key] = Rate(**counts)
    return found
