"""The directory of a backtest: folded from events as live, but in memory and in clear."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.trigger.domain import directory as folding
from services.trigger.domain import merging, merging_accounts
from services.trigger.domain.audience import Person as Participant
from services.trigger.domain.consent import Said, absorb, standing, standing_of
from services.trigger.domain.model import Account, Contact, Reach, account_id
from services.trigger.domain.naming import Blind, assign, in_clear, known_of, marks_of, who
from services.trigger.domain.naming import Named as Naming
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint, TouchpointAccount, TouchpointContact
from shared.values import altered

Folk = tuple[Participant, ...]
Named = list[tuple[UUID, TouchpointContact]]
"""People of an event by their ids."""

_marks = attrgetter("id", "email", "phone", "ref")
_words = attrgetter(*("name", "email", "phone", "id", "locale", "zone", "persona", "job_function", "sealed"))
"""What an event says of a person; the role belongs to the event, and consent counts each time."""

_UNHEARD = UUID(int=0)
"""Stands for whom nobody looked for yet."""

_company_words = attrgetter(*TouchpointAccount.model_fields)


def in_the_open(purpose: str, value: str) -> str:
    """Marks that hide nothing, for a history that is nobody else's; equal where the keyed ones are."""
    return f"{purpose}:{unicodedata.normalize('NFKC', value).strip().casefold()}"


class People:
    """Contacts and accounts as events told of them so far.

    Events come in order of time, so each is the newest. What changed nothing, or was the last change, changes
    nothing when it is said again: `_known` has these words, so that they are merged once.

    Args:
        blind: How marks are made; that of an installation draws the samples that it would draw.
    """

    def __init__(self, blind: Blind = in_the_open) -> None:
        self.contacts: dict[UUID, Contact] = {}
        self.accounts: dict[UUID, Account] = {}
        self.staff: dict[UUID, dict[UUID, None]] = {}
        self.sealed: set[UUID] = set()
        self.blind = blind
        self._persons: dict[UUID, Person] = {}
        self._words: dict[UUID, list[Said]] = {}
        self._leads: dict[UUID, UUID] = {}
        self._homes: dict[UUID, UUID] = {}
        self._shared: list[tuple[UUID, UUID]] = []
        self._by_mark: dict[str, UUID] = {}
        self._by_name: dict[tuple[str, ...], UUID | None] = {}
        self._known: dict[UUID, set[Hashable]] = {}

    def named(self, told: Touchpoint) -> Named:
        """Whom an event names, found again or new.

        Raises:
            Unprocessable: A person is referred to by something that is no id.
        """
        leads, by_name = self._leads, self._by_name
        found: Named = []
        for one in told.people:
            name = _marks(one)
            whose = by_name.get(name, _UNHEARD)
            if whose is _UNHEARD:
                whose = self._whose(one)
            if whose is not None:
                found.append((whose, one))
        return [(leads.get(whose, whose), one) for whose, one in found] if leads else found

    @property
    def merged(self) -> bool:
        """Whether any id leads to another."""
        return bool(self._leads)

    def current(self, contact_id: UUID) -> UUID:
        """The id that an id leads to, itself where nobody was merged."""
        return self._leads.get(contact_id, contact_id)

    def fold(
        self, told: Touchpoint, named: Named, source: str = "", event_id: str = ""
    ) -> tuple[Account | None, Account | None, Folk]:
        """Take in what an event tells of its people and their company.

        Returns:
            The company before and after it, and the people with the roles that they have in the event.
        """
        before, account = self._company(told, named)
        own = account.id if account and told.company else None
        folk: dict[UUID, Participant] = {}
        for contact_id, one in named:
            contact = self.contacts[contact_id]
            words = (own, *_words(one))
            known = self._known.get(contact_id)
            if known is None or words not in known:
                contact = self._person(contact, one, words, told.occurred_at)
            if one.consent is not None and not contact.erased_at:
                said = folding.said_in(folding.Told(one, Person(), told.occurred_at), source, event_id)
                contact = self._consent(contact, said) if said else contact
            folk[contact_id] = Participant(contact, one.role)
        return before, account, tuple(folk.values())

    def duplicates(self) -> list[tuple[UUID, UUID]]:
        """Who was known by an id alone and now has somebody's address: the somebody, and who is the same."""
        if not self._shared:
            return []
        found, self._shared = self._shared, []
        pairs = ((self.current(owner), self.current(other)) for owner, other in found)
        thin = ((owner, other) for owner, other in pairs if not self.contacts[other].email_hash)
        return [(owner, other) for owner, other in thin if not self.contacts[other].erased_at]

    def is_known(self, contact_id: UUID) -> bool:
        """Whether more than an id was ever told of somebody."""
        contact = self.contacts[self.current(contact_id)]
        return bool(contact.version or contact.erased_at)

    def unite(self, ids: Iterable[UUID]) -> tuple[UUID, list[UUID]] | None:
        """Make several entries one person; who stays and who leads there, None when they are one already."""
        contacts = [self.contacts[one] for one in dict.fromkeys(map(self.current, ids))]
        if len(contacts) < 2:  # noqa: PLR2004 - one is nothing to merge
            return None
        survivor = merging.survivor_of(contacts)
        others = [one for one in contacts if one.id != survivor.id]
        refusals = [merging.refusal_of(one) for one in others if one.erased_at and not survivor.erased_at]
        words = [word for one in contacts for word in self._words.pop(one.id, ())]
        self._words[survivor.id] = [*words, *refusals]
        after = merging.united(survivor, others, standing(self._words[survivor.id]))
        if not survivor.erased_at:
            own, *rest = (self._persons.pop(one.id, Person()) for one in (survivor, *others))
            person = self._persons[survivor.id] = merging.united_person(own, rest)
            after = after if person == own else folding.with_known(after, known_of(self.blind, person, ""))
        self._replace(survivor, altered(after, version=after.version + 1))
        for one in others:
            gone = altered(one, merged_into=survivor.id)
            self._replace(one, gone if one.erased_at else merging.departed(one, after))
            self._lead(one.id, survivor.id)
        self._known.pop(survivor.id, None)
        return survivor.id, [one.id for one in others]

    def home(self, account: UUID) -> UUID:
        """The account that an account leads to, itself where it was not merged."""
        return self._homes.get(account, account)

    def unite_accounts(self, told: Touchpoint) -> tuple[UUID, list[UUID], bool] | None:
        """Make several accounts one: which stays, which lead there, whether any was known.

        None when they are one already.
        """
        named: dict[UUID, str] = {}
        for company in told.companies:
            named.setdefault(self.home(account_id(company.id)), company.id)
        accounts = [
            self.accounts.get(one) or Account(id=one, external_id=name) for one, name in named.items()
        ]
        if len(accounts) < 2:  # noqa: PLR2004 - one is nothing to merge
            return None
        survivor = merging_accounts.survivor_of(accounts)
        others = [one for one in accounts if one.id != survivor.id]
        known = any(one.version for one in accounts)
        if known:
            after = merging_accounts.united(survivor, others)
            self.accounts[survivor.id] = altered(after, version=after.version + 1)
        for one in others:
            if one.version:
                self.accounts[one.id] = merging_accounts.departed(one, survivor)
            for contact_id in list(self.staff.get(one.id, ())):
                contact = self.contacts[contact_id]
                moved = altered(contact, account_id=survivor.id, version=contact.version + 1)
                self._replace(contact, moved)
            for former, to in self._homes.items():
                self._homes[former] = survivor.id if to == one.id else to
            self._homes[one.id] = survivor.id
        self._known.pop(survivor.id, None)
        return survivor.id, [one.id for one in others], known

    def erase(self, contact_id: UUID, at: datetime) -> bool:
        """Forget a person; False when that was done already."""
        contact = self.contacts[contact_id]
        if contact.erased_at:
            return False
        self._replace(contact, altered(folding.erased(contact, at), merged_into=contact.merged_into))
        self._persons.pop(contact_id, None)
        self._words.pop(contact_id, None)
        return True

    def former(self, contact_id: UUID) -> list[UUID]:
        """The ids by which somebody was known before they were merged."""
        return [former for former, to in self._leads.items() if to == contact_id]

    def label(self, contact_id: UUID) -> str:
        """By what an operator knows a person: the backend's id, else the address without its local part."""
        contact = self.contacts[contact_id]
        if contact.erased_at:
            return "erased"
        if contact.external_id:
            return contact.external_id
        local, at, domain = self._persons.get(contact_id, Person()).email.partition("@")
        return f"{local[:1]}…@{domain}" if at else str(contact_id)

    def _whose(self, told: TouchpointContact) -> UUID | None:
        one = Naming(told, in_clear(told))
        marks = marks_of(self.blind, one)
        self._by_mark |= assign([one], [marks], self._by_mark)
        found = self._by_name[_marks(told)] = who(one, marks, self._by_mark)
        if found is not None:
            self.contacts.setdefault(found, Contact(id=found))
            owner = self._by_mark.get(marks.get("email", ""), found)
            if self.current(owner) != self.current(found):
                self._shared.append((owner, found))
        return found

    def _company(self, told: Touchpoint, people: Named) -> tuple[Account | None, Account | None]:
        """The event's company, else that of the first person in it who has one."""
        company = told.company
        if company:
            key = account_id(company.id)
            key = self._homes.get(key, key)
            before = self.accounts.get(key) or Account(id=key, external_id=company.id)
            if told.accounts and not before.version and company == TouchpointAccount(id=company.id):
                return before, before  # a merge of which nothing but ids is known
        else:
            homes = (self.contacts[contact_id].account_id for contact_id, _ in people)
            home = next((self.home(home) for home in homes if home), None)
            if home is None or home not in self.accounts:
                return None, None
            before = self.accounts[home]
            if told.renewal_on is None:
                return before, before
        said = (_company_words(company) if company else None, told.renewal_on)
        known = self._known.setdefault(before.id, set())
        if said in known:
            return before, before
        merged = folding.merge_account(before, told)
        after = folding.bumped_account(before, merged)
        if after is None:
            known.add(said)
            return before, before
        self._known[before.id] = {said}
        self.accounts[before.id] = after
        return before, after

    def _person(
        self, contact: Contact, told: TouchpointContact, said: tuple[Any, ...], at: datetime
    ) -> Contact:
        """Take in what an event says of a person for the first time; `said` begins with their company."""
        contact_id, own = contact.id, said[0]
        if contact.erased_at:
            return contact
        old = self._persons.get(contact_id, Person())
        person = folding.merge_person(old, in_clear(told), fresh=True)
        after = folding.merge_contact(contact, folding.Told(told, person, at), own)
        if person != old or not contact.digest:
            after = folding.with_known(after, known_of(self.blind, person, ""))
            self._persons[contact_id] = person
        if told.sealed and told.ref and after.reach is Reach.NONE:
            self.sealed.add(contact_id)
            after = altered(after, reach=Reach.OK)
        if folding.bumped_contact(contact, after) is None:
            self._known.setdefault(contact_id, set()).add(said)
            return contact
        after = altered(after, version=contact.version + 1)
        self._known[contact_id] = {said}
        self._replace(contact, after)
        return after

    def _consent(self, contact: Contact, said: Said) -> Contact:
        """Keep what somebody said of being asked, and how they stand by it."""
        history = self._words.setdefault(contact.id, [])
        found = absorb(history, said)
        if found is None:
            return contact
        same = [place for place, one in enumerate(history) if replace(found, last_at=one.last_at) == one]
        if same:
            history[same[0]] = found
        else:
            history.append(found)
        after = self.contacts[contact.id] = standing_of(contact, history)
        return after

    def _replace(self, before: Contact, after: Contact) -> None:
        """Write a contact, and list them at their company."""
        home = after.account_id if not after.merged_into and not after.erased_at else None
        if before.account_id is not None and before.account_id != home:
            self.staff.get(before.account_id, {}).pop(before.id, None)
        if home is not None:
            self.staff.setdefault(home, {})[after.id] = None
        self.contacts[after.id] = after

    def _lead(self, gone: UUID, survivor: UUID) -> None:
        for former, to in self._leads.items():
            if to == gone:
                self._leads[former] = survivor
        self._leads[gone] = survivor
