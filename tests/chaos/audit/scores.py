"""Scores (S1-S4): every cell is counted once more from the answers themselves, by another implementation.

So are the fates of customers; closed months are held against their days.

The collector's stored answers are the ground; neither scoring's facts nor its arithmetic are used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.db.database import Connection
from tests.chaos.audit.check import Check, Found, Needs, listed, rows
from tests.chaos.evidence import Evidence

_SINGLES = (
    "programme", "touchpoint", "tier", "industry", "size", "owner", "persona", "job_function", "product",
    "service_type", "region", "locale", "channel",
)  # fmt: skip
_PAIRS = (
    ("programme", "tier"), ("programme", "persona"), ("programme", "industry"), ("tier", "persona"),
    ("tier", "product"), ("product", "persona"),
)  # fmt: skip
_ROLLUPS = ((), *((one,) for one in _SINGLES), *_PAIRS)
_RATED = ((), ("programme",), ("owner",), ("tier",), ("persona",), ("channel",), ("programme", "tier"))
_LOWEST = "case metric when 'nps' then 0 else 1 end"
_BUCKETS = ", ".join(f"b{n}" for n in range(11))
_POINTS = """
    select c.survey_id, c.family, (c.first_at at time zone 'UTC')::date as day, c.snapshot, p.metric, p.score
    from current_answer c, lateral (
        select distinct on (one ->> 1) one ->> 1 as metric, (one ->> 2)::int as score
        from jsonb_array_elements(c.scores) with ordinality as t (one, place)
        where one ->> 3 = '' and one ->> 1 in ('nps', 'nps5', 'csat', 'ces')
        order by one ->> 1, one ->> 0 <> c.question, place
    ) p
    where c.state = 'counted'
"""


def _value(source: str, rollup: tuple[str, ...]) -> str:
    """The value of a cell: the dimensions joined; null where one of them is not known."""
    if not rollup:
        return "''"
    return " || chr(31) || ".join(f"nullif({source} ->> '{name}', '')" for name in rollup)


def _rollups(source: str, rollups: tuple[tuple[str, ...], ...]) -> str:
    """All rollups of a row as a lateral table."""
    values = ", ".join(f"('{'+'.join(r) or 'total'}', {_value(source, r)})" for r in rollups)
    return f"lateral (values {values}) as r (rollup, value)"


def _with_context() -> str:
    """All rollups of an answer, those of the attributes that its programme names included."""
    return f"""lateral (
        select r.rollup, r.value from {_rollups("snapshot", _ROLLUPS)}
        union all
        select 'programme+context.' || name, {_value("snapshot", ("programme",))} || chr(31)
            || nullif(snapshot -> 'context' ->> name, '')
        from jsonb_array_elements_text(snapshot -> 'breakdown') as b (name)
        where not exists (
            select from collector.erased_contacts e where e.contact_id::text = snapshot ->> 'contact_id'
        )
    )"""


_CELLS = f"""
    select metric, family, rollup, value, day, {
    ", ".join(f"count(*) filter (where score - {_LOWEST} = {n})::int as b{n}" for n in range(11))
}
    from ({_POINTS}) p, {_with_context()} r
    where value is not null group by metric, family, rollup, value, day
"""
_ASKED = """
    select a.survey_id, a.family, a.snapshot::jsonb as snapshot,
        (a.asked_at at time zone 'UTC')::date as requested,
        (h.at at time zone 'UTC')::date as handed, f.cohort, f.state
    from trigger.asks a
    left join (select survey_id, min(finished_at) as at from dispatch.messages
        where state = 'handed_over' group by 1) h using (survey_id)
    left join (
        select c.survey_id, c.state, min(x.cohort) as cohort from current_answer c
        join scoring.answer_facts x using (survey_id) where c.state in ('counted', 'held') group by 1, 2
    ) f using (survey_id)
"""
_RATES = f"""
    select family, rollup, value, day, sum(requested)::int as requested, sum(handed)::int as handed_over,
        sum(answered)::int as answered, sum(held)::int as held
    from (
        select family, rollup, value, k.* from ({_ASKED}) a, {_rollups("snapshot", _RATED)},
        lateral (values (requested, 1, 0, 0, 0), (handed, 0, 1, 0, 0),
            (cohort, 0, 0, (state = 'counted')::int, (state = 'held')::int))
            as k (day, requested, handed, answered, held)
        where value is not null and k.day is not null
    ) one group by family, rollup, value, day
"""
_COUNTS = ("requested", "handed_over", "answered", "held")
_GROUPS = {"nps": (7, 9), "nps5": (4, 5), "csat": (3, 4), "ces": (4, 6)}
"""By metric the lowest answers of the middle and of the high group."""

_BOUNDS = "values " + ", ".join(f"('{m}', {low}, {high})" for m, (low, high) in _GROUPS.items())


def _months(kind: str, keys: str, counts: Sequence[str]) -> str:
    """Closed months that are not the sum of their days; an empty one need not be there."""
    days = ", ".join(f"sum({name})::int as {name}" for name in counts)
    any_kept = " or ".join(f"{name} <> 0" for name in counts)
    any_day = " or ".join(f"sum({name}) <> 0" for name in counts)
    kept, summed = (", ".join(f"{of}.{name}" for name in counts) for of in ("kept", "days"))
    return f"""
        select concat_ws(' ', '{kind}', {keys.replace("value", "replace(value, chr(31), '+')")}, month)
        from (select * from scoring.{kind}_months where {any_kept}) kept
        full join (
            select {keys}, date_trunc('month', day::timestamp)::date as month, {days}
            from scoring.{kind}_cells where day < (select before from scoring.closed_months)
            group by {keys}, date_trunc('month', day::timestamp) having {any_day}
        ) days using ({keys}, month)
        where ({kept}) is distinct from ({summed})
    """


_SAID = f"""
    with ended as (
        select distinct on (1) coalesce(m.id, h.account_id) as account_id, h.kind, h.at::date as day
        from scoring.happenings h left join scoring.merged m on m.former = h.account_id
        where h.kind in ('churn', 'renewal') and h.account_id is not null
        order by 1, h.at desc, h.event_id, h.source
    ), said as (
        select coalesce(m.id, p.account_id) as account_id, p.programme, p.day, p.metric, p.score from (
            select day, metric, score, (snapshot ->> 'account_id')::uuid as account_id,
                snapshot ->> 'programme' as programme
            from ({_POINTS}) one
        ) p left join scoring.merged m on m.former = p.account_id
    )
"""
_FATES = f"""
    {_SAID}
    select e.account_id, e.kind, e.day, g.metric, count(s.score)::int as given,
        coalesce(sum((s.score >= g.high)::int - (s.score < g.middle)::int), 0)::int as balance
    from ended e
    cross join ({_BOUNDS}) g (metric, middle, high)
    left join said s on s.account_id = e.account_id and s.metric = g.metric
        and s.day between e.day - 180 and e.day - 1
    group by 1, 2, 3, 4
"""
_FATES_EACH = f"""
    {_SAID}
    select e.account_id, s.programme collate "C" as programme, g.metric, count(*)::int as given,
        sum((s.score >= g.high)::int - (s.score < g.middle)::int)::int as balance
    from ended e join said s on s.account_id = e.account_id and s.day between e.day - 180 and e.day - 1
    join ({_BOUNDS}) g (metric, middle, high) using (metric)
    group by 1, 2, 3
"""

_KEPT = f"""
    lateral (values {", ".join(f"('{name}', {name}, {name}_given)" for name in _GROUPS)})
        as one (metric, balance, given)
"""

CHECKS: list[Check] = [
    rows(
        "aggregate-drift",
        "S1",
        "A cell of the scores is not the sum of the answers that belong to it.",
        f"""
        select concat_ws(' ', metric, family, rollup, replace(value, chr(31), '+'), day)
        from (select metric, family, rollup, value, day, {_BUCKETS} from scoring.score_cells
            where 0 < any (array[{_BUCKETS}]) or 0 > any (array[{_BUCKETS}])) held
        full join ({_CELLS}) counted using (metric, family, rollup, value, day)
        where {" or ".join(f"held.b{n} is distinct from counted.b{n}" for n in range(11))}
        """,
    ),
    rows(
        "rate-drift",
        "S1",
        "A count of asks and answers is not what surveys, messages and answers add up to.",
        f"""
        select concat_ws(' ', family, rollup, replace(value, chr(31), '+'), day)
        from (select * from scoring.rate_cells
            where {" or ".join(f"{name} <> 0" for name in _COUNTS)}) held
        full join ({_RATES}) counted using (family, rollup, value, day)
        where (held.requested, held.handed_over, held.answered, held.held)
            is distinct from (counted.requested, counted.handed_over, counted.answered, counted.held)
        """,
    ),
    rows(
        "month-drift",
        "S1",
        "A closed month is not the sum of its days.",
        f"""
        {_months("score", "metric, family, rollup, value", _BUCKETS.split(", "))}
        union all {_months("rate", "family, rollup, value", _COUNTS)}
        """,
        needs=(),
    ),
    rows(
        "fate-drift",
        "S1",
        "What is kept of a customer who stayed or left, in all or in a programme, is not what they had said.",
        f"""
        select concat_ws(' ', account_id, metric)
        from (
            select account_id, kind, day, one.* from scoring.fates, {_KEPT}
        ) kept full join ({_FATES}) counted using (account_id, metric)
        where (kept.kind, kept.day, kept.balance, kept.given)
            is distinct from (counted.kind, counted.day, counted.balance, counted.given)
        union all
        select concat_ws(' ', account_id, programme, metric)
        from (
            select account_id, programme, one.* from scoring.programme_fates, {_KEPT} where given <> 0
        ) kept full join ({_FATES_EACH}) counted using (account_id, programme, metric)
        where (kept.balance, kept.given) is distinct from (counted.balance, counted.given)
        """,
    ),
    rows(
        "fact-drift",
        "S1",
        "Scoring's view of a response is not how the response stands.",
        f"""
        select coalesce(f.survey_id, c.survey_id) from scoring.answer_facts f
        full join current_answer c using (survey_id)
        left join (select survey_id, jsonb_object_agg(metric, score) as points
            from ({_POINTS}) p group by 1) p
            on p.survey_id = c.survey_id
        where f.survey_id is null or c.survey_id is null or f.version <> c.version or f.state <> c.state
            or f.day <> (c.first_at at time zone 'UTC')::date
            or f.cohort not in (f.day, (select min(m.finished_at at time zone 'UTC')::date
                from dispatch.messages m where m.survey_id = c.survey_id and m.state = 'handed_over'))
            or c.state = 'counted' and jsonb_strip_nulls(jsonb_build_object(
                'nps', f.nps, 'nps5', f.nps5, 'csat', f.csat, 'ces', f.ces)) <> coalesce(p.points, '{{}}')
        """,
    ),
    rows(
        "held-in-scores",
        "S1, F6",
        "An answer that is held back as machine-made counts in the scores.",
        """
        select f.survey_id from scoring.answer_facts f join collector.responses r using (survey_id)
        where f.state = 'counted' and r.state = 'held'
        """,
    ),
    rows(
        "impossible-cell",
        "S2",
        "A cell counts less than no answers, or answers beyond its scale.",
        f"""
        select concat_ws(' ', metric, family, rollup, value, day) from scoring.score_cells
        where 0 > any (array[{_BUCKETS}])
            or metric <> 'nps' and 0 <> any (array[b7, b8, b9, b10])
            or metric in ('nps5', 'csat') and 0 <> any (array[b5, b6])
        """,
        needs=(),
    ),
    rows(
        "doubled-fact",
        "S3",
        "A survey counts with two responses.",
        "select survey_id from scoring.answer_facts group by survey_id having count(*) > 1",
        needs=(),
    ),
    rows(
        "erased-in-person-view",
        "S4",
        "An erased person's answer still leads to the person.",
        """
        select f.survey_id from scoring.answer_facts f join scoring.erased_contacts e using (contact_id)
        union select f.survey_id from scoring.answer_facts f join trigger.asks a using (survey_id)
        join scoring.erased_contacts e on e.contact_id = a.contact_id
        where f.snapshot::jsonb ?| array['contact_id', 'subject_kind', 'subject_id', 'context', 'zone']
        """,
    ),
]

_HEADLINES = """
    select distinct on (t.key) t.key, convert_from(o.value, 'UTF8') as told
    from told t join scoring.outbox o on o.id = t.id
    where t.service = 'scoring' and t.type = 'score.changed.v1' order by t.key, t.id desc
"""
_SUMS = f"""
    select metric || '/' || family || '/' || value, {", ".join(f"sum(b{n})::int" for n in range(11))}
    from ({_CELLS}) cells where rollup = 'programme' group by 1
"""
_WIDTH = {"nps": (0, 10), "nps5": (1, 5), "csat": (1, 5), "ces": (1, 7)}


async def _wrong_headlines(conn: Connection, _: Evidence) -> Found:
    """S2: what was last announced of each programme is the score of the answers, within its bounds."""
    counted = {row[0]: list(row)[1:] for row in await conn.fetch(_SUMS)}
    wrong: list[str] = []
    known: set[str] = set()
    for cell, text in await conn.fetch(_HEADLINES):
        known.add(cell)
        told = json.loads(text)
        low, high = _WIDTH[told["metric"]]
        buckets = counted.get(cell, [0] * 11)[: high - low + 1]
        histogram = {str(low + place): count for place, count in enumerate(buckets)}
        value = _score(told["metric"], histogram)
        near = value == told["score"] or (
            None not in (value, told["score"]) and abs(value - told["score"]) < 1e-9
        )
        if told["histogram"] != histogram or told["n"] != sum(buckets) or not near:
            wrong.append(cell)
    return listed(wrong + sorted(counted.keys() - known))


def _score(metric: str, histogram: dict[str, int]) -> float | None:
    n = sum(histogram.values())
    if not n:
        return None
    middle, high = _GROUPS[metric]
    happy = sum(count for value, count in histogram.items() if int(value) >= high)
    unhappy = sum(count for value, count in histogram.items() if int(value) < middle)
    return 100 * (happy - unhappy * metric.startswith("nps")) / n


CHECKS.append(
    Check(
        "wrong-headline",
        "S2",
        "The score that was last announced is not the score of the answers.",
        _wrong_headlines,
        (Needs.REST,),
    )
)
