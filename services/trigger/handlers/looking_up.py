"""Why somebody was asked or not, by whatever is known of it: a person, a company, a programme, an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.explain import unwanted
from services.trigger.domain.model import Decision
from services.trigger.handlers import people
from services.trigger.store import ledger, parked, programmes, refused, sent_ids
from services.trigger.store.ledger import Entry
from services.trigger.store.refused import Letter
from services.trigger.store.sent_ids import Sent
from shared.contracts.touchpoints import PRESET_TOUCHPOINTS
from shared.db.database import Connection
from shared.security.sealing import Sealer

LETTERS = 10


class Found(StrEnum):
    """What was meant."""

    CONTACT = "contact"
    ACCOUNT = "account"
    PROGRAMME = "programme"
    EVENT = "event"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of events by an id of theirs.

    Attributes:
        events: as their senders know them; the same id may be that of several.
        letters: which of them were put aside.
    """

    events: Sequence[Sent]
    letters: Sequence[Letter]

    @property
    def ids(self) -> tuple[str, ...]:
        """By which they stand in the ledger."""
        return tuple(dict.fromkeys(one.event_id for one in self.events))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes:
        found: what was meant.
        entries: the decisions about it, newest first.
        trace: events that go by the same text, also where somebody or something else does.
        sources: where the events of the decisions came from, by their ids.
        contact_id: whom; of a contact alone.
        account_id: which; of an account alone.
    """

    found: Found
    entries: Sequence[Entry]
    trace: Trace
    sources: Mapping[str, str]
    contact_id: UUID | None = None
    account_id: UUID | None = None


async def look_up(
    conn: Connection, sealer: Sealer, wanted: str, *, source: str = "", limit: int = 200
) -> Answer:
    """What is known by a text: a person, a company, a programme, else an event.

    With a source it is an event of that source.
    """
    contact_id = None if source else await people.find_contact(conn, sealer, wanted)
    account_id = None if source or contact_id else await people.find_account(conn, wanted, blank=True)
    somebody = source or contact_id or account_id
    programme = None if somebody else await programmes.definition_of(conn, wanted)
    traced = await trace(conn, wanted, source)
    if contact_id or account_id or programme:
        question = ledger.Question(
            await people.all_ids(conn, contact_id),
            await people.all_ids_of_account(conn, account_id),
            programme=wanted if programme else None,
            limit=limit,
        )
        found = Found.CONTACT if contact_id else Found.ACCOUNT if account_id else Found.PROGRAMME
        entries = await ledger.read(conn, question)
        return Answer(found, entries, traced, await _sources(conn, entries), contact_id, account_id)
    # An event of time, or one older than what is kept of senders, stands in the ledger alone.
    ids = traced.ids if source else (*traced.ids, wanted, *await _parked(conn, sealer, wanted))
    entries = await ledger.read(conn, ledger.Question(event_ids=ids, limit=limit)) if ids else []
    known = entries or traced.events or traced.letters
    what = Found.EVENT if known else Found.NOTHING
    return Answer(what, entries, traced, await _sources(conn, entries))


async def trace(conn: Connection, wanted: str, source: str = "") -> Trace:
    """Events by their sender's id, by the id of what they are about, or by ours."""
    events = await sent_ids.find(conn, wanted, source or None)
    told = {one.event_id for one in events}
    ours = await sent_ids.of_events(conn, [wanted]) if wanted not in told else []
    events += [one for one in ours if not source or one.source == source]
    letters = await refused.letters(conn, LETTERS, [wanted, *told])
    return Trace(events, [one for one in letters if not source or one.source == source])


async def events_of_interest(conn: Connection, decisions: Iterable[Decision]) -> frozenset[str]:
    """Types of events that there are presets for, or that programmes name.

    Programmes are only read where one of the decisions is about an event that may be misspelt.
    """
    usual = frozenset(PRESET_TOUCHPOINTS)
    if not any(unwanted(one) and one.inputs.get("touchpoint") not in usual for one in decisions):
        return usual
    known = Catalogue.of(await programmes.current_editions(conn))
    return usual.union(known.by_type, known.begins, known.ends)


async def _sources(conn: Connection, entries: Sequence[Entry]) -> Mapping[str, str]:
    return await sent_ids.sources_of(conn, {entry.event_id for entry in entries} - {""})


async def _parked(conn: Connection, sealer: Sealer, wanted: str) -> list[str]:
    """Events that give an id by which nobody is known yet."""
    return await parked.events_of(conn, sealer.blind("contact-id", wanted))
