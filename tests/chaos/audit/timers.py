"""Timers (T1-T5): everything due happens once, never early, not late, and not after it was called off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.db.database import Connection
from tests.chaos.audit.check import Check, Found, Needs, listed, rows
from tests.chaos.evidence import Evidence

_FIRST_ACCEPTABLE_HOUR = 8
_SHIFTS = (timedelta(), timedelta(hours=-3))
"""An audience that was resolved later may have been planned up to three hours before everybody's own time."""

CHECKS: list[Check] = [
    rows(
        "doubled-survey",
        "T1",
        "A plan fired more than once.",
        """
        select 'plan ' || plan_id from trigger.asks group by plan_id having count(*) > 1
        union all select 'request ' || subject from told
        where type = 'survey.requested.v1' group by subject having count(*) > 1
        """,
        needs=(),
    ),
    rows(
        "lost-survey",
        "T1",
        "A plan was requested, and there is no survey.",
        "select id from trigger.plans p where state = 'requested'"
        " and not exists (select from trigger.asks a where a.plan_id = p.id)",
        needs=(),
    ),
    rows(
        "overdue-plan",
        "T1",
        "A plan is due, and nothing happens.",
        "select id from trigger.plans, moment where state = 'pending' and due_at < now",
    ),
    rows(
        "overdue-reminder",
        "T1",
        "A reminder is due, and nothing happens.",
        "select survey_id from trigger.asks, moment where state = 'open' and next_step_at < now",
    ),
    rows(
        "overdue-closing",
        "T1",
        "The time for answers is over, and the survey is not closed.",
        "select survey_id from trigger.asks, moment where closed_at is null and closes_at < now",
    ),
    rows(
        "early-fire",
        "T2",
        "Somebody was asked before the time had come.",
        """
        select a.survey_id from trigger.asks a join trigger.plans p on p.id = a.plan_id
        where a.asked_at < p.first_due_at
        """,
        needs=(),
    ),
    rows(
        "early-reminder",
        "T2",
        "A reminder was asked for before its time.",
        """
        select m.delivery_id from dispatch.messages m join trigger.asks a using (survey_id)
        join (select programme, version, definition #> '{send,reminders}' as steps
            from trigger.editions offset 0) e on e.programme = a.programme and e.version = a.version
        where m.step > 0 and m.requested_at < a.asked_at - interval '2 hours' + replace(
            e.steps #>> array[(m.step - 1)::text, 'after'], 'mo', 'mon')::interval
        """,
        needs=(),
    ),
    rows(
        "late-fire",
        "T2",
        "Somebody was asked more than two minutes late, and no fault explains it.",
        """
        select a.survey_id from trigger.asks a
        join trigger.plans p on p.id = a.plan_id, moment,
        lateral (select greatest(p.first_due_at, max(d.until)) as due from trigger.decisions d
            where d.plan_id = p.id and d.outcome = 'deferred') w
        where a.asked_at > w.due + late
            and not exists (select from fault f where f.sent <= a.asked_at
                and coalesce(f.ended, now) + late >= w.due)
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "fired-after-cancel",
        "T4",
        "A plan was called off before it fired, and fired all the same.",
        "select a.survey_id from trigger.asks a join trigger.plans p on p.id = a.plan_id"
        " where p.state = 'cancelled'",
        needs=(),
    ),
]

_PLANS = """
select p.id::text, p.contact_id is null as audience, p.first_due_at, p.moment ->> 'at' as at,
    p.moment ->> 'renewal_on' as renewal_on, coalesce(nullif(c.zone, ''), o.body ->> 'zone', 'UTC') as zone,
    e.delay, e.by
from trigger.plans p
join (
    select programme, version, coalesce(definition #>> '{when,delay}', '0h') as delay,
        definition #>> '{when,by}' as by
    from trigger.editions offset 0
) e using (programme, version)
left join trigger.contacts c on c.id = p.contact_id
left join trigger.organisation o on true
where p.contact_id is not null and (p.state = 'pending' or p.moment ->> 'renewal_on' is null)
"""


async def _wrong_due_time(conn: Connection, _: Evidence) -> Found:
    """T3 once more, in a second implementation: whole days in the zone of whoever is asked."""
    zones = {
        row[0] for row in await conn.fetch("select distinct zone from trigger.contacts where zone <> ''")
    }
    zones |= {row[0] for row in await conn.fetch("select body ->> 'zone' from trigger.organisation")}
    # Somebody may have moved since: then the time was right for one of the zones that are known.
    return listed(
        [
            row["id"]
            async for row in conn.cursor(_PLANS, prefetch=5000)
            if row["first_due_at"] != _due(row, row["zone"])
            and not any(row["first_due_at"] == _due(row, zone) + shift for zone in zones for shift in _SHIFTS)
        ]
    )


def _due(row: Any, zone_name: str) -> datetime:
    zone = ZoneInfo(zone_name)
    if row["renewal_on"] and row["by"]:
        day = datetime.fromisoformat(row["renewal_on"])
        count, unit = _span(row["by"])
        local = _moved(day, -count, unit).replace(hour=_FIRST_ACCEPTABLE_HOUR)
        return _instant(local, zone)
    at = datetime.fromisoformat(row["at"])
    count, unit = _span(row["delay"])
    if unit == "h":
        return at + timedelta(hours=count)
    return _instant(_moved(at.astimezone(zone).replace(tzinfo=None, fold=0), count, unit), zone)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant that a local clock shows; one that is left out lies after the gap."""
    return local.replace(tzinfo=zone, fold=0).astimezone(ZoneInfo("UTC"))


def _moved(local: datetime, count: int, unit: str) -> datetime:
    if unit == "d":
        return local + timedelta(days=count)
    months = local.year * 12 + local.month - 1 + count * (12 if unit == "y" else 1)
    day = local.day
    while True:
        try:
            return local.replace(year=months // 12, month=months % 12 + 1, day=day)
        except ValueError:
            day -= 1


def _span(text: str) -> tuple[int, str]:
    digits = text.rstrip("hdmoy")
    return int(digits), text[len(digits) :]


CHECKS.append(
    Check("wrong-due-time", "T3", "A plan is not due at the local time that its rule says.", _wrong_due_time)
)
