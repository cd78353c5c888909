"""A rota in layers: orders of people with hand-overs in local time, of which a later one stands above.

At every instant exactly one person is on call, or nobody, and then it can be said why.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.calendars import DAY_MINUTES, local_instant

DAY = timedelta(days=1)
MAX_DAYS = 366
"""The longest turn; nobody plans further."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The part of the week in which a layer counts.

    Attributes:
        days: weekdays on which it begins, 0 = Monday.
        opens: local minute of the day at which it begins.
        closes: local minute at which it ends; not after `opens`, it ends on the next day.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    opens: int = 0
    closes: int = DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Layer:
    """People who take turns.

    Attributes:
        members: in the order of their turns.
        starts_on: the local day of the first member's first hand-over; turns go back before it too.
        minute: local minute of the day of each hand-over.
        every: length of a turn in days: 7 for weeks, 1 for days.
        zone: IANA name of the zone in which hand-overs and hours are kept.
        hours: when the layer counts; None: always.
    """

    name: str
    members: tuple[UUID, ...]
    starts_on: date
    minute: int = 9 * 60
    every: int = 7
    zone: str = "UTC"
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call from `starts_at` (included) to `ends_at` (not included).

    Attributes:
        team: whose rota it is in; empty for the one that everybody shares.
        swap: the agreed swap that it is one half of.
    """

    id: UUID
    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    team: str = ""
    swap: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A whole rota: layers, the last on top, and overrides above all of them."""

    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call at an instant, and by what: a turn of a layer, or an override."""

    user_id: UUID
    layer: str = ""
    turn: int = 0
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with one duty, or without any."""

    starts_at: datetime
    ends_at: datetime
    duty: Duty | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time in which nobody is on call, and why, in words."""

    starts_at: datetime
    ends_at: datetime
    why: str


def who(stack: Stack, at: datetime, active: Collection[UUID]) -> Duty | None:
    """Who is on call at an instant.

    Whoever is not active any more is passed over: their turn falls to the next of the layer, the layer's
    to the one below. The override that began last wins, so a short one inside a long one counts.
    """
    running = [o for o in stack.overrides if o.starts_at <= at < o.ends_at and o.user_id in active]
    if running:
        last = max(running, key=lambda o: (o.starts_at, str(o.id)))
        return Duty(last.user_id, override=last)
    for layer in reversed(stack.layers):
        if counts(layer, at):
            number = turn_of(layer, at)
            member = _member(layer, number, active)
            if member is not None:
                return Duty(member, layer.name, number)
    return None


def counts(layer: Layer, at: datetime) -> bool:
    """Whether a layer has a say at an instant."""
    if layer.hours is None:
        return True
    today = at.astimezone(ZoneInfo(layer.zone)).date()
    return any(
        opens <= at < closes
        for day in (today - DAY, today, today + DAY)
        for opens, closes in _window(layer.hours, day, layer.zone)
    )


def turn_of(layer: Layer, at: datetime) -> int:
    """The number of the turn whose hand-over was last; compared in UTC, so a changed hour is no surprise."""
    # Two back: where a whole day was skipped (Samoa, 2011), yesterday has not been handed over yet.
    near = (at.astimezone(ZoneInfo(layer.zone)).date() - layer.starts_on).days // layer.every
    return max(number for number in range(near - 2, near + 2) if hand_over(layer, number) <= at)


def hand_over(layer: Layer, turn: int) -> datetime:
    """When a turn begins: at the same local time always."""
    return local_instant(layer.starts_on + turn * layer.every * DAY, layer.minute, ZoneInfo(layer.zone))


def spans(stack: Stack, since: datetime, until: datetime, active: Collection[UUID]) -> tuple[Span, ...]:
    """The whole time from `since` to `until`, cut where the duty changes."""
    found: list[Span] = []
    edges = sorted({since, until, *(e for e in _edges(stack, since, until) if since < e < until)})
    for starts_at, ends_at in itertools.pairwise(edges):
        duty = who(stack, starts_at, active)
        if found and found[-1].duty == duty:
            found[-1] = replace(found[-1], ends_at=ends_at)
        else:
            found.append(Span(starts_at, ends_at, duty))
    return tuple(found)


def shift(stack: Stack, at: datetime, active: Collection[UUID]) -> Span:
    """The stretch around an instant in which the duty does not change; a gap is cut after a while."""
    reach = max((layer.every for layer in stack.layers), default=7) * DAY + 2 * DAY
    running = [o for o in stack.overrides if o.starts_at <= at < o.ends_at]
    since = min((at, *(o.starts_at for o in running))) - reach
    until = max((at, *(o.ends_at for o in running))) + reach
    return next(s for s in spans(stack, since, until, active) if s.starts_at <= at < s.ends_at)


def gaps(stack: Stack, since: datetime, until: datetime, active: Collection[UUID]) -> tuple[Gap, ...]:
    """When nobody is on call between two instants, each stretch with its reason."""
    return tuple(
        Gap(span.starts_at, span.ends_at, _why(stack, span.starts_at, active))
        for span in spans(stack, since, until, active)
        if span.duty is None
    )


def _why(stack: Stack, at: datetime, active: Collection[UUID]) -> str:
    if not stack.layers:
        return "no order is set"
    there = [layer for layer in stack.layers if counts(layer, at)]
    if not there:
        return "no layer counts at these hours"
    empty = " and ".join(layer.name for layer in there)
    people = {user_id for layer in there for user_id in layer.members}
    return (
        f"{empty}: nobody of it is active any more" if people - set(active) else f"{empty}: nobody is in it"
    )


def _member(layer: Layer, turn: int, active: Collection[UUID]) -> UUID | None:
    size = len(layer.members)
    turns = (layer.members[(turn + offset) % size] for offset in range(size))
    return next((user_id for user_id in turns if user_id in active), None)


def _edges(stack: Stack, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant at which the duty may change, and some outside of the time asked for."""
    for override in stack.overrides:
        yield override.starts_at
        yield override.ends_at
    for layer in stack.layers:
        first, last = turn_of(layer, since), turn_of(layer, until)
        yield from (hand_over(layer, number) for number in range(first, last + 1))
        if layer.hours is not None:
            day, end = (at.astimezone(ZoneInfo(layer.zone)).date() for at in (since - DAY, until + DAY))
            while day <= end:
                for window in _window(layer.hours, day, layer.zone):
                    yield from window
                day += DAY


def _window(hours: Hours, day: date, zone: str) -> Iterator[tuple[datetime, datetime]]:
    if day.weekday() in hours.days:
        end = day + DAY if hours.closes <= hours.opens else day
        yield (
            local_instant(day, hours.opens, ZoneInfo(zone)),
            local_instant(end, hours.closes, ZoneInfo(zone)),
        )
