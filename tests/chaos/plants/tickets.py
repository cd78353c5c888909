"""Wrongs of tickets."""

from tests.chaos.evidence import Arrival
from tests.chaos.journal import Acted
from tests.chaos.planting import Plant, added, asks, copied, free, mailed, open_, survey, ticket, updated

BOS_TICKET = "20229d11-138e-5942-8aa5-f678b0a8a880"
_NEW = "'00000000-0000-0000-0000-000000000004'"


def _alarm(mails: list[Arrival]) -> Arrival:
    return next(mail for mail in mails if not asks(mail))


def _escalated(**changed: str) -> str:
    return copied("alerts.timeline", "kind = 'escalated' and data ->> 'level' = '3'", **changed)


_ASKED = (
    "snapshot = snapshot || jsonb_build_object('touchpoint', 'case.resolved',"
    " 'context', jsonb_build_object('case', {}))"
)


def _word(kind: str, name: str) -> str:
    """SQL by which the timeline of somebody's ticket says a word of the customer."""
    response = f"(select response_id from alerts.voices where survey_id = {survey(name)})"
    data = f"jsonb_build_object('response', {response})"
    return (
        "insert into alerts.timeline (ticket_id, at, kind, data, note)"
        f" select id, opened_at + interval '1 hour', '{kind}', {data}, ''"
        f" from alerts.tickets where id = {ticket(name)}"
    )


_STEPS = (
    '{"policy": {"steps": [{"after": "PT15M", "tell": ["manager"]}], "repeat": 1},'
    ' "since": "2026-03-01T00:00:00Z", "reached": "PT15M"}'
)
"""A round of a policy was gone through, and one is to come."""


def _untaken(name: str) -> str:
    """SQL by which the timeline of somebody's ticket says that nobody took it."""
    return (
        "insert into alerts.timeline (ticket_id, at, kind, data, note)"
        " select id, opened_at + interval '15 minutes', 'untaken', jsonb_build_object('minutes', '15'), ''"
        f" from alerts.tickets where id = {ticket(name)}"
    )


PLANTS = [
    Plant(
        "unheard-word",
        sql=(updated("alerts.answers", _ASKED.format(ticket("cy")), survey_id=survey("cy")),),
    ),
    Plant("sleeping-no", sql=(_word("denied", "cy"),)),
    Plant(
        "groundless-confirmation",
        sql=(
            updated("alerts.tickets", "confirmed_at = opened_at", id=ticket("cy")),
            _word("confirmed", "cy"),
        ),
    ),
    Plant("missing-ticket", sql=(f"delete from alerts.voices where survey_id = {survey('cy')}",)),
    Plant("doubled-voice", sql=(copied("alerts.voices", f"survey_id = {survey('cy')}", response_id=_NEW),)),
    Plant("groundless-voice", sql=(updated("alerts.voices", "state = 'unhappy'", survey_id=survey("bo")),)),
    Plant(
        "held-in-ticket",
        sql=(
            copied(
                "alerts.voices", f"survey_id = {survey('ivy')}", response_id=_NEW, survey_id=survey("hal")
            ),
        ),
    ),
    Plant(
        "groundless-ticket",
        sql=(updated("alerts.voices", "state = 'improved'", survey_id=survey("ivy")),),
        also=("missing-ticket",),
    ),
    Plant(
        "doubled-ticket",
        sql=(
            "drop index alerts.tickets_one_open_per_case",
            updated(
                "alerts.tickets",
                "state = 'contacted', ended_at = null, resolve_told = true,"
                f" case_key = (select case_key from alerts.tickets where id = {ticket('ivy')})",
                id=ticket("cy"),
            ),
        ),
        also=("voice-in-wrong-case",),
    ),
    Plant(
        "voice-in-wrong-case",
        sql=(updated("alerts.voices", f"ticket_id = {ticket('bo')}", survey_id=survey("cy")),),
    ),
    Plant(
        "moved-deadline",
        sql=(
            updated("alerts.tickets", "contact_due_at = contact_due_at + interval '1 hour'", id=ticket("cy")),
        ),
    ),
    Plant(
        "moved-deadline",
        sql=(updated("alerts.tickets", "opened_at = opened_at + interval '1 minute'", id=ticket("cy")),),
    ),
    Plant(
        "told-twice",
        sql=(_escalated(kind="'escalated'"),),
        also=("escalated-after-end", "unannounced-change"),
    ),
    Plant(
        "early-escalation",
        sql=(
            open_("alerts.timeline"),
            updated(
                "alerts.timeline", "at = at - interval '1 minute'", ticket_id=ticket("cy"), kind="'escalated'"
            ),
        ),
    ),
    Plant(
        "late-escalation",
        sql=(
            open_("alerts.timeline"),
            updated(
                "alerts.timeline",
                "at = at + interval '3 minutes'",
                ticket_id=ticket("cy"),
                kind="'escalated'",
            ),
        ),
    ),
    Plant(
        "escalated-after-end",
        sql=(_escalated(ticket_id=ticket("cy"), at="timestamptz '2026-03-20'"),),
        also=("unannounced-change", "late-escalation"),
    ),
    Plant(
        "sleeping-ticket",
        sql=(
            updated(
                "alerts.tickets",
                "started_at = started_at - interval '1 day',"
                " contact_due_at = contact_due_at - interval '1 day'",
                id=ticket("ivy"),
            ),
        ),
    ),
    Plant(
        "lost-timer",
        sql=(f"delete from alerts.timers where ticket_id = {ticket('ivy')} and clock = 'contact'",),
    ),
    Plant(
        "lost-timer",
        sql=(f"delete from alerts.timers where ticket_id = {ticket('ivy')} and clock = 'resolve'",),
    ),
    Plant(
        "lost-timer",
        sql=(
            updated("alerts.tickets", f"escalation = '{_STEPS}'", id=ticket("ivy")),
            f"delete from alerts.timers where ticket_id = {ticket('ivy')} and clock = 'untaken'",
        ),
    ),
    Plant("woken-after-taken", sql=(_untaken("cy"),)),
    Plant(
        "overdue-unconfirmed",
        sql=(
            (
                "insert into alerts.unconfirmed (response_id, case_key, contact_id, held_at, due_at, state)"
                f" values ({_NEW}, {_NEW}, {_NEW}, '2026-03-20', '2026-03-21', 'waiting')"
            ),
        ),
    ),
    Plant(
        "lost-unconfirmed",
        sql=(
            (
                f'update collector.answers set scores = \'[["csat","csat",1,""]]\''
                f" where version = 5 and survey_id = {survey('hal')}"
            ),
        ),
        also=("lost-answer",),
    ),
    Plant(
        "untold-ticket", sql=(updated("alerts.notices", "step = step || '-other'", ticket_id=ticket("cy")),)
    ),
    Plant(
        "doubled-notice",
        sql=(
            free("alerts.notices", "notices_ticket_id_step_recipient_channel_key"),
            copied("alerts.notices", f"ticket_id = {ticket('ivy')}", id=_NEW, state="'dropped'"),
        ),
    ),
    Plant(
        "unjournalled-notice",
        sql=(
            (
                f"delete from alerts.notice_attempts a using alerts.notices n where n.id = a.notice_id"
                f" and n.ticket_id = {ticket('ivy')}"
            ),
        ),
    ),
    Plant("claimed-told", spoil=mailed(lambda mails: [m for m in mails if m is not _alarm(mails)])),
    Plant(
        "stuck-notice",
        sql=(
            copied(
                "alerts.notices",
                f"ticket_id = {ticket('ivy')}",
                id=_NEW,
                state="'pending'",
                step="'next'",
                next_at="timestamptz '2026-01-01'",
                ended_at="null",
            ),
        ),
    ),
    Plant("lost-action", spoil=added(Acted(BOS_TICKET, "contacted"))),
]
