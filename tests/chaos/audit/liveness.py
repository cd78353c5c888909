"""Liveness (L1, L2) and the brake: after a fault the work goes on, and the probes tell the truth."""

from __future__ import annotations

from tests.chaos.audit.check import Check, Needs, rows

_PROBED = (Needs.JOURNAL, Needs.PROBES)

CHECKS: list[Check] = [
    rows(
        "no-progress",
        "L1",
        "Within 90 seconds after a fault nothing moved on, though it was looked at.",
        """
        select f.kind || ' ' || f.place || ' ' || f.ended_machine from fault f
        where exists (select from probe p where p.what = 'progress' and p.sent_machine > f.ended_machine)
            and not exists (select from fault n where n.sent_machine > f.ended_machine
                and n.sent_machine <= f.ended_machine + interval '90 seconds')
            and not exists (select from probe p, lateral (select max(value) as value from probe b
                    where b.what = 'progress' and b.place = p.place and b.sent_machine <= f.ended_machine) b
                where p.what = 'progress' and p.outcome = 'ok' and p.ended_machine > f.ended_machine
                    and p.ended_machine <= f.ended_machine + interval '90 seconds'
                    and (p.value is null or p.value > coalesce(b.value, -1)))
        union all select 'looked in vain ' || sent_machine from probe
        where what = 'progress' and outcome = 'fail'
        """,
        needs=_PROBED,
    ),
    rows(
        "never-drained",
        "L1",
        "The queues were looked at after the last fault, and were never found empty.",
        """
        select 'last fault ended ' || max(f.ended_machine) from fault f
        having count(*) > 0 and exists (select from probe where what = 'drained')
            and not exists (select from probe p
            where p.what = 'drained' and p.outcome = 'ok' and p.sent_machine >= max(f.ended_machine))
        """,
        needs=_PROBED,
    ),
    rows(
        "unfinished-fault",
        "L1",
        "A fault began and was never over: what was found at rest is no rest.",
        "select kind || ' ' || place || ' ' || sent_machine from fault where ended is null",
        needs=(Needs.REST, Needs.JOURNAL),
    ),
    rows(
        "ready-without-dependency",
        "L2",
        "A service said that it is ready while something it cannot do without was away.",
        "select place || ' ' || sent_machine from probe"
        " where what = 'ready' and not needs and outcome = 'ok'",
        needs=_PROBED,
    ),
    rows(
        "unready",
        "L2",
        "A service said that it is not ready although all that it needs was there.",
        "select place || ' ' || sent_machine from probe where what = 'ready' and needs and outcome = 'fail'",
        needs=_PROBED,
    ),
    rows(
        "dead-for-a-dependency",
        "L2",
        "A service said that it is not alive.",
        "select place || ' ' || sent_machine from probe where what = 'live' and outcome = 'fail'",
        needs=_PROBED,
    ),
    rows(
        "asked-under-brake",
        "D4",
        "Somebody was asked while the operator's brake was on.",
        """
        select a.survey_id from trigger.asks a join braked b on b."on" and b.outcome = 'ok'
            and (b.scope = 'all'
            or b.scope = 'programme' and b.subject = a.programme
            or b.scope = 'account' and b.subject = a.account_id::text)
        where a.asked_at > b.ended and not exists (select from braked r where not r."on"
            and r.scope = b.scope and r.subject = b.subject and r.sent > b.ended and r.sent <= a.asked_at)
        """,
        needs=(Needs.JOURNAL,),
    ),
]
