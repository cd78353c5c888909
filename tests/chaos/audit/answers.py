"""Answers (C1-C4, F6): what was acknowledged is there, only people answer, a person's last word counts."""

from __future__ import annotations

from tests.chaos.audit.check import Check, Needs, rows

CHECKS: list[Check] = [
    rows(
        "lost-answer",
        "C1",
        "An answer was acknowledged, and no stored version has its score.",
        """
        select survey_id || '/' || score from sent_answer s where outcome = 'ok' and not exists
            (select from scored a where a.survey_id = s.survey_id and a.score = s.score)
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "answer-from-nowhere",
        "C2",
        "An answer is stored that nobody sent: reading a page must not answer.",
        """
        select survey_id || '/' || version from scored a where not exists
            (select from sent_answer s where s.survey_id = a.survey_id and s.score = a.score)
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "stop-from-nowhere",
        "C2",
        "Mails to somebody stopped, and nobody asked for it.",
        """
        select subject from dispatch.suppressions x where kind = 'contact' and reason = 'opted_out'
            and via in ('page', 'one_click') and not exists
            (select from sent_stop s where s.contact_id = x.subject and s.outcome <> 'fail')
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "lost-stop",
        "C1",
        "A person was told that mails stop, and dispatch does not know of it.",
        """
        select contact_id from sent_stop s where outcome = 'ok' and by <> 'machine' and not exists
            (select from dispatch.suppressions x where x.kind = 'contact' and x.subject = s.contact_id
                and x.programme in ('', s.programme))
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "doubled-answer",
        "C3",
        "One idempotency key stands for two versions of an answer.",
        "select survey_id || '/' || idempotency_key from collector.answers where idempotency_key is not null"
        " group by survey_id, idempotency_key having count(*) > 1",
        needs=(),
    ),
    rows(
        "missing-version",
        "C3",
        "A version of an answer is gone: each is kept.",
        "select survey_id from collector.answers group by survey_id having max(version) <> count(*)",
        needs=(),
    ),
    rows(
        "wrong-current-answer",
        "C3",
        "The answer that counts is not the last one that a person gave.",
        """
        select r.survey_id from collector.responses r join (
            select survey_id, max(version) as last, max(version) filter (where verdict = 'human') as human
            from collector.answers group by 1
        ) a using (survey_id)
        where r.state <> 'pending' and not exists (select from collector.settling w
                where w.survey_id = r.survey_id)
            and (r.announced <> coalesce(a.human, a.last)
                or r.state <> case when a.human is null then 'held' else 'counted' end)
        """,
    ),
    rows(
        "lost-amendment",
        "C3",
        "A person's last acknowledged answer counts, but with another score.",
        """
        select c.survey_id from current_answer c join (
            select distinct on (survey_id) survey_id, score, outcome from sent_answer
            where by = 'person' and outcome <> 'fail' order by survey_id, sent_machine desc, sent desc
        ) last using (survey_id)
        where last.outcome = 'ok' and c.state = 'counted' and c.released_by is null and c.score <> last.score
        """,
        needs=(Needs.REST, Needs.JOURNAL),
    ),
    rows(
        "forgotten-answer",
        "C1",
        "An answer is stored that was neither announced nor waits for it.",
        """
        select distinct survey_id from collector.answers a
        where not exists (select from collector.settling s where s.survey_id = a.survey_id)
            and not exists (select from collector.responses r
                where r.survey_id = a.survey_id and r.state <> 'pending')
        """,
        needs=(),
    ),
    rows(
        "unsettled-answer",
        "L1",
        "An answer could be judged, and nothing happens.",
        """
        select survey_id from collector.settling s, moment where ready_at < now and (at_latest < now
            or exists (select from collector.hand_overs h where h.survey_id = s.survey_id))
        """,
    ),
    rows(
        "machine-counted",
        "F6",
        "Only machines answered a survey, and the answer counts as a person's.",
        """
        select c.survey_id from current_answer c where state = 'counted' and released_by is null
            and exists (select from sent_answer s where s.survey_id = c.survey_id and s.by = 'machine'
                and s.outcome <> 'fail')
            and not exists (select from sent_answer s where s.survey_id = c.survey_id and s.by = 'person'
                and s.outcome <> 'fail')
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "answer-after-end",
        "C4",
        "An answer was taken after the survey had closed.",
        """
        select a.survey_id || '/' || a.version
        from collector.answers a join collector.surveys s using (survey_id)
        where a.received_at >= s.closes_at
        """,
        needs=(),
    ),
    rows(
        "answer-after-erasure",
        "C4",
        "An answer was taken after collector knew that its person was erased.",
        """
        select distinct a.survey_id from sent_answer a join collector.surveys s using (survey_id)
        join told t on t.type = 'contact.erased.v1' and t.subject = s.contact_id::text
        join collector.inbox i on i.event_id = t.event_id
        where a.outcome = 'ok' and a.sent_machine > i.seen_at + interval '2 seconds'
        """,
        needs=(Needs.JOURNAL,),
    ),
    rows(
        "refused-answer-kept",
        "C4",
        "An answer was refused, and is stored all the same.",
        """
        select a.survey_id || '/' || a.version from scored a join sent_answer s using (survey_id, score)
        where not exists (select from sent_answer o where o.survey_id = s.survey_id and o.score = s.score
            and o.outcome <> 'fail')
        """,
        needs=(Needs.JOURNAL,),
    ),
]
