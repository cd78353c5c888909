"""The rota that everybody shares, as it is edited on its page, and shifts of any rota."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.alerts.domain import layers
from services.alerts.domain.calendars import Calendar
from services.alerts.domain.layers import Layer, Override, Span, Stack


@dataclass(frozen=True, slots=True)
class Rota:
    """A weekly rota.

    Attributes:
        members: in the order of their weeks.
        starts_on: the day of the first member's first hand-over; its weekday is that of all hand-overs.
        hour: local hour of the hand-over.
        zone: IANA name of the zone in which the hand-over is kept.
        overrides: those of all teams.
        calendar: the working hours in which the team promises a contact; None: all hours count.
    """

    members: tuple[UUID, ...] = ()
    starts_on: date = date(2024, 1, 1)
    hour: int = 9
    zone: str = "UTC"
    overrides: tuple[Override, ...] = ()
    version: int = 0
    calendar: Calendar | None = None

    @property
    def weekday(self) -> int:
        """0 = Monday."""
        return self.starts_on.weekday()

    @property
    def stack(self) -> Stack:
        """As one layer."""
        weeks = Layer("weeks", self.members, self.starts_on, self.hour * 60, 7, self.zone)
        return Stack((weeks,) if self.members else (), tuple(o for o in self.overrides if not o.team))


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call and until when."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    override: bool = False
    layer: str = ""


def on_call(stack: Stack, at: datetime, active: Collection[UUID]) -> Shift | None:
    """Who is on call at an instant; None when the rota has nobody."""
    return shift_of(layers.shift(stack, at, active))


def following(stack: Stack, shift: Shift, active: Collection[UUID]) -> Shift | None:
    """Who comes after a shift."""
    return on_call(stack, shift.ends_at, active)


def shift_of(span: Span) -> Shift | None:
    """A stretch of a rota as somebody's shift."""
    duty = span.duty
    if duty is None:
        return None
    return Shift(
        duty.user_id, span.starts_at, span.ends_at, override=duty.override is not None, layer=duty.layer
    )
