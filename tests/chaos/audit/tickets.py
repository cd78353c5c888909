"""Tickets (A1-A4): one for each unhappy answer, none without; clocks are told once, in time, never after."""

from __future__ import annotations

from tests.chaos.audit.check import Check, Needs, rows

_OPEN = "('open', 'acknowledged', 'contacted')"
_UNHAPPY = "c.state = 'counted' and c.wants_ticket and c.score <= c.low"
_SHARE = "case level when 1 then 0.5 when 2 then 1.0 when 3 then 2.0 end"
_TOLD = """
    select l.id, l.ticket_id, l.at, l.data ->> 'clock' as clock, (l.data ->> 'level')::int as level,
        (select count(*) from alerts.timeline r
            where r.ticket_id = l.ticket_id and r.kind = 'reopened' and r.id < l.id) + 1 as run
    from alerts.timeline l where l.kind = 'escalated'
"""
"""Alarms of clocks, each with the run of the ticket it belongs to."""

_WORDS = """
    select l.id, l.ticket_id, l.kind, l.at, l.data ->> 'response' as response, l.data ? 'late' as late,
        l.data ?| array['beside', 'of'] as beside
    from alerts.timeline l where l.by_user is null and l.kind in ('confirmed', 'denied')
"""
"""What customers said of cases that were resolved."""

CHECKS: list[Check] = [
    rows(
        "missing-ticket",
        "A1",
        "An unhappy answer counts, and no ticket holds its voice.",
        f"""
        select c.survey_id from current_answer c where {_UNHAPPY} and not exists
            (select from alerts.voices v where v.survey_id = c.survey_id and v.state = 'unhappy')
        """,
    ),
    rows(
        "doubled-voice",
        "A1",
        "An answer is a voice of more than one ticket.",
        "select survey_id from alerts.voices group by survey_id having count(*) > 1",
        needs=(),
    ),
    rows(
        "groundless-voice",
        "A1",
        "A ticket holds an unhappy voice of somebody who is not unhappy.",
        f"""
        select v.survey_id from alerts.voices v left join current_answer c using (survey_id)
        where v.state = 'unhappy' and (c.survey_id is null or not ({_UNHAPPY}))
            and c.state is distinct from 'held'
        """,
    ),
    rows(
        "held-in-ticket",
        "A1, F6",
        "An answer that is held back as machine-made is an unhappy voice of a ticket.",
        """
        select v.survey_id from alerts.voices v join collector.responses r using (survey_id)
        where v.state = 'unhappy' and r.state = 'held'
        """,
    ),
    rows(
        "groundless-ticket",
        "A1",
        "A ticket that nobody touched is open, and nobody in it is unhappy.",
        f"""
        select t.id from alerts.tickets t where state in {_OPEN} and not touched and not exists
            (select from alerts.voices v where v.ticket_id = t.id and v.state = 'unhappy')
        """,
        needs=(),
    ),
    rows(
        "doubled-ticket",
        "A1",
        "A case has two open tickets.",
        f"select case_key from alerts.tickets where state in {_OPEN} group by case_key having count(*) > 1",
        needs=(),
    ),
    rows(
        "voice-in-wrong-case",
        "A1",
        "An answer is a voice in the case of another account.",
        """
        select v.survey_id from alerts.voices v join alerts.tickets t on t.id = v.ticket_id
        join trigger.asks a using (survey_id) where t.case_key <> coalesce(a.account_id, a.contact_id)
        """,
        needs=(),
    ),
    rows(
        "moved-deadline",
        "A2",
        "A ticket's deadline is not its beginning plus the promised time.",
        """
        select id from alerts.tickets where contact_due_at <> started_at + contact_within
        union select t.id from alerts.tickets t join alerts.voices v on v.ticket_id = t.id
        where t.generation = 1 and not exists (
            select from (
                select v.ticket_id, a.received_at as at
                from alerts.voices v join collector.answers a using (survey_id)
                union all select v.ticket_id, o.at from alerts.voices v
                join told o on o.type = 'response.released.v1' and o.subject = v.response_id::text
            ) begun where begun.ticket_id = t.id and begun.at = t.opened_at)
        """,
        needs=(),
    ),
    rows(
        "told-twice",
        "A2",
        "A clock of a ticket told one level twice.",
        f"""
        select ticket_id || ' ' || clock || ' ' || level from ({_TOLD}) l
        group by ticket_id, run, clock, level having count(*) > 1
        """,
        needs=(),
    ),
    rows(
        "early-escalation",
        "A2",
        "A clock of a ticket told a level before its time.",
        f"""
        select l.ticket_id || ' ' || level from ({_TOLD}) l join alerts.tickets t on t.id = l.ticket_id
        where l.run = t.generation and (l.clock = 'contact' and l.at < started_at + contact_within * {_SHARE}
            or l.clock = 'resolve' and l.at < resolve_due_at)
        """,
        needs=(),
    ),
    rows(
        "late-escalation",
        "A2",
        "A clock of a ticket told more than two minutes late, and no fault explains it.",
        f"""
        select l.ticket_id || ' ' || level from moment, ({_TOLD}) l
            join alerts.tickets t on t.id = l.ticket_id,
        lateral (select case l.clock when 'contact' then started_at + contact_within * {_SHARE}
            else resolve_due_at end as due) d
        where l.run = t.generation and l.at > d.due + late and d.due >= t.started_at
            and not exists (select from fault f where f.sent <= l.at and coalesce(f.ended,
                now) + late >= d.due)
            and not exists (select from alerts.timeline j where j.ticket_id = t.id and j.kind = 'joined'
                and j.at >= l.at - late and j.at <= l.at)
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "escalated-after-end",
        "A2",
        "A clock told something of a ticket that had ended.",
        f"""
        select l.ticket_id || ' ' || level from ({_TOLD}) l, lateral (
            select e.kind from alerts.timeline e where e.ticket_id = l.ticket_id and e.id < l.id
                and e.kind in ('resolved', 'closed', 'reopened') order by e.id desc limit 1) last
        where last.kind <> 'reopened'
        """,
        needs=(),
    ),
    rows(
        "sleeping-ticket",
        "A3",
        "A ticket is past a deadline, and nobody was told.",
        f"""
        select id from alerts.tickets, moment where state in {_OPEN} and (
            contacted_at is null and (now > started_at + contact_within * 2 + interval '60 seconds'
                and told < 3
                or now > started_at + contact_within + interval '60 seconds' and told < 2
                or now > started_at + contact_within * 0.5 + interval '60 seconds' and told < 1)
            or now > resolve_due_at + interval '60 seconds' and not resolve_told)
        """,
    ),
    rows(
        "lost-timer",
        "A3",
        "A clock of an open ticket still runs, and no timer will tell it.",
        f"""
        select t.id || ' contact' from alerts.tickets t where state in {_OPEN}
            and contacted_at is null and told < 3
            and not exists (select from alerts.timers d where d.ticket_id = t.id and d.clock = 'contact'
                and d.generation = t.generation and d.level = t.told + 1)
        union all
        select t.id || ' resolve' from alerts.tickets t where state in {_OPEN} and not resolve_told
            and not exists (select from alerts.timers d where d.ticket_id = t.id and d.clock = 'resolve'
                and d.due_at = t.resolve_due_at)
        union all
        select t.id || ' untaken' from alerts.tickets t where state = 'open'
            and escalation ->> 'since' is not null
            and (escalation ->> 'reached')::interval < (escalation #>> '{{policy,steps,-1,after}}')::interval
                * ((escalation #>> '{{policy,repeat}}')::int + 1)
            and not exists (select from alerts.timers d where d.ticket_id = t.id and d.clock = 'untaken'
                and d.generation = t.generation)
        """,
        needs=(),
    ),
    rows(
        "woken-after-taken",
        "A2",
        "Somebody was told that nobody takes a case that was taken, or had ended.",
        """
        select l.ticket_id || ' ' || (l.data ->> 'minutes') from alerts.timeline l, lateral (
            select e.kind from alerts.timeline e where e.ticket_id = l.ticket_id and e.id < l.id
                and e.kind in ('acknowledged', 'contacted', 'resolved', 'closed', 'reopened', 'undone')
            order by e.id desc limit 1) last
        where l.kind = 'untaken' and last.kind not in ('reopened', 'undone')
        """,
        needs=(),
    ),
    rows(
        "overdue-unconfirmed",
        "A3",
        "An unconfirmed answer is past its time, and is not marked as late.",
        """
        select response_id from alerts.unconfirmed, moment
        where state = 'waiting' and late_at is null and due_at < now
        """,
    ),
    rows(
        "lost-unconfirmed",
        "A1",
        "An unhappy answer is held back, and nobody is shown it.",
        """
        select c.survey_id from current_answer c join alerts.answers a using (survey_id)
        where c.state = 'held' and c.wants_ticket and c.score <= c.low
            and not exists (select from alerts.unconfirmed u where u.response_id = a.response_id)
        """,
    ),
    rows(
        "unheard-word",
        "A5",
        "A customer's yes or no about a resolved case counts, and the case does not say so.",
        f"""
        select c.survey_id from current_answer c join alerts.answers a using (survey_id)
        where c.state = 'counted' and a.snapshot ->> 'touchpoint' = 'case.resolved'
            and exists (select from alerts.tickets t where t.id::text = a.snapshot -> 'context' ->> 'case')
            and not exists (select from ({_WORDS}) w where w.response = a.response_id::text
                and w.kind = case when c.score <= c.low then 'denied' else 'confirmed' end)
        """,
    ),
    rows(
        "sleeping-no",
        "A5",
        "A customer said that it is not mended, and the case was not opened again.",
        f"""
        select w.ticket_id from ({_WORDS}) w where w.kind = 'denied' and not (late or beside)
            and not exists (select from alerts.timeline r where r.ticket_id = w.ticket_id
                and r.kind = 'reopened' and r.id > w.id)
        """,
        needs=(),
    ),
    rows(
        "groundless-confirmation",
        "A5",
        "A case counts as confirmed by the customer, and neither a person nor an answer says so.",
        """
        select t.id from alerts.tickets t where t.confirmed_at is not null and not exists (
            select from alerts.timeline l left join alerts.answers a
                on a.response_id::text = l.data ->> 'response'
            where l.ticket_id = t.id and l.kind = 'confirmed'
                and (l.by_user is not null or a.standing = 'counted' and a.mood <> 'unhappy'))
        """,
        needs=(),
    ),
    rows(
        "untold-ticket",
        "A4",
        "A ticket was opened, and nobody was told.",
        """
        select t.id from alerts.tickets t
        where not exists (select from alerts.notices n where n.ticket_id = t.id and n.step = 'opened/1')
            and not exists (select from alerts.held_notices h
                where h.ticket_id = t.id and h.step = 'opened/1')
            and exists (select from access.users u where u.role in ('manager', 'admin')
                and u.created_at < t.opened_at and u.disabled_at is null or u.id = t.owner)
        """,
        needs=(),
    ),
    rows(
        "doubled-notice",
        "A4",
        "One step of a ticket has two notices for one recipient.",
        "select ticket_id || ' ' || step from alerts.notices"
        " group by ticket_id, step, recipient, channel having count(*) > 1",
        needs=(),
    ),
    rows(
        "unjournalled-notice",
        "A4",
        "A notice counts as sent, and no attempt is written down.",
        """
        select n.id from alerts.notices n where state = 'sent' and not exists
            (select from alerts.notice_attempts a where a.notice_id = n.id and a.outcome = 'sent')
        """,
        needs=(),
    ),
    rows(
        "claimed-told",
        "A4",
        "A notice counts as sent by mail, and none arrived.",
        """
        select n.id from alerts.notices n where state = 'sent' and channel = 'email' and not exists
            (select from mail m where m.id = n.id and m.fate <> 'rejected')
        """,
        needs=(Needs.MAILS,),
    ),
    rows(
        "stuck-notice",
        "L1",
        "A notice is due, and nothing happens.",
        """
        select id from alerts.notices, moment
        where state in ('pending', 'handing_over') and coalesce(leased_until, next_at) < machine
        """,
    ),
    rows(
        "lost-action",
        "A2",
        "A rep was told that a case was taken care of, and its timeline does not say so.",
        """
        select a.ticket_id || ' ' || a.action from acted a where a.outcome = 'ok'
            and a.action in ('contacted', 'resolve', 'reopen', 'acknowledge') and not exists (
                select from alerts.timeline l where l.ticket_id = a.ticket_id and l.by_user is not null
                and l.kind = case a.action when 'resolve' then 'resolved' when 'reopen' then 'reopened'
                    when 'acknowledge' then 'acknowledged' else 'contacted' end)
        """,
        needs=(Needs.JOURNAL,),
    ),
]
