"""Intake and the ledger (E1-E6): nothing is lost, nothing is decided twice, each no has its reason."""

from __future__ import annotations

from shared.contracts.reasons import Reason
from shared.db.database import Connection
from tests.chaos.audit.check import Check, Found, Needs, listed, rows
from tests.chaos.evidence import Evidence

_REASONS = ", ".join(f"'{reason.value}'" for reason in Reason)
_OURS = "('/afterword/dispatch', '/afterword/collector', '/afterword/scoring', '/afterword/alerts')"
ASKED = """
    select a.survey_id, a.plan_id, a.contact_id, a.account_id, a.family, a.asked_at,
        r.exempt, r.contact_span, r.family_span, r.most, r.per
    from trigger.asks a join (
        select programme, version, coalesce((definition #>> '{quarantine,exempt}')::bool, false) as exempt,
            replace(coalesce(definition #>> '{quarantine,contact}', '30d'), 'mo', 'mon')::interval
                as contact_span,
            replace(definition #>> '{quarantine,family}', 'mo', 'mon')::interval as family_span,
            (definition #>> '{quarantine,account,max}')::int as most,
            definition #>> '{quarantine,account,per}' as per
        from trigger.editions offset 0
    ) r using (programme, version)
    where a.state <> 'released' and exists (
        select from dispatch.messages m
        where m.survey_id = a.survey_id and m.step = 0 and m.state = 'handed_over')
"""
"""Surveys whose invitation really went out, with the caps of the edition they were asked by."""

LEDGER = """
    select distinct on (plan_id) plan_id, outcome, at from trigger.decisions
    where plan_id is not null and step = 0 and outcome <> 'not_matched' order by plan_id, id desc
"""

CHECKS: list[Check] = [
    rows(
        "lost-event",
        "E1",
        "An event was acknowledged and nobody has handled it.",
        """
        select distinct s.kind || ' ' || s.source || '/' || s.event_id from sent_event s
        where s.outcome = 'ok' and not s.poison
            and (s.kind = 'posted' or s.birth = (select max(birth) from sent_event))
            and not exists (select from trigger.inbox i where s.kind = 'produced'
                and i.event_id = s.event_id and i.source = s.source)
            and not exists (select from told t join trigger.inbox i on i.event_id = t.event_id
                where s.kind = 'posted' and t.topic = 'afterword.touchpoints'
                and t.subject = left(s.source || '/' || s.event_id, 200))
        """,
        needs=(Needs.REST, Needs.JOURNAL),
    ),
    rows(
        "doubled-inbox",
        "E1",
        "A service holds an event in its inbox more than once.",
        "select service || ' ' || source || '/' || event_id from heard"
        " group by service, source, event_id having count(*) > 1",
        needs=(),
    ),
    rows(
        "undecided-event",
        "E2",
        "A touchpoint was handled and the ledger does not say what came of it.",
        f"""
        select source || '/' || event_id from trigger.inbox i
        where outcome = 'done' and source not in {_OURS}
            and not exists (select from trigger.decisions d where d.event_id = i.event_id)
        """,
        needs=(),
    ),
    rows(
        "plan-against-ledger",
        "E2",
        "A plan does not stand as the last decision about it says.",
        f"""
        select p.id from trigger.plans p left join ({LEDGER}) l on l.plan_id = p.id
        where l.outcome is null or p.state <> case
            when l.outcome in ('planned', 'deferred') and p.state = 'expanded' then 'expanded'
            when l.outcome in ('planned', 'deferred') then 'pending'
            when l.outcome = 'shadow' then 'suppressed'
            when l.outcome = 'cancelled' and exists (select from trigger.asks a
                where a.plan_id = p.id and a.state = 'cancelled') then 'requested'
            else l.outcome end
        """,
        needs=(),
    ),
    rows(
        "lost-plan",
        "E2",
        "The ledger says that something was planned, and there is no such plan.",
        """
        select distinct plan_id from trigger.decisions d
        where plan_id is not null and outcome <> 'not_matched'
            and not exists (select from trigger.plans p where p.id = d.plan_id)
        """,
        needs=(),
    ),
    rows(
        "planned-twice",
        "E3",
        "One plan was planned more than once without having been called off in between.",
        """
        select plan_id from trigger.decisions where plan_id is not null and step = 0 group by plan_id
        having count(*) filter (where outcome = 'planned' and reason is null)
            > 1 + count(*) filter (where outcome = 'cancelled')
        """,
        needs=(),
    ),
    rows(
        "doubled-plan",
        "E3",
        "Two plans have one identity: programme, subject, occurrence and contact.",
        """
        select programme || ' ' || subject || ' ' || coalesce(contact_id::text, 'audience') from trigger.plans
        group by programme, subject, occurrence, contact_id, shadow is true having count(*) > 1
        """,
        needs=(),
    ),
    rows(
        "conflict-unrecorded",
        "E3",
        "One webhook id came with two bodies, and nobody wrote that down.",
        """
        select s.source || '/' || s.event_id from sent_event s
        join trigger.webhooks w on w.id = s.event_id
        where s.kind = 'posted' and s.outcome = 'ok' and s.digest <> ''
        group by s.source, s.event_id having count(distinct s.digest) > 1 and max(w.conflicts) = 0
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "unknown-reason",
        "E5",
        "A no has no reason from the closed list.",
        f"""
        select 'decision ' || id from trigger.decisions
        where outcome in ('suppressed', 'cancelled', 'deferred', 'not_matched', 'shadow')
            and (reason is null or reason not in ({_REASONS}))
        union all select 'plan ' || id from trigger.plans
        where state in ('suppressed', 'cancelled') and (reason is null or reason not in ({_REASONS}))
        union all select 'message ' || delivery_id from dispatch.messages
        where state in ('suppressed', 'failed') and (reason is null or reason not in ({_REASONS}))
        """,
        needs=(),
    ),
    rows(
        "cap-exceeded",
        "E6",
        "A person was written to again within the quarantine of the later programme.",
        f"""
        select survey_id from (
            select *, lag(asked_at) over (partition by contact_id order by asked_at, survey_id) as last_any,
                lag(asked_at) over (partition by contact_id, family order by asked_at,
                    survey_id) as last_alike
            from ({ASKED}) asked
        ) one
        where not exempt and (last_any + contact_span - interval '2 hours' > asked_at
            or last_alike + family_span - interval '2 hours' > asked_at)
        """,
        needs=(),
    ),
]


async def _over_budget(conn: Connection, _: Evidence) -> Found:
    """The span of a window frame is a constant, so each span in use has a query of its own."""
    found: list[str] = []
    spans = await conn.fetch(f"select distinct per from ({ASKED}) a where per is not null")
    for (per,) in spans:
        frame = f"range between interval '{per.replace('mo', 'mon')}' - interval '2 hours' preceding"
        over = await conn.fetch(
            f"""
            select survey_id::text from (
                select *, count(*) over (partition by account_id order by asked_at
                    {frame} and current row) as theirs
                from ({ASKED}) asked where account_id is not null
            ) one where not exempt and per = $1 and theirs > most
            """,
            per,
        )
        found += [row[0] for row in over]
    return listed(found)


CHECKS.append(
    Check("budget-exceeded", "E6", "An account was asked more often than its budget allows.", _over_budget)
)
