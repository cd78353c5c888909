"""Which events of a history may be decided apart from which others.

Caps, holds, audiences and counts look at a person, an account, or a thing like a ticket; so whatever is tied
together by people, accounts and things is decided together, and the rest knows nothing of it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heapreplace
from typing import NamedTuple

from services.trigger.domain.backtest.people import in_the_open
from services.trigger.domain.naming import Named, in_clear, marks_of
from services.trigger.domain.programme import Edition, Who
from services.trigger.domain.when import Per
from shared.contracts.touchpoints import TouchpointContact

NOTHING = -1
"""The node of an event that is tied to nothing: it names nobody, no account and no thing."""

_THINGS: frozenset[str] = frozenset({Per.ORDER, Per.TICKET, Per.PROJECT, Per.CONTRACT})


class Words(NamedTuple):
    """By what an event names somebody."""

    id: str
    email: str
    phone: str
    ref: str


class Heard(NamedTuple):
    """As much of an event as says what it is tied to."""

    type: str
    source: str
    id: str
    at: datetime
    people: Sequence[Words]
    account: str = ""
    merged: Sequence[str] = ()
    product: str = ""
    subject: tuple[str, str] = ("", "")
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Bonds:
    """What ties events together, as far as some programmes look at it.

    Attributes:
        things: kinds of subjects.
        products: types of events that tie all who use a product when they name somebody or an account.
        dated: events with a renewal date do so too.
        pools: people without an account are chosen from together.
    """

    things: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    dated: bool = False
    pools: bool = False

    @classmethod
    def of(cls, editions: Iterable[Edition]) -> Bonds:
        """What these programmes look at."""
        things: set[str] = set()
        products: set[str] = set()
        dated = pools = False
        for edition in editions:
            when, audience = edition.programme.when, edition.programme.audience
            things |= {when.per.value, audience.who.value} & _THINGS
            by_product = audience.who is Who.PRODUCT
            if by_product or (when.per is Per.PRODUCT and (when.nth > 1 or when.ends_on)):
                products |= {*when.starts_on, *when.ends_on}
                dated |= when.before is not None
            pools |= by_product and bool(audience.max_per_account or audience.coverage)
        return cls(frozenset(things), frozenset(products), dated, pools)


class Groups:
    """What is tied together, by nodes: people, accounts and things that some event named in one breath."""

    def __init__(self, bonds: Bonds) -> None:
        self._bonds = bonds
        self._leads = array("q")
        self._nodes: dict[Hashable, int] = {}
        self._people: dict[Words, int] = {}
        self._events: dict[int, int] = {}
        self._housed: dict[int, datetime] = {}
        self._seen: dict[int, datetime] = {}
        self._together = False

    def join(self, one: Heard) -> int:
        """Tie together what an event names; returns a node of it, or NOTHING."""
        nodes = [self._person(words) for words in one.people]
        accounts = (one.account, *one.merged) if one.account else one.merged
        nodes += [self._node(("account", account.strip())) for account in accounts]
        if one.subject[0] in self._bonds.things:
            nodes.append(self._node(one.subject))
        if not nodes:
            return self._once(one, NOTHING)
        if one.type in self._bonds.products or (self._bonds.dated and one.dated):
            self._together = True
        if self._bonds.pools:
            self._look_for_homes(one, nodes[: len(one.people)])
        first = nodes[0]
        for other in nodes[1:]:
            self._tie(first, other)
        return self._once(one, first)

    def shares(self, nodes: Sequence[int], most: int) -> dict[int, int]:
        """Deal what is tied together out to so many shares, about as much to each.

        Args:
            nodes: those of all events.
            most: how many shares there may be.

        Returns:
            The share of each node; NOTHING has none, its events happen in all.
        """
        self._pool()
        if self._together:
            return dict.fromkeys({*nodes, NOTHING} - {NOTHING}, 0)
        sizes = Counter(map(self._root, (node for node in nodes if node != NOTHING)))
        loads = [(0, share) for share in range(most)]
        heapify(loads)
        share_of: dict[int, int] = {}
        for root, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
            load, share = loads[0]
            heapreplace(loads, (load + size, share))
            share_of[root] = share
        return {node: share_of[self._root(node)] for node in set(nodes) - {NOTHING}}

    def _person(self, words: Words) -> int:
        """The node of somebody, whichever of their marks an event tells."""
        known = self._people.get(words)
        if known is None:
            told = TouchpointContact(id=words.id, email=words.email, phone=words.phone)
            marks: Collection[str] = marks_of(in_the_open, Named(told, in_clear(told))).values()
            nodes = [self._node(mark) for mark in marks]
            if words.ref:
                nodes.append(self._node(("ref", words.ref.strip().lower())))
            known = self._people[words] = nodes[0] if nodes else self._node(words)
            for other in nodes[1:]:
                self._tie(known, other)
        return known

    def _look_for_homes(self, one: Heard, people: Iterable[int]) -> None:
        """Since when each is known to belong to an account, and since when to use a product without one."""
        if not one.account and not one.product:
            return
        firsts = self._housed if one.account else self._seen
        for person in people:
            firsts[person] = min(one.at, firsts.get(person, one.at))

    def _pool(self) -> None:
        """Tie those together who may be in an audience while they belong to no account."""
        pool = None
        for person, at in self._seen.items():
            if at < self._housed.get(person, datetime.max.replace(tzinfo=at.tzinfo)):
                pool = person if pool is None else pool
                self._tie(pool, person)

    def _once(self, one: Heard, node: int) -> int:
        """Tie an event to those of the same source and id, of which one happens."""
        before = self._events.setdefault(hash((one.source, one.id)), node)
        if before != node:
            if NOTHING in {before, node}:
                self._together = True
            else:
                self._tie(before, node)
        return node

    def _node(self, name: Hashable) -> int:
        node = self._nodes.setdefault(name, len(self._leads))
        if node == len(self._leads):
            self._leads.append(node)
        return node

    def _root(self, node: int) -> int:
        leads = self._leads
        while leads[node] != node:
            leads[node] = node = leads[leads[node]]
        return node

    def _tie(self, one: int, other: int) -> None:
        here, there = self._root(one), self._root(other)
        self._leads[max(here, there)] = min(here, there)
