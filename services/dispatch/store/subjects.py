"""What became of surveys by the subject line that they were sent with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.dispatch.domain.subjects import Sums
from shared.db.database import Connection

# Of each survey its first message, by the channel that took it.
_SUMS = """
select s.programme, m.subject_line as line, count(*)::int as sent,
    count(distinct s.contact_id)::int as people,
    count(*) filter (where a.started or a.answered or a.held)::int as started,
    count(*) filter (where a.answered)::int as answered
from surveys s
join messages m on m.survey_id = s.survey_id and m.step = 0 and m.state = 'handed_over'
left join answers a on a.survey_id = s.survey_id
where s.requested_at >= $1 and s.requested_at < $2 and m.subject_line is not null
    and s.snapshot not like '%"test":true%'
group by 1, 2 order by 1, 2
"""


async def sums(conn: Connection, since: datetime, until: datetime) -> Mapping[str, list[Sums]]:
    """Sums of each line by programme, of the surveys requested in a span of time."""
    found: dict[str, list[Sums]] = {}
    for row in await conn.fetch(_SUMS, since, until):
        counts = dict(row)
        found.setdefault(counts.pop("programme"), []).append(Sums(**counts))
    return found
