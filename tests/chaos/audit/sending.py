"""Dispatch (D1-D6): a message reaches one person once, never after a stop, and is written down first."""

from __future__ import annotations

from email.parser import BytesHeaderParser
from email.utils import getaddresses

from services.dispatch.channels.mime import HEADERS
from shared.db.database import Connection
from tests.chaos.audit.check import Check, Found, Needs, listed, rows
from tests.chaos.audit.ground import arrived
from tests.chaos.evidence import Arrival, Evidence

_SENT = """
    select a.delivery_id, least(a.started_at, (
            select min(a.started_at - f.jump) from fault f where f.kind = 'clock'
                and a.started_at - f.jump between f.sent_machine and f.ended_machine
        )) as started_at, m.survey_id, m.contact_id, m.programme, m.step
    from dispatch.attempts a join dispatch.messages m using (delivery_id)
    where a.outcome in ('accepted', 'unknown') or a.outcome is null and m.state = 'uncertain'
"""
"""Hand-overs that reached a server or may have, by the machine's time at which they began.

Attempts bear the clock of the database's machine: what may have been written while a fault made it run ahead
counts as then.
"""

CHECKS: list[Check] = [
    rows(
        "lost-message",
        "D1",
        "A survey was asked for, and dispatch has no invitation for it.",
        "select survey_id from trigger.asks a where not exists"
        " (select from dispatch.messages m where m.survey_id = a.survey_id and m.step = 0)",
    ),
    rows(
        "doubled-invitation",
        "D1",
        "A survey has two messages for one step.",
        "select survey_id || '/' || step from dispatch.messages where survey_id is not null"
        " group by survey_id, step having count(*) > 1",
        needs=(),
    ),
    rows(
        "lost-note",
        "D1",
        "A message of alerts to a customer was asked for, and dispatch has none.",
        "select message_id from alerts.messages a where state <> 'withheld' and not exists"
        " (select from dispatch.messages m where m.message_id = a.message_id)",
    ),
    rows(
        "groundless-note",
        "D1",
        "Dispatch has a message that asks nothing, and nobody asked for it.",
        "select message_id from dispatch.messages m where survey_id is null and not exists"
        " (select from alerts.messages a where a.message_id = m.message_id)",
        needs=(),
    ),
    rows(
        "unheard-note",
        "D1",
        "What became of a message to a customer is not known to alerts.",
        "select a.message_id from alerts.messages a join dispatch.messages m using (message_id)"
        " where m.state in ('handed_over', 'suppressed', 'failed', 'uncertain') and a.state = 'requested'",
    ),
    rows(
        "doubled-note",
        "D2",
        "Somebody has two first replies in one case.",
        "select ticket_id || ' ' || contact_id from alerts.messages where kind = 'first_reply'"
        " and state <> 'withheld' group by ticket_id, contact_id having count(*) > 1",
        needs=(),
    ),
    rows(
        "doubled-mail",
        "D2, D3",
        "A mail to a customer arrived more than once.",
        """
        select m.message_id from mail m join dispatch.messages d on d.delivery_id = m.id
        where fate <> 'rejected' and not exists (select from repeated r where r.message_id = m.message_id)
        group by m.message_id having count(*) > 1
        """,
        needs=(Needs.MAILS,),
    ),
    rows(
        "claimed-sent",
        "D3",
        "A message counts as handed over, and no mail arrived.",
        "select delivery_id from dispatch.messages d where state = 'handed_over' and channel = 'email'"
        " and not exists (select from mail m where m.id = d.delivery_id and fate <> 'rejected')",
        needs=(Needs.MAILS,),
    ),
    rows(
        "unrecorded-mail",
        "D3",
        "A mail arrived, and its message is neither handed over nor uncertain.",
        "select distinct m.message_id from mail m join dispatch.messages d on d.delivery_id = m.id"
        " where fate <> 'rejected' and d.state not in ('handed_over', 'uncertain')",
        needs=(Needs.REST, Needs.MAILS),
    ),
    rows(
        "foreign-mail",
        "D1",
        "A mail arrived that no message and no notice knows of.",
        """
        select m.message_id from mail m where fate <> 'rejected' and (m.id is null
            or not exists (select from dispatch.messages d where d.delivery_id = m.id)
            and not exists (select from alerts.notices n where n.id = m.id))
        """,
        needs=(Needs.MAILS,),
    ),
    rows(
        "mailed-after-stop",
        "D4",
        "A hand-over began after the person had been told that mails stop.",
        f"""
        select s.delivery_id from ({_SENT}) s
        join dispatch.suppressions x on x.kind = 'contact' and x.subject = s.contact_id::text
            and x.programme in ('', s.programme)
        join told t on t.type = 'contact.unsubscribed.v1' and t.subject = x.subject and t.at = x.noted_at
        where s.started_at > t.written_at + interval '2 seconds'
        union select s.delivery_id from ({_SENT}) s
        join sent_stop o on o.contact_id = s.contact_id::text and o.programme in ('', s.programme)
        where o.outcome = 'ok' and s.started_at > o.ended_machine + interval '2 seconds'
        """,
        needs=(),
    ),
    rows(
        "mailed-after-erasure",
        "D4",
        "A hand-over began after dispatch knew that the person was erased.",
        f"""
        select s.delivery_id from ({_SENT}) s
        join told t on t.type = 'contact.erased.v1' and t.subject = s.contact_id::text
        join dispatch.inbox i on i.event_id = t.event_id
        where s.started_at > i.seen_at + interval '2 seconds'
        """,
        needs=(),
    ),
    rows(
        "mailed-after-cancel",
        "D4",
        "A hand-over began after dispatch knew that the survey was cancelled.",
        f"""
        select s.delivery_id from ({_SENT}) s
        join told t on t.type = 'survey.cancelled.v1' and t.subject = s.survey_id::text
        join dispatch.inbox i on i.event_id = t.event_id
        where s.started_at > i.seen_at + interval '2 seconds'
        """,
        needs=(),
    ),
    rows(
        "reminded-after-answer",
        "D4",
        "A reminder was handed over after dispatch knew of the answer.",
        f"""
        select distinct s.delivery_id from ({_SENT}) s
        join scoring.answer_facts f on f.survey_id = s.survey_id and f.state = 'counted'
        join told t on t.type in ('response.submitted.v1', 'response.released.v1')
            and t.subject = f.response_id::text
        join dispatch.inbox i on i.event_id = t.event_id
        where s.step > 0 and s.started_at > i.seen_at + interval '2 seconds' and not exists (
            select from told w where w.type = 'response.withdrawn.v1' and w.subject = t.subject)
        """,
        needs=(),
    ),
    rows(
        "unwritten-attempt",
        "D5",
        "A message was handed to a server without an attempt written down before.",
        """
        select delivery_id from dispatch.messages m left join
            (select delivery_id, count(*) as n from dispatch.attempts group by 1) a using (delivery_id)
        where m.attempts <> coalesce(a.n, 0)
            or (m.state in ('handed_over', 'uncertain') and coalesce(a.n, 0) = 0)
        """,
        needs=(),
    ),
    rows(
        "open-attempt",
        "D5",
        "An attempt has no outcome, and its message is neither being handed over nor uncertain.",
        """
        select a.delivery_id || '/' || a.number from dispatch.attempts a
        join dispatch.messages m using (delivery_id)
        where a.outcome is null and m.state not in ('handing_over', 'uncertain')
        """,
        needs=(),
    ),
    rows(
        "stuck-message",
        "L1",
        "A message is due, or was taken by somebody who vanished, and nothing happens.",
        """
        select m.delivery_id from moment, dispatch.messages m
        left join dispatch.accounts a using (account_id) left join dispatch.programmes p using (programme)
        where m.state in ('claimed', 'handing_over') or m.state = 'planned' and m.not_before < machine
            and not coalesce(a.paused, false) and not coalesce(p.paused, false)
            and not exists (select from dispatch.organisation where paused)
        """,
    ),
]


async def _malformed(_: Connection, evidence: Evidence) -> Found:
    """D6: survey mails are read back: our headers, each once, and one recipient."""
    return listed([one.message_id for one in arrived(evidence) if not _sound(one)])


def _sound(one: Arrival) -> bool:
    if len(one.recipients) != 1 or not one.content:
        return len(one.recipients) == 1
    headers = [(name.lower(), str(value)) for name, value in _parser.parsebytes(one.content).items()]
    names = [name for name, _ in headers]
    to = [address.lower() for _, address in getaddresses([text for name, text in headers if name == "to"])]
    ours = "list-unsubscribe" not in names or sorted(names) == _ALLOWED
    return (
        ours and to == [one.recipients[0].lower()] and len(set(names)) == len(names) and _NO.isdisjoint(names)
    )


_parser = BytesHeaderParser()
_ALLOWED = sorted(name.lower() for name in HEADERS)
_NO = frozenset({"cc", "bcc"})

CHECKS.append(
    Check(
        "malformed-mail",
        "D6",
        "A mail has other headers or other recipients than it should.",
        _malformed,
        (Needs.MAILS,),
    )
)
