"""Touchpoints: what they tell goes into the directory, then each is planned by every programme.

Set-based per batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from services.trigger.domain import directory as folding
from services.trigger.domain import merging as uniting
from services.trigger.domain import merging_accounts as uniting_accounts
from services.trigger.domain.audience import Person as Participant
from services.trigger.domain.book import Book, Tally, World
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.consent import Said
from services.trigger.domain.decisions import Occurrence, of_recall
from services.trigger.domain.habits import habit_of
from services.trigger.domain.model import Account, AskState, Contact, Organisation, Plan, account_id
from services.trigger.domain.moments import account_ended, account_subject, subjects_of
from services.trigger.domain.naming import Named, digest_of
from services.trigger.domain.news import context_of, holds_of
from services.trigger.domain.parties import Seen, seen_in
from services.trigger.domain.places import may_fall_out
from services.trigger.domain.planning import FUTURE_TOLERANCE, called_off, plan_surveys, tallied
from services.trigger.domain.reports import names_of
from services.trigger.domain.series import begin_series, needs_series
from services.trigger.handlers import merging, merging_accounts, people
from services.trigger.handlers.consent import note
from services.trigger.handlers.erasure import cancel_asks, erase
from services.trigger.handlers.freeing import give_places_back
from services.trigger.handlers.ledger import record
from services.trigger.handlers.recovery import OF_CASES, Decided, tell_of_questions
from services.trigger.store import asks, audiences, brakes, directory, habits, plans, programmes, sent_ids
from services.trigger.store import merging as suspicions
from shared.contracts.envelope import Event
from shared.contracts.model import Person
from shared.contracts.reasons import Reason
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount
from shared.db.database import Tx
from shared.errors import Unavailable
from shared.runtime.ids import derive
from shared.security.sealing import Sealer

Touched = Event[Touchpoint]
_MERGES = frozenset({uniting.EVENT, uniting_accounts.EVENT})


@dataclass(slots=True)
class _Batch:
    """One batch with everybody in it resolved and locked."""

    events: list[Touched]
    people: dict[str, list[tuple[Named, UUID]]] = field(default_factory=dict)
    contacts: dict[UUID, Contact] = field(default_factory=dict)
    accounts: dict[UUID, Account] = field(default_factory=dict)
    before: dict[UUID, Contact | Account] = field(default_factory=dict)
    shared: list[tuple[UUID, UUID]] = field(default_factory=list)
    leads: dict[UUID, UUID] = field(default_factory=dict)
    """Where former accounts lead that the batch names."""


class Touchpoints:
    """The handler of `afterword.touchpoints`."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def handle(self, events: Sequence[Event[Any]], tx: Tx) -> None:
        """Fold the directory, plan, write.

        Events from the future are only noted, those of other topics left alone.
        """
        touched = [event for event in events if isinstance(event.data, Touchpoint)]
        if not touched:
            return
        organisation = await programmes.get_organisation(tx.conn)
        if organisation is None:
            raise Unavailable("the organisation's settings are not written yet")
        for part in _parts(await _told_apart(touched, tx), tx.now):
            batch = await self._load(part, tx)
            if await self._unite(batch, tx):
                batch = await self._load(part, tx)
            await self._fold(batch, tx)
            catalogue = await self._plan(batch, tx, organisation)
            await self._side_effects(batch, tx, catalogue)

    async def _load(self, events: Sequence[Touched], tx: Tx) -> _Batch:
        """Find or make everybody named, and lock accounts, then contacts, each in id order."""
        batch = _Batch(list(events))
        flat = [(event, told) for event in events for told in event.data.people]
        named = await people.unseal(tx.conn, self._sealer, [told for _, told in flat])
        resolved = await people.resolve(tx.conn, self._sealer, named)
        peek = await directory.glance_at(tx.conn, {found for found in resolved.ids if found})
        leads = {former: one.merged_into for former, one in peek.items() if one.merged_into}
        for (event, _), one, found in zip(flat, named, resolved.ids, strict=True):
            if found is not None:
                batch.people.setdefault(_key(event), []).append((one, leads.get(found, found)))
        shared = ((leads.get(who, who), owner) for who, owner in resolved.shared)
        batch.shared = [(who, owner) for who, owner in shared if who != owner]
        wanted = {contact_id for found in batch.people.values() for _, contact_id in found}
        told = [company for event in events for company in event.data.companies]
        fresh = {account_id(one.id): Account(id=account_id(one.id), external_id=one.id) for one in told}
        known = {one.account_id for one in peek.values() if one.account_id} - fresh.keys()
        batch.accounts, batch.leads = await directory.claim_accounts(tx.conn, list(fresh.values()), known)
        batch.contacts = await directory.claim_contacts(tx.conn, wanted, wanted - peek.keys())
        batch.before = {**batch.accounts, **batch.contacts}
        if any(one.merged_into for one in batch.before.values()):
            raise Unavailable("somebody was merged meanwhile")
        return batch

    async def _unite(self, batch: _Batch, tx: Tx) -> bool:
        """Merge who is told, or is sure, to be one; note who may be one person. Whether any were merged.

        Whoever was known by an id alone and now gets somebody's address is that somebody under another id.
        """
        merged = False
        event = batch.events[0]
        if event.type == uniting_accounts.EVENT and _tells_merge(event, tx.now):
            ids = [account_id(company.id) for company in event.data.companies]
            return await merging_accounts.merge(tx, ids, event_id=event.id, by=event.source) is not None
        if _tells_merge(event, tx.now):
            ids = [contact_id for _, contact_id in batch.people.get(_key(event), ())]
            found = await merging.merge(tx, self._sealer, ids, event_id=event.id, by=event.source)
            return found is not None
        suspected: list[tuple[UUID, UUID, str]] = []
        for who, owner in dict.fromkeys(batch.shared):
            if batch.contacts[who].erased_at:
                continue
            if batch.contacts[who].email_hash:
                suspected.append((who, owner, "email"))
            else:
                merged |= await merging.merge(tx, self._sealer, [owner, who], by="same address") is not None
        await suspicions.suspect(tx.conn, suspected, tx.now)
        return merged

    async def _fold(self, batch: _Batch, tx: Tx) -> None:
        """Bring the directory up to the last event of the batch, and tell the others what changed."""
        persons = await self._opened(batch, tx)
        originals = dict(persons)
        words: list[tuple[UUID, Said]] = []
        for event in batch.events:
            if event.data.occurred_at > tx.now + FUTURE_TOLERANCE:
                continue
            if _names_nobody(batch, event):
                continue
            account = _account(batch, event)
            if account and (event.data.company or event.data.renewal_on) and account.id in batch.accounts:
                batch.accounts[account.id] = folding.merge_account(account, event.data)
            for one, contact_id in batch.people.get(_key(event), ()):
                contact = batch.contacts[contact_id]
                fresh = contact.known_at is None or event.data.occurred_at >= contact.known_at
                if contact_id in persons:
                    persons[contact_id] = folding.merge_person(persons[contact_id], one.person, fresh=fresh)
                told = folding.Told(one.told, one.person, event.data.occurred_at)
                said = folding.said_in(told, event.source, event.id)
                words += [(contact_id, said)] if said else []
                own = account.id if account and event.data.company else None
                batch.contacts[contact_id] = folding.merge_contact(contact, told, own)
        batch.contacts |= await note(tx, words, batch.contacts)
        changed = {
            contact_id: person
            for contact_id, person in persons.items()
            if not batch.contacts[contact_id].erased_at
            and (person != originals[contact_id] or not batch.contacts[contact_id].digest)
        }
        for contact_id, known in (await people.seal(tx.conn, self._sealer, changed)).items():
            batch.contacts[contact_id] = folding.with_known(batch.contacts[contact_id], known)
        await self._announce(batch, tx)

    async def _opened(self, batch: _Batch, tx: Tx) -> dict[UUID, Person]:
        """Those of whom the batch tells something new; nobody else is unsealed."""
        news = {
            contact_id
            for found in batch.people.values()
            for one, contact_id in found
            if digest_of(self._sealer.blind, one.person) != batch.contacts[contact_id].digest
        }
        stored = [(contact_id, batch.contacts[contact_id].person) for contact_id in news]
        opened = await self._sealer.open(tx.conn, stored, Person)
        return {
            contact_id: person or Person() for (contact_id, _), person in zip(stored, opened, strict=True)
        }

    async def _announce(self, batch: _Batch, tx: Tx) -> None:
        contacts: dict[UUID, Contact] = {}
        heard: dict[UUID, datetime] = {}
        for contact_id, contact in batch.contacts.items():
            before = batch.before[contact_id]
            assert isinstance(before, Contact)  # noqa: S101 - filled from the same mapping
            if contact.known_at is None or contact.erased_at:
                continue
            told = folding.bumped_contact(before, contact)
            if told:
                contacts[contact_id] = told
                key = str(told.account_id or told.id)
                tx.emit(folding.contact_changed(told), identity=f"{told.id}/{told.version}", key=key)
            elif contact.known_at != before.known_at:
                heard[contact_id] = contact.known_at
        batch.contacts |= contacts
        await self._announce_accounts(batch, tx)
        await directory.save_contacts(tx.conn, contacts.values())
        await directory.hear_of_contacts(tx.conn, heard)

    async def _announce_accounts(self, batch: _Batch, tx: Tx) -> None:
        accounts: dict[UUID, Account] = {}
        heard: dict[UUID, datetime] = {}
        for ident, account in batch.accounts.items():
            before = batch.before[ident]
            assert isinstance(before, Account)  # noqa: S101 - filled from the same mapping
            if account == before:
                continue
            news = folding.bumped_account(before, account)
            if news:
                accounts[ident] = news
                tx.emit(folding.account_changed(news), identity=f"{news.id}/{news.version}", key=str(news.id))
            elif account.known_at:
                heard[ident] = account.known_at
        batch.accounts |= accounts
        await directory.save_accounts(tx.conn, accounts.values())
        await directory.hear_of_accounts(tx.conn, heard)

    async def _plan(self, batch: _Batch, tx: Tx, organisation: Organisation) -> Catalogue:
        editions = await programmes.current_editions(tx.conn)
        occurrences = [(event, _occurrence(batch, event)) for event in batch.events]
        catalogue = Catalogue.of(editions)
        fresh = _new_customers(batch) if catalogue.series else []
        book = await _book(tx, [one for _, one in occurrences], catalogue, fresh)
        known = set(book.plans)
        elsewhere = {p.contact_id for p in book.plans.values() if p.contact_id} - batch.contacts.keys()
        contacts = batch.contacts | await directory.get_contacts(tx.conn, elsewhere)
        asked = await _turns(tx, [one for _, one in occurrences], catalogue)
        world = World(editions, organisation, tx.now, contacts, catalogue, asked)
        decisions = [("", decision) for decision in begin_series(fresh, world, book)]
        withdrawn: dict[UUID, str] = {}
        for event, occurrence in occurrences:
            found = plan_surveys(occurrence, world, book)
            decisions += [(event.id, decision) for decision in found]
            if occurrence.type in OF_CASES:
                told = occurrence.touchpoint.context
                tell_of_questions(tx, (Decided(decision, told) for decision in found if decision.programme))
            for edition in catalogue.ending.get(occurrence.type, ()):
                withdrawn |= {plan.id: event.id for plan in called_off(occurrence, edition, book)}
        await plans.save_plans(tx.conn, book.changed.values())
        await record(tx, decisions)
        moved = [plan for plan in book.changed.values() if plan.id in known]
        await self._wake_outranked([plan for plan in moved if not plan.shadow], tx)
        if catalogue.keeping:
            mine = (plan.account_id for plan in moved if plan.programme in catalogue.keeping)
            await give_places_back(tx, [*mine, *_fell_out(batch)])
        await self._take_back(withdrawn, tx)
        return catalogue

    async def _wake_outranked(self, moved: Sequence[Plan], tx: Tx) -> None:
        """Whoever waited for a more important question that was called off or moved may be asked again."""
        contacts = sorted({p.contact_id for p in moved if p.contact_id})
        accounts = sorted({p.account_id for p in moved if p.account_id and not p.contact_id})
        for persons, companies in ((contacts, None), (None, accounts)):
            if persons or companies:
                await plans.wake_plans(
                    tx.conn, tx.now, [Reason.OUTRANKED], contacts=persons, accounts=companies
                )

    async def _take_back(self, withdrawn: Mapping[UUID, str], tx: Tx) -> None:
        """Surveys of plans that events call off stay unsent; of what was sent already nobody is reminded."""
        running = [a for a in await asks.asks_of_plans(tx.conn, withdrawn) if a.state is AskState.OPEN]
        await cancel_asks(tx, [a for a in running if a.handed_over_at is None], Reason.CANCELLED, withdrawn)
        sent = [a for a in running if a.handed_over_at]
        await asks.stop_reminders(tx.conn, [a.survey_id for a in sent])
        lines = [(withdrawn[a.plan_id], of_recall(a, Reason.CANCELLED)) for a in sent]
        await record(tx, [(event_id, line) for event_id, line in lines if line])

    async def _side_effects(self, batch: _Batch, tx: Tx, catalogue: Catalogue) -> None:
        """Who takes part in what, holds, context for later explanations, and erasures."""
        past = [e for e in batch.events if e.data.occurred_at <= tx.now + FUTURE_TOLERANCE]
        changes: dict[tuple[str, str, str], brakes.HoldChange] = {}
        for event in past:
            account = _account(batch, event)
            for found in holds_of(event.type, event.data, account.id if account else None, catalogue):
                change = brakes.HoldChange(**asdict(found), contact_id=None)
                known = changes.get((found.kind, found.ref, found.holder))
                if known is None or known.version <= change.version:
                    changes[found.kind, found.ref, found.holder] = change
            recorded = context_of(event.type, event.data, account.id if account else None)
            if recorded:
                key = recorded.account_id or event.key or event.id
                tx.emit(recorded, identity=_key(event), key=key)
        await sent_ids.note(tx.conn, _named(batch.events, tx))
        await brakes.save_holds(tx.conn, sorted(changes.values(), key=lambda c: (c.kind, c.ref, c.holder)))
        released = [c.account_id for c in changes.values() if not c.active and c.account_id]
        if released:
            await plans.wake_plans(tx.conn, tx.now, [Reason.HELD], accounts=released)
            await asks.wake_reminders(tx.conn, tx.now, Reason.HELD, accounts=released)
        await audiences.record_seen(tx.conn, (seen for event in past for seen in _seen(batch, event)))
        done = Counter(did for event in past for did in _did(batch, event))
        await habits.add(tx.conn, done, {key: contact.account_id for key, contact in batch.contacts.items()})
        for event in past:
            if event.type == folding.DELETES:
                leaving = [contact_id for _, contact_id in batch.people.get(_key(event), ())]
                await erase(tx, self._sealer, leaving, event.id)


async def _told_apart(events: Sequence[Touched], tx: Tx) -> list[Touched]:
    """The events, each with an id that no event of another source has: source and id make it what it is.

    Whoever has an id first stands under it in the ledger, as its sender knows it. One that comes later, from
    another source, gets one of its own, as those of webhooks do, and is found by its sender's all the same.
    """
    theirs = [(event.source, event.id) for event in events if not event.source.startswith(sent_ids.OURS)]
    shared = await sent_ids.shared(tx.conn, theirs)
    if not shared:
        return list(events)
    told = [_apart(event) if (event.source, event.id) in shared else event for event in events]
    await sent_ids.note(
        tx.conn,
        (
            sent_ids.SentId(event.id, own.id, event.source, event.type, tx.now, sent_ids.KAFKA, event.id)
            for event, own in zip(events, told, strict=True)
            if own is not event
        ),
    )
    return told


def _apart(event: Touched) -> Touched:
    return replace(event, id=str(derive(event.type, f"{event.source}/{event.id}")))


def _named(events: Sequence[Touched], tx: Tx) -> Iterator[sent_ids.SentId]:
    """What events over Kafka are about; those that we told ourselves were named when they came in."""
    for event in events:
        if event.source != tx.source:
            for name in names_of(event.data):
                yield sent_ids.SentId(name, event.id, event.source, event.type, tx.now)


def _fell_out(batch: _Batch) -> Iterator[UUID | None]:
    """Accounts of people for whom a place may have been kept, and may be no more."""
    for contact_id, contact in batch.contacts.items():
        before = batch.before[contact_id]
        if isinstance(before, Contact) and may_fall_out(before, contact):
            yield before.account_id


def _parts(events: Sequence[Touched], now: datetime) -> Iterator[list[Touched]]:
    """The events in their order, a merge always by itself: what comes after it knows one person less."""

    def apart(event: Touched) -> str:
        return _key(event) if _tells_merge(event, now) else ""

    return (list(part) for _, part in groupby(events, key=apart))


def _tells_merge(event: Touched, now: datetime) -> bool:
    return event.type in _MERGES and event.data.occurred_at <= now + FUTURE_TOLERANCE


async def _book(
    tx: Tx, occurrences: Sequence[Occurrence], catalogue: Catalogue, fresh: Sequence[Account]
) -> Book:
    """The plans that the batch may touch, locked, and what programmes have counted before it."""
    keys = {edition.key for edition in catalogue.series} if fresh else set()
    subjects = {account_subject(account.id) for account in fresh}
    ended: set[UUID] = set()
    more: Counter[Tally] = Counter()
    for event in occurrences:
        for edition in catalogue.concerned(event.type, dated=event.touchpoint.renewal_on is not None):
            keys.add(edition.key)
            subjects |= subjects_of(edition.programme.when.per, event)
        for edition in catalogue.ending.get(event.type, ()):
            lost = account_ended(edition.programme.when.per, event)
            ended |= {lost} if lost else set()
        more.update(tallied(event, catalogue, tx.now))
    found = await plans.lock_plans_about(tx.conn, subjects, keys, ended) if subjects or ended else []
    return Book({plan.id: plan for plan in found}, tallies=await audiences.tally(tx.conn, more))


async def _turns(tx: Tx, occurrences: Sequence[Occurrence], catalogue: Catalogue) -> Mapping[UUID, datetime]:
    """When the people of events were last asked, where a programme asks some of them only."""
    people = {
        person.contact.id
        for event in occurrences
        for edition in catalogue.by_type.get(event.type, ())
        if (most := edition.programme.audience.max_per_account) and len(event.people) > most
        for person in event.people
    }
    return await audiences.last_asked(tx.conn, people) if people else {}


def _new_customers(batch: _Batch) -> list[Account]:
    """Accounts that became known in this batch, or whose start moved."""
    pairs = ((batch.before[key], account) for key, account in batch.accounts.items())
    return [
        account for before, account in pairs if isinstance(before, Account) and needs_series(before, account)
    ]


def _seen(batch: _Batch, event: Touched) -> Iterator[Seen]:
    """Who takes part in what, as far as an event tells."""
    folk = ((contact_id, one.told.role) for one, contact_id in batch.people.get(_key(event), ()))
    return seen_in(event.data, _account(batch, event), folk)


def _did(batch: _Batch, event: Touched) -> Iterator[habits.Did]:
    """Who did again, by an event, what people have the habit of doing."""
    habit = habit_of(event.type, event.data)
    if habit:
        for contact_id in {contact_id for _, contact_id in batch.people.get(_key(event), ())}:
            yield habits.Did(contact_id, *habit)


def _names_nobody(batch: _Batch, event: Touched) -> bool:
    """A merge of ids by which nobody is known, and that tells nothing else: no entry comes of it."""
    if event.type == uniting_accounts.EVENT:
        account, company = _account(batch, event), event.data.company
        told = company is not None and company != TouchpointAccount(id=company.id)
        return not (told or (account and account.version))
    if event.type != uniting.EVENT:
        return False
    named = batch.people.get(_key(event), ())
    return all(not batch.contacts[who].version and one.person == Person() for one, who in named)


def _occurrence(batch: _Batch, event: Touched) -> Occurrence:
    found = batch.people.get(_key(event), ())
    folk = {contact_id: Participant(batch.contacts[contact_id], one.told.role) for one, contact_id in found}
    return Occurrence(event.type, event.id, event.data, _account(batch, event), tuple(folk.values()))


def _account(batch: _Batch, event: Touched) -> Account | None:
    """The event's account, else that of the first person in it who has one."""
    if event.data.company:
        named = account_id(event.data.company.id)
        return batch.accounts[batch.leads.get(named, named)]
    for _, contact_id in batch.people.get(_key(event), ()):
        own = batch.contacts[contact_id].account_id
        if own in batch.accounts:
            return batch.accounts[own]
    return None


def _key(event: Touched) -> str:
    return f"{event.source}/{event.id}"
