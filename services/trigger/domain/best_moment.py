"""The best moment inside a send window: learned from who answered when, per kind of people (R46).

A slot is a weekday and two hours at the recipient. What is known of a slot is a Beta posterior over the
share that answers; its prior says what the guides say: Tuesday to Thursday, in mid-morning, a little above
the kind's own average. Nine of ten plans take the slot whose share is surely best, the mean less one
deviation, so that few answers move little. One of ten draws from the beliefs (Thompson sampling: W. R.
Thompson, Biometrika 25, 1933; O. Chapelle and L. Li, NIPS 2011), so that what is little known is tried by
what it may be worth. Both hang on the plan's identity alone: the same plan with the same knowledge takes the
same slot.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.timing import WEEKDAYS
from shared.calendars import DAY_MINUTES, local_instant
from shared.values import Value
from shared.windows import Place, Window, opens_on

BAND = 120
"""Minutes of a slot."""

EXPLORED = 0.1
"""Share of plans that try a slot rather than take the best."""

PATIENCE = timedelta(days=4)
"""Answers within it count for the moment of the mail; later ones are owed to something else."""

REMEMBERED = timedelta(days=365)
"""What people did longer ago says nothing any more."""

LONGEST = timedelta(days=7)
"""Nobody waits longer for a good moment; nor longer than half of what is left of the freshness."""

STRENGTH = 30.0
"""How many answers or silences of one slot weigh as much as the prior."""

_GUIDES_DAYS = frozenset({1, 2, 3})
_GUIDES_BAND = 5
_GUIDES_LIFT, _EDGE_DROP = 1.15, 0.9
_USUAL_SHARE, _USUAL_WEIGHT = 0.25, 20.0
_EDGES = frozenset({0, 4})
_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_DAYS = dict(zip(WEEKDAYS, _NAMES, strict=True))
_MOST = 0.95
_DRAWS = 2.0**64


class Slot(NamedTuple):
    """A weekday (0 = Monday) and a band of two hours (0 = midnight to two) at the recipient."""

    weekday: int
    band: int

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{WEEKDAYS[self.weekday]} {self.band * 2:02d}-{self.band * 2 + 2:02d}"

    @property
    def words(self) -> str:
        """As people say it."""
        return slot_in_words(self.name)

    @property
    def guides(self) -> bool:
        """Whether the guides name it: Tuesday to Thursday, in mid-morning."""
        return self.weekday in _GUIDES_DAYS and self.band == _GUIDES_BAND


class Seen(NamedTuple):
    """How many were asked at a slot, and how many of them answered within the patience."""

    asked: int = 0
    answered: int = 0


class Belief(Value, frozen=True):
    """What is believed about a slot: share that answers, and how sure that is.

    `surely`: the share that it has at least, as far as one deviation says.
    """

    mean: float
    deviation: float
    seen: Seen
    surely: float


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of one kind of people, as of a day."""

    slots: Mapping[Slot, Seen] = field(default_factory=dict)
    _beliefs: dict[Slot, Belief] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def base(self) -> float:
        """The kind's own average share; a quarter as long as little is known."""
        asked = sum(seen.asked for seen in self.slots.values())
        answered = sum(seen.answered for seen in self.slots.values())
        return (answered + _USUAL_SHARE * _USUAL_WEIGHT) / (asked + _USUAL_WEIGHT)

    def belief(self, slot: Slot) -> Belief:
        """The posterior of a slot; worked out once."""
        known = self._beliefs.get(slot)
        if known is None:
            known = self._beliefs[slot] = self._belief(slot)
        return known

    def _belief(self, slot: Slot) -> Belief:
        seen = self.slots.get(slot, Seen())
        lift = _GUIDES_LIFT if slot.guides else _EDGE_DROP if slot.weekday in _EDGES else 1.0
        prior = min(self.base * lift, _MOST) * STRENGTH
        total = STRENGTH + seen.asked
        mean = (prior + seen.answered) / total
        deviation = math.sqrt(mean * (1 - mean) / (total + 1))
        return Belief(mean, deviation, seen, mean - deviation)


NOTHING = Learned()


class Opening(Value, frozen=True):
    """A slot that is open from one instant to another."""

    slot: Slot
    opens: datetime
    closes: datetime


class Choice(Value, frozen=True):
    """When somebody is asked, in which slot, what is believed of it, and whether it is a try."""

    at: datetime
    slot: Slot
    belief: Belief
    tried: bool


def slot_in_words(name: str) -> str:
    """A slot's name as people say it: `tue 10-12` is Tuesdays from 10 to 12; other text stays as it is."""
    day, _, hours = name.partition(" ")
    first, dash, last = hours.partition("-")
    return f"{_DAYS[day]} from {int(first)} to {int(last)}" if dash and day in _DAYS else name


def segment_of(family: str, persona: str | None, locale: str) -> str:
    """Which kind of people somebody is: the family of programmes, and the persona or else the language."""
    return f"{family}/{persona or locale.partition('-')[0].lower() or 'unknown'}"


def slot_at(at: datetime, place: Place) -> tuple[Slot, date]:
    """The slot and the local day of an instant."""
    local = at.astimezone(place.zone)
    return Slot(local.weekday(), (local.hour * 60 + local.minute) // BAND), local.date()


def choose(
    plan_id: UUID, learned: Learned, now: datetime, stale_at: datetime, window: Window, place: Place
) -> Choice | None:
    """The moment for a plan that may be asked from now on; None when no slot opens in time.

    Never outside the window, never before now, never when it is stale. Whoever's slot is open is asked now.
    """
    until = min(now + min(LONGEST, (stale_at - now) / 2), stale_at)
    tried = _share(plan_id, "try") < EXPLORED
    best: tuple[float, Opening, Belief] | None = None
    for opening in openings(now, until, window, place):
        if opening.opens >= stale_at:
            continue
        belief = learned.belief(opening.slot)
        score = belief.mean + belief.deviation * _normal(plan_id, opening.slot) if tried else belief.surely
        if best is None or score > best[0]:
            best = (score, opening, belief)
    if best is None:
        return None
    _, opening, belief = best
    return Choice(_moment(plan_id, opening, now, stale_at), opening.slot, belief, tried)


def openings(now: datetime, until: datetime, window: Window, place: Place) -> Iterator[Opening]:
    """Every slot that opens, within a window, from now until an instant; the one that is open too."""
    day, last = now.astimezone(place.zone).date(), until.astimezone(place.zone).date()
    for slot, first, end in _of_days(day, last, window, place.zone, place.country):
        if now < end and first < end and first <= until:
            yield Opening(slot, max(first, now), end)


@lru_cache(maxsize=16384)
def _of_days(
    day: date, last: date, window: Window, zone: ZoneInfo, country: str
) -> tuple[tuple[Slot, datetime, datetime], ...]:
    """The slots of all days from one to another."""
    days = (day + timedelta(days=number) for number in range((last - day).days + 1))
    return tuple(slot for one in days for slot in _of_day(one, window, zone, country))


@lru_cache(maxsize=16384)
def _of_day(
    day: date, window: Window, zone: ZoneInfo, country: str
) -> tuple[tuple[Slot, datetime, datetime], ...]:
    """The slots of a day within a window, each with its begin and end; none where the window stays shut."""
    if not opens_on(day, window, country):
        return ()
    return tuple(
        (
            Slot(day.weekday(), band),
            local_instant(day, max(window.opens, band * BAND), zone),
            local_instant(day, min(window.closes, (band + 1) * BAND, DAY_MINUTES), zone),
        )
        for band in range(window.opens // BAND, -(-window.closes // BAND))
    )


def _moment(plan_id: UUID, opening: Opening, now: datetime, stale_at: datetime) -> datetime:
    """Now, if the slot is open; else some minute of it, so that not all mails leave at once."""
    if opening.opens <= now:
        return now
    length = min(opening.closes, stale_at) - opening.opens
    return opening.opens + timedelta(minutes=int(_share(plan_id, "minute") * (length / timedelta(minutes=1))))


def _share(plan_id: UUID, name: str) -> float:
    """A number from 0 to below 1 that the plan and the name alone decide."""
    digest = hashlib.blake2b(f"{plan_id}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _DRAWS


def _normal(plan_id: UUID, slot: Slot) -> float:
    """A draw from the standard normal distribution (Box and Muller); near enough to the posterior's shape."""
    radius = math.sqrt(-2 * math.log(1 - _share(plan_id, f"radius {slot.name}")))
    return radius * math.cos(2 * math.pi * _share(plan_id, f"angle {slot.name}"))
