"""Wrongs of dispatch."""

from dataclasses import replace

from tests.chaos.evidence import Arrival, Fate
from tests.chaos.planting import Plant, asks, copied, mailed, survey, updated


def _first(mails: list[Arrival]) -> Arrival:
    return next(mail for mail in mails if asks(mail))


def _reworded(old: bytes, new: bytes) -> Plant:
    def change(mails: list[Arrival]) -> list[Arrival]:
        first = _first(mails)
        assert old in first.content
        return [replace(m, content=m.content.replace(old, new, 1)) if m is first else m for m in mails]

    return Plant("malformed-mail", spoil=mailed(change))


def _later(name: str, step: int = 0) -> str:
    """The attempt of a message began long after everything else."""
    return (
        "update dispatch.attempts a set started_at = started_at + interval '1 hour' from dispatch.messages m"
        f" where m.delivery_id = a.delivery_id and m.step = {step} and m.survey_id = {survey(name)}"
    )


def _of(name: str) -> str:
    return f"(select delivery_id from dispatch.messages where step = 0 and survey_id = {survey(name)})"


_NEW = "'00000000-0000-0000-0000-000000000002'"

_NOTE = "(select min(message_id::text)::uuid from alerts.messages where state = 'handed_over')"

PLANTS = [
    Plant(
        "lost-message",
        sql=(
            f"delete from dispatch.attempts where delivery_id = {_of('kim')}",
            f"delete from dispatch.messages where delivery_id = {_of('kim')}",
        ),
    ),
    Plant(
        "doubled-invitation",
        sql=(
            copied(
                "dispatch.messages",
                f"delivery_id = {_of('bo')}",
                delivery_id=_NEW,
                state="'suppressed'",
                attempts="0",
                reason="'superseded'",
            ),
        ),
        also=("unannounced-change",),
    ),
    Plant(
        "lost-note",
        sql=(f"update alerts.messages set message_id = {_NEW} where message_id = {_NOTE}",),
        also=("groundless-note",),
    ),
    Plant("groundless-note", sql=(f"delete from alerts.messages where message_id = {_NOTE}",)),
    Plant(
        "unheard-note", sql=(f"update alerts.messages set state = 'requested' where message_id = {_NOTE}",)
    ),
    Plant(
        "doubled-note",
        sql=(copied("alerts.messages", f"message_id = {_NOTE}", message_id=_NEW),),
        also=("lost-note",),
    ),
    Plant("doubled-mail", spoil=mailed(lambda mails: [*mails, _first(mails)])),
    Plant("doubled-mail", spoil=mailed(lambda mails: [*mails, replace(_first(mails), fate=Fate.DROPPED)])),
    Plant("claimed-sent", spoil=mailed(lambda mails: [m for m in mails if m is not _first(mails)])),
    Plant(
        "claimed-sent",
        spoil=mailed(
            lambda mails: [replace(m, fate=Fate.REJECTED) if m is _first(mails) else m for m in mails]
        ),
    ),
    Plant(
        "unrecorded-mail",
        sql=(
            updated("dispatch.attempts", "outcome = 'refused'", delivery_id=_of("jon")),
            updated(
                "dispatch.messages",
                "state = 'planned', finished_at = null, not_before = 'infinity'",
                delivery_id=_of("jon"),
            ),
        ),
        also=("groundless-announcement", "rate-drift"),
    ),
    Plant(
        "foreign-mail",
        spoil=mailed(lambda mails: [*mails, replace(_first(mails), message_id="<sent-by-nobody@x.example>")]),
    ),
    Plant("mailed-after-stop", sql=(_later("dee"),)),
    Plant("mailed-after-erasure", sql=(_later("ivy"),)),
    Plant("mailed-after-cancel", sql=(_later("leo"),), also=("mailed-after-erasure",)),
    Plant("reminded-after-answer", sql=(_later("cy", 1),)),
    Plant("unwritten-attempt", sql=(f"delete from dispatch.attempts where delivery_id = {_of('bo')}",)),
    Plant(
        "open-attempt", sql=(f"update dispatch.attempts set outcome = null where delivery_id = {_of('bo')}",)
    ),
    Plant(
        "stuck-message",
        sql=(
            copied(
                "dispatch.messages",
                f"delivery_id = {_of('bo')}",
                delivery_id=_NEW,
                step="7",
                state="'planned'",
                attempts="0",
                finished_at="null",
                not_before="'-infinity'",
            ),
        ),
    ),
    _reworded(b"Subject:", b"Bcc: eve@example.org\r\nSubject:"),
    _reworded(b"Auto-Submitted:", b"X-Other:"),
    Plant(
        "malformed-mail",
        spoil=mailed(
            lambda mails: [
                replace(m, recipients=(*m.recipients, "eve@example.org")) if m is _first(mails) else m
                for m in mails
            ]
        ),
    ),
]
