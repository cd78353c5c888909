"""How often somebody is paged: at most once in a quarter of an hour, whatever happens.

The first notice goes out at once. Further ones to the same person or room within that time are held;
then one notice tells of all that still matter. So a storm of 500 unhappy answers is two pages, not 500,
and none is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain.model import Occasion

EVERY = timedelta(minutes=15)

Door = tuple[str, str]
"""A channel and whom it reaches there: a person, or the team's room."""

AT_ONCE = frozenset({Occasion.ASSIGNED, Occasion.UNREACHABLE, Occasion.TAKEN, Occasion.ENDED})
"""Meant for one person because of something somebody just did, standing in for a notice that failed, or
telling a partner that nobody need be woken any more."""

PROGRAMS = frozenset({"webhook"})
"""Channels that reach a program: it wants to hear of each case, and wakes nobody by itself."""

_NEWS = frozenset({Occasion.OPENED, Occasion.REOPENED, Occasion.UNTAKEN})
_GRAVITY = {Occasion.LEADERSHIP: 0, Occasion.DENIED: 1, Occasion.LATE: 2, Occasion.UNRESOLVED: 3}


@dataclass(frozen=True, slots=True)
class Page:
    """A notice that waits for its time."""

    id: UUID
    ticket_id: UUID
    occasion: Occasion
    door: Door
    held_at: datetime


@dataclass(frozen=True, slots=True)
class Split:
    """Which notices go out now, and which are held until when, by their place in the list."""

    now: tuple[int, ...]
    held: Mapping[int, datetime]


@dataclass(frozen=True, slots=True)
class Gathered:
    """One notice that tells of several cases; `silent` ones no longer matter to anybody."""

    lead: Page | None
    others: tuple[Page, ...] = ()
    silent: tuple[Page, ...] = ()


def split(
    wanted: Sequence[tuple[Occasion, Door]], busy: Mapping[Door, datetime], now: datetime, every: timedelta
) -> Split:
    """Decide for each notice.

    Args:
        wanted: occasion and door of each notice, in the order of their making.
        busy: doors that are not to be knocked at now, and until when; those left out are free.
        now: the present.
        every: the shortest time between two pages; none: all go out at once.
    """
    until = dict(busy)
    at_once: list[int] = []
    held: dict[int, datetime] = {}
    for place, (occasion, door) in enumerate(wanted):
        if every <= timedelta() or occasion in AT_ONCE or door[0] in PROGRAMS:
            at_once.append(place)
        elif door in until:
            held[place] = until[door]
        else:
            at_once.append(place)
            until[door] = now + every
    return Split(tuple(at_once), held)


def gather(pages: Sequence[Page], open_: Collection[UUID], untaken: Collection[UUID]) -> Gathered:
    """Make one notice of all that was held for one door.

    Args:
        pages: what was held.
        open_: tickets in which somebody still has to do something.
        untaken: those of them that nobody has taken yet; that a taken case was opened, or waited, is no news
            any more.
    """
    telling = [p for p in pages if p.ticket_id in (untaken if p.occasion in _NEWS else open_) or _final(p)]
    silent = tuple(page for page in pages if page not in telling)
    ranked = sorted(telling, key=lambda p: (_GRAVITY.get(p.occasion, 9), p.held_at, str(p.id)))
    return Gathered(ranked[0] if ranked else None, tuple(ranked[1:]), silent)


def _final(page: Page) -> bool:
    """Whether it tells of the end of a case, to those who wanted to hear of it."""
    return page.occasion in {Occasion.RESOLVED, Occasion.CONFIRMED}
