"""All programmes, found by what concerns them: an event costs nothing for those that it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.trigger.domain.programme import Edition
from services.trigger.domain.when import BUILT_IN, RENEWAL, HoldRule
from shared.contracts.programmes import ProgrammeState


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Editions by the events that they plan after or that call them off, in their own order.

    `dated` stand before the renewal date, `series` begin with an account; `holds` are by event; `keeping` are
    the keys of those that keep places of an account's budget for whom `coverage` wants. Of those by type,
    `counting` ask after the n-th event, `ending` are called off.
    """

    editions: tuple[Edition, ...] = ()
    by_type: Mapping[str, tuple[Edition, ...]] = field(default_factory=dict)
    dated: tuple[Edition, ...] = ()
    series: tuple[Edition, ...] = ()
    begins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeping: frozenset[str] = frozenset()
    counting: Mapping[str, tuple[Edition, ...]] = field(default_factory=dict)
    ending: Mapping[str, tuple[Edition, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, editions: Iterable[Edition]) -> Catalogue:
        """The catalogue of some editions; archived ones are only called off."""
        every = tuple(editions)
        by_type: dict[str, list[Edition]] = {}
        counting: dict[str, list[Edition]] = {}
        ending: dict[str, list[Edition]] = {}
        for edition in every:
            live = edition.state is not ProgrammeState.ARCHIVED
            when = edition.programme.when
            for kind in dict.fromkeys((*(when.starts_on if live else ()), *when.ends_on)):
                by_type.setdefault(kind, []).append(edition)
            for kind in dict.fromkeys(when.starts_on if live and when.nth > 1 else ()):
                counting.setdefault(kind, []).append(edition)
            for kind in dict.fromkeys(when.ends_on):
                ending.setdefault(kind, []).append(edition)
        live_ones = [e for e in every if e.state is not ProgrammeState.ARCHIVED]
        rules = (*BUILT_IN, *_own_holds(live_ones))
        return cls(
            editions=every,
            by_type=_frozen(by_type),
            counting=_frozen(counting),
            ending=_frozen(ending),
            dated=tuple(e for e in live_ones if e.programme.when.before == RENEWAL),
            series=tuple(e for e in live_ones if e.programme.when.from_account_start),
            begins=_by_event((rule, rule.starts) for rule in rules),
            ends=_by_event((rule, rule.until) for rule in rules),
            keeping=frozenset(e.key for e in live_ones if e.programme.keeps_places),
        )

    def concerned(self, kind: str, *, dated: bool) -> tuple[Edition, ...]:
        """Programmes that an event may plan or call off; `dated`: it tells a renewal date."""
        found = self.by_type.get(kind, ())
        if not dated or not self.dated:
            return found
        return (*found, *(edition for edition in self.dated if edition not in found))


def _frozen(found: Mapping[str, list[Edition]]) -> dict[str, tuple[Edition, ...]]:
    return {kind: tuple(editions) for kind, editions in found.items()}


def _own_holds(editions: Iterable[Edition]) -> list[HoldRule]:
    """Holds that programmes define; one in shadow defines none that another already knows by that name."""
    every = [(edition.shadow, rule) for edition in editions for rule in edition.programme.when.own_holds]
    known = {rule.name for shadow, rule in every if not shadow}
    return [rule for shadow, rule in every if not shadow or rule.name not in known]


def _by_event(rules: Iterable[tuple[HoldRule, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for rule, events in rules:
        for event in events:
            found.setdefault(event, {})[rule.name] = None
    return {event: tuple(names) for event, names in found.items()}
