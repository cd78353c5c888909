"""Wrongs of transport."""

from collections.abc import Callable
from dataclasses import replace

from shared.bus.model import Record
from tests.chaos.evidence import Evidence
from tests.chaos.planting import Plant, Spoil, contact, copied, survey, updated

_LETTER = "'00000000-0000-0000-0000-000000000005'"


def logged(change: Callable[[list[Record]], list[Record]]) -> Spoil:
    """Spoil the broker's log."""

    def spoil(evidence: Evidence) -> Evidence:
        assert evidence.log is not None
        return replace(evidence, log=replace(evidence.log, records=change(list(evidence.log.records))))

    return spoil


def _named(event_id: str, source: str, topic: str) -> Callable[[list[Record]], list[Record]]:
    headers = (("ce_id", event_id.encode()), ("ce_source", source.encode()), ("ce_type", b"order.delivered"))
    return lambda records: [*records, Record(topic, 0, 10_000, b"bolt", b"{}", headers, 0)]


def _swapped(records: list[Record]) -> list[Record]:
    """Two pieces of news about one ticket have changed places."""
    news = [r for r in records if r.topic == "afterword.tickets"]
    first, second = next(
        (a, b)
        for a in news
        for b in news
        if _subject(a) == _subject(b) and a.partition == b.partition and a.offset < b.offset
    )
    places = {id(first): second.offset, id(second): first.offset}
    return [r._replace(offset=places.get(id(r), r.offset)) for r in records]


def _subject(record: Record) -> bytes:
    return next(value for name, value in record.headers if name == "ce_subject")


def _without_first(topic: str) -> Callable[[list[Record]], list[Record]]:
    def change(records: list[Record]) -> list[Record]:
        first = next(r for r in records if r.topic == topic)
        return [r for r in records if r is not first]

    return change


PLANTS = [
    Plant(
        "unannounced-change",
        sql=("delete from dispatch.outbox where id = (select min(id) from dispatch.outbox)",),
        also=("phantom-event", "phantom-record"),
    ),
    Plant(
        "groundless-announcement",
        sql=(
            copied(
                "alerts.outbox",
                "headers like '%ticket.opened.v1%'",
                event_id=_LETTER,
                published="false",
                headers='regexp_replace(t.headers, \'"ce_subject", "[^"]*"\', \'"ce_subject", "nothing"\')',
            ),
        ),
        also=("unpublished-event",),
    ),
    Plant(
        "announced-twice",
        sql=(copied("dispatch.outbox", "headers like '%delivery.handed_over.v1%'", day="current_date"),),
    ),
    Plant("unpublished-event", sql=("update scoring.outbox set published = false where id = 1",)),
    Plant(
        "unheard-event",
        sql=(
            (
                "delete from scoring.inbox where event_id = (select min(event_id) from dispatch.outbox"
                " where headers like '%delivery.handed_over.v1%')"
            ),
        ),
        also=("unread-record",),
    ),
    Plant("phantom-event", sql=(copied("alerts.inbox", "source = '/afterword/trigger'", event_id=_LETTER),)),
    Plant("lost-record", spoil=logged(_without_first("afterword.tickets"))),
    Plant("phantom-record", spoil=logged(_named("nobody-said", "/afterword/scoring", "afterword.findings"))),
    Plant(
        "foreign-record",
        spoil=logged(_named("nobody-sent", "/crm", "afterword.touchpoints")),
        also=("unread-record",),
    ),
    Plant(
        "unread-record",
        sql=("delete from trigger.inbox where event_id = 'log-bo'",),
        also=("lost-event",),
    ),
    Plant("reordered-key", spoil=logged(_swapped)),
    Plant("incomplete-dead-letter", sql=("update trigger.dead_letters set reason = ''",)),
    Plant(
        "unexpected-dead-letter",
        sql=(copied("trigger.dead_letters", "true", topic="'afterword.responses'"),),
        also=("uncopied-dead-letter",),
    ),
    Plant("lost-poison", sql=("delete from trigger.dead_letters",), also=("unread-record",)),
    Plant("buried-event", sql=("update trigger.inbox set outcome = 'dead' where event_id = 'log-cy'",)),
    Plant(
        "uncopied-dead-letter",
        sql=("delete from trigger.outbox where topic like 'dlq.%'",),
        also=("phantom-record",),
    ),
    Plant(
        "stale-copy",
        sql=(updated("dispatch.contacts", "version = version - 1", contact_id=contact("bo")),),
    ),
    Plant("stale-copy", sql=(f"delete from alerts.contacts where contact_id = {contact('bo')}",)),
    Plant(
        "stale-view",
        sql=(updated("dispatch.answers", "answered = false", survey_id=survey("bo")),),
    ),
    Plant("unknown-survey", sql=(f"delete from collector.surveys where survey_id = {survey('fay')}",)),
    Plant(
        "forgotten-hand-over",
        sql=(updated("trigger.asks", "handed_over_at = null", survey_id=survey("fay")),),
    ),
]
