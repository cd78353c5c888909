"""Transport (X1-X4): what is known was announced, what was announced is known, and everybody has heard it."""

from __future__ import annotations

from tests.chaos.audit.check import Check, Needs, rows

_OURS = "source like '/afterword/%'"
_COMPACTED = "('afterword.directory', 'afterword.programmes', 'afterword.scores')"
_MUST = """
    select 'survey.requested.v1' as type, survey_id::text as subject, 1 as n from trigger.asks
    union all select 'survey.cancelled.v1', survey_id::text, 1 from trigger.asks where state = 'cancelled'
    union all select 'survey.closed.v1', survey_id::text, 1 from trigger.asks
        where closed_at is not null and state <> 'cancelled'
    union all select 'survey.reminder_requested.v1', survey_id::text, next_step - 1 from trigger.asks
        where next_step > 1
    union all select 'contact.changed.v1', id::text, 1 from trigger.contacts
        where version > 0 and erased_at is null
    union all select 'contact.erased.v1', id::text, 1 from trigger.contacts where erased_at is not null
    union all select 'account.changed.v1', id::text, 1 from trigger.accounts where version > 0
    union all select 'delivery.' || state || '.v1', delivery_id::text, 1 from dispatch.messages
        where state in ('handed_over', 'failed', 'suppressed', 'uncertain')
    union all select 'contact.unsubscribed.v1', subject, 1 from dispatch.suppressions
        where kind = 'contact' and reason = 'opted_out' and via in ('page', 'one_click')
    union all select 'ticket.opened.v1', id::text, 1 from alerts.tickets
    union all select 'ticket.resolved.v1', id::text, 1 from alerts.tickets where ended_at is not null
    union all select 'ticket.escalated.v1', ticket_id::text, count(*)::int from alerts.timeline
        where kind = 'escalated' group by ticket_id
    union all select 'response', f.response_id::text, r.version
        from collector.responses r join scoring.answer_facts f using (survey_id)
"""
"""What the tables say must have been announced: type, about what, how often at least."""

_SAID = """
    select case when type like 'response.%' then 'response' else type end as type, subject,
        count(distinct event_id) as n from told group by 1, 2
"""

CHECKS: list[Check] = [
    rows(
        "unannounced-change",
        "X1",
        "Something is known in a table and was not announced.",
        f"""
        select m.type || ' ' || m.subject from ({_MUST}) m left join ({_SAID}) s using (type, subject)
        where coalesce(s.n, 0) < m.n
        """,
        needs=(),
    ),
    rows(
        "groundless-announcement",
        "X1",
        "Something was announced that no table knows.",
        """
        select type || ' ' || subject from told t where case t.type
            when 'survey.requested.v1' then not exists
                (select from trigger.asks a where a.survey_id::text = t.subject)
            when 'delivery.handed_over.v1' then not exists (select from dispatch.messages m
                where m.delivery_id::text = t.subject and m.state = 'handed_over')
            when 'delivery.suppressed.v1' then not exists (select from dispatch.messages m
                where m.delivery_id::text = t.subject and m.state = 'suppressed')
            when 'ticket.opened.v1' then not exists
                (select from alerts.tickets k where k.id::text = t.subject)
            when 'contact.erased.v1' then not exists
                (select from trigger.contacts c where c.id::text = t.subject and c.erased_at is not null)
            else false end
        """,
        needs=(),
    ),
    rows(
        "announced-twice",
        "X1",
        "One event stands in the outbox twice.",
        f"""
        select service || ' ' || type || ' ' || subject from told
        where {_OURS} and topic not in {_COMPACTED} and topic not like 'dlq.%'
            and not exists (select from dead d where d.event_id = told.event_id)
        group by service, event_id, type, subject having count(*) > 1
        """,
        needs=(),
    ),
    rows(
        "unpublished-event",
        "X1, L1",
        "An event waits in the outbox, and nothing happens.",
        "select service || ' ' || event_id from told where not published",
    ),
    rows(
        "unheard-event",
        "E1, X1",
        "A service has not handled an event that was published on a topic it reads.",
        f"""
        select r.service || ' ' || t.type || ' ' || t.event_id from told t join reads r using (topic)
        where t.published and t.{_OURS} and not exists (select from heard h
            where h.service = r.service and h.event_id = t.event_id and h.source = t.source)
        """,
    ),
    rows(
        "phantom-event",
        "X2",
        "A service handled an event of ours that nobody announced.",
        f"""
        select h.service || ' ' || h.source || '/' || h.event_id from heard h
        where h.{_OURS} and not exists
            (select from told t where t.event_id = h.event_id and '/afterword/' || t.service = h.source)
        """,
        needs=(),
    ),
    rows(
        "lost-record",
        "X1",
        "An event counts as published and does not stand in the log.",
        f"""
        select service || ' ' || event_id from (
            select *, id = max(id) over (partition by service, topic, key) as newest from told
            where published and {_OURS}
        ) t
        where (newest or topic not in {_COMPACTED})
            and not exists (select from record r where r.topic = t.topic and r.event_id = t.event_id)
        """,
        needs=(Needs.REST, Needs.LOG),
    ),
    rows(
        "phantom-record",
        "X2",
        "A record of ours stands in the log that no outbox knows.",
        f"""
        select r.topic || '/' || r.partition || '/' || r."offset" from record r
        where r.{_OURS} and r.topic not like 'dlq.%' and not exists
            (select from told t where t.topic = r.topic and t.event_id = r.event_id)
        union all select r.topic || '/' || r.partition || '/' || r."offset" from record r
        where r.topic like 'dlq.%' and not exists (select from told t where t.topic = r.topic
            and t.event_id in (coalesce(nullif(r.event_id, ''), 'unread'), 'unread'))
        """,
        needs=(Needs.LOG,),
    ),
    rows(
        "foreign-record",
        "X2",
        "A touchpoint stands in the log that no backend sent.",
        f"""
        select r.topic || '/' || r.partition || '/' || r."offset" from record r
        where topic = 'afterword.touchpoints' and event_id is not null and not r.{_OURS} and not exists
            (select from sent_event s where s.event_id = r.event_id and s.source = r.source
                and s.outcome <> 'fail')
        """,
        needs=(Needs.JOURNAL, Needs.LOG),
    ),
    rows(
        "unread-record",
        "E1",
        "A record stands in the log, and a service that reads its topic has not handled it.",
        """
        select s.service || ' ' || r.topic || '/' || r.partition || '/' || r."offset"
        from record r join reads s using (topic)
        where not r.empty and not exists (select from heard h
                where h.service = s.service and h.event_id = r.event_id and h.source = r.source)
            and not exists (select from dead d where d.service = s.service and d.topic = r.topic
                and d.partition = r.partition and d."offset" = r."offset")
        """,
        needs=(Needs.REST, Needs.LOG),
    ),
    rows(
        "reordered-key",
        "X1",
        "Events about one subject first appeared in the log in another order than they were announced.",
        # Transactions about different subjects of one key may run side by side: theirs is no order to keep.
        f"""
        select service || ' ' || topic || ' ' || subject from (
            select t.*, lag(t.id) over (partition by t.service, t.topic, t.key, t.subject
                order by f.partition, f."offset") as before
            from (
                select service, topic, key, subject, event_id, min(id) as id from told
                where {_OURS} and topic not like 'dlq.%' and topic not in {_COMPACTED} group by 1, 2, 3, 4, 5
            ) t join (
                select topic, event_id, min(partition) as partition, min("offset") as "offset"
                from record group by 1, 2
            ) f using (topic, event_id)
        ) one where before > id group by service, topic, subject
        """,
        needs=(Needs.LOG,),
    ),
    rows(
        "incomplete-dead-letter",
        "X3",
        "A dead letter does not say what it was or why it died.",
        """
        select service || ' ' || id from dead
        where value is null or error = '' or reason = '' or attempts < 1 or headers = ''
        """,
        needs=(),
    ),
    rows(
        "unexpected-dead-letter",
        "X3",
        "A sound event died.",
        """
        select service || ' ' || id from dead d where replayed_at is null and (
            topic <> 'afterword.touchpoints' or exists (select from sent_event s
                where s.event_id = d.event_id and s.source = d.source and not s.poison))
        """,
        needs=(),
    ),
    rows(
        "lost-poison",
        "X3",
        "A record that cannot be read was acknowledged, and is no dead letter.",
        """
        select source || '/' || event_id from sent_event s
        where poison and outcome = 'ok' and birth = (select max(birth) from sent_event) and not exists (
            select from trigger.dead_letters d where d.event_id = s.event_id
                or d.topic = 'afterword.touchpoints' and d.partition = s.partition
                    and d."offset" = s."offset")
        """,
        needs=(Needs.REST, Needs.JOURNAL),
    ),
    rows(
        "buried-event",
        "X3",
        "An event counts as dead, and there is no dead letter of it.",
        """
        select service || ' ' || event_id from heard h where outcome = 'dead'
            and not exists (select from dead d where d.service = h.service and d.event_id = h.event_id)
        """,
        needs=(),
    ),
    rows(
        "uncopied-dead-letter",
        "X3",
        "A dead letter has no copy on its topic of dead letters.",
        """
        select service || ' ' || topic from (select service, topic, count(*) as n from dead group by 1, 2) d
        where n > (select count(*) from told t where t.service = d.service and t.topic = 'dlq.' || d.topic)
        """,
        needs=(),
    ),
    rows(
        "stale-copy",
        "X4",
        "A service knows an older version of a contact or an account than trigger.",
        """
        select 'dispatch contact ' || t.id from trigger.contacts t
        left join dispatch.contacts c on c.contact_id = t.id where t.version > coalesce(c.version, 0)
        union all select 'alerts contact ' || t.id from trigger.contacts t
        left join alerts.contacts c on c.contact_id = t.id where t.version > coalesce(c.version, 0)
        union all select 'alerts account ' || t.id from trigger.accounts t
        left join alerts.accounts a on a.account_id = t.id where t.version > coalesce(a.version, 0)
        """,
    ),
    rows(
        "stale-view",
        "X4",
        "A service does not know how a response stands.",
        """
        select 'dispatch ' || r.survey_id from collector.responses r left
            join dispatch.answers a using (survey_id)
        where r.state <> 'pending'
            and (a.survey_id is null or a.version <> r.version or a.answered <> (r.state = 'counted'))
        union all select 'alerts ' || r.survey_id from collector.responses r
        left join alerts.answers a using (survey_id)
        where r.state <> 'pending'
            and (a.survey_id is null or a.version <> r.version or a.standing <> r.state)
        """,
    ),
    rows(
        "unknown-survey",
        "X4",
        "A survey was asked for, and its link opens nothing.",
        "select survey_id from trigger.asks a where not exists"
        " (select from collector.surveys s where s.survey_id = a.survey_id)",
    ),
    rows(
        "forgotten-hand-over",
        "X4",
        "A message was handed over, and trigger or the collector does not know of it.",
        """
        select 'trigger ' || m.survey_id from dispatch.messages m join trigger.asks a using (survey_id)
        where m.step = 0 and m.state = 'handed_over' and a.handed_over_at is null
        union all select 'collector ' || m.survey_id || '/' || m.step from dispatch.messages m
        left join collector.hand_overs h using (survey_id, step)
        where m.survey_id is not null and m.state = 'handed_over' and h.handed_over_at is null
        """,
    ),
    rows(
        "unreleased-reservation",
        "E6",
        "A survey never reached its person and still counts for the caps.",
        """
        select a.survey_id from trigger.asks a join dispatch.messages m using (survey_id)
        where m.step = 0 and m.state in ('failed', 'suppressed') and a.state in ('open', 'answered')
            and a.answered_at is null
        """,
    ),
    rows(
        "released-although-sent",
        "E6",
        "A survey reached its person and counts for no cap.",
        """
        select a.survey_id from trigger.asks a join dispatch.messages m using (survey_id)
        left join trigger.contacts c on c.id = a.contact_id
        where m.step = 0 and m.state = 'handed_over' and a.state in ('released', 'cancelled')
            and a.released_at is not null and c.bounced_at is null and c.erased_at is null
        """,
    ),
]
