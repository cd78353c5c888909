"""The moment of a programme: after an event, before a date, again and again, or by hand."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from services.trigger.domain.parts import Names, PartId, Rules, SpanText
from services.trigger.domain.timing import Span

RENEWAL = "contract.renewal_date"
"""The one date a programme may stand before."""

ACCOUNT_START = "account.start"
"""The day an account became a customer: anchor of a series, known from the directory, not from an event."""

BY_HAND = "ask.requested"
"""The event by which somebody asks by hand; its context names the programme."""


class Per(StrEnum):
    """What "once", `nth` and `cancel_on` are counted per."""

    CONTACT = "contact"
    ACCOUNT = "account"
    ORDER = "order"
    TICKET = "ticket"
    PROJECT = "project"
    CONTRACT = "contract"
    PRODUCT = "product"
    EVENT = "event"


class HoldKind(StrEnum):
    """Holds that every programme may name without saying by which events they begin and end."""

    INCIDENT = "incident"
    DETRACTOR_TICKET = "detractor_ticket"
    DUNNING = "dunning"


class HoldRule(Rules):
    """A hold of one's own: one of the `from` events begins it at an account, one of `until` releases it."""

    name: PartId
    starts: Names = Field(alias="from", min_length=1)
    until: Names = Field(min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> HoldRule:
        if self.name in set(HoldKind):
            raise ValueError(f"{self.name!r} is built in; write its name alone")
        if both := set(self.starts) & set(self.until):
            raise ValueError(f"{min(both)!r} both begins and ends the hold {self.name!r}")
        return self


BUILT_IN = (
    HoldRule.model_construct(
        name=HoldKind.INCIDENT.value, starts=("incident.opened",), until=("incident.resolved",)
    ),
    HoldRule.model_construct(
        name=HoldKind.DUNNING.value,
        starts=("invoice.overdue",),
        until=("invoice.paid", "invoice.written_off"),
    ),
)
"""Holds that events begin and end without a programme saying so; detractor tickets come from alerts."""


class Bound(Rules):
    """A condition on a number; all given bounds must hold."""

    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Bound:
        if not self.model_fields_set:
            raise ValueError("write at least one of gte, lte, gt and lt")
        return self


Wanted = bool | int | float | str | Annotated[list[bool | int | float | str], Field(min_length=1)] | Bound


_KINDS: list[JsonValue] = [
    {"required": ["touchpoint"]},
    {"required": ["before", "by"]},
    {"required": ["every", "anchor"]},
    {"required": ["on"]},
]
"""The four kinds of a moment, for editors."""


class When(Rules):
    """The moment. Exactly one of `touchpoint`, `before`, `every` and `on` says which kind it is."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _KINDS, "dependentRequired": {"by": ["before"]}})

    touchpoint: Names = ()
    before: Literal["contract.renewal_date"] | None = None
    by: SpanText = Span()
    every: SpanText = Span()
    anchor: str = ""
    until: Names = ()
    rare_because: str = ""
    on: Literal["manual"] | None = None
    where: dict[str, Wanted] = Field(default_factory=dict)
    nth: Annotated[int, Field(ge=1)] = 1
    per: Per = Per.CONTACT
    delay: SpanText = Span()
    cancel_on: Names = ()
    hold_while: tuple[str | HoldRule, ...] = (HoldKind.DETRACTOR_TICKET.value,)
    fresh_for: SpanText

    @model_validator(mode="after")
    def _one_moment(self) -> When:
        kinds = [bool(self.touchpoint), self.before is not None, bool(self.every.rough), self.on is not None]
        if sum(kinds) != 1:
            raise ValueError(
                "write one of touchpoint (with delay), before (with by), every (with anchor) and on: manual"
            )
        if self.before and not self.by.rough:
            raise ValueError("before needs by, for example by: 60d")
        if self.by.rough and not self.before:
            raise ValueError("by belongs to before; after a touchpoint write delay")
        if self.delay.rough and not self.touchpoint:
            raise ValueError("delay belongs to touchpoint")
        if self.nth > 1 and not self.touchpoint:
            raise ValueError("nth belongs to touchpoint")
        if self.per is Per.EVENT and (self.nth > 1 or not self.touchpoint):
            raise ValueError("every event by itself is asked about after a touchpoint, without nth")
        return self

    @model_validator(mode="after")
    def _series(self) -> When:
        if not self.recurring:
            if self.anchor or self.until:
                raise ValueError("anchor and until belong to every")
            return self
        if not self.anchor:
            raise ValueError(f"every needs an anchor: {ACCOUNT_START}, or the event that starts the series")
        if self.every.hours:
            raise ValueError("every counts days, months or years; hours are no calendar")
        if self.fresh_for.rough >= self.every.rough:
            raise ValueError("fresh_for must be shorter than every, or two of the series overlap")
        if self.anchor == ACCOUNT_START and self.per is not Per.ACCOUNT:
            raise ValueError(f"a series from {ACCOUNT_START} is counted per: account")
        if self.anchor == ACCOUNT_START and self.where:
            raise ValueError(f"where speaks of events; a series from {ACCOUNT_START} is narrowed by audience")
        return self

    @model_validator(mode="after")
    def _known_holds(self) -> When:
        for hold in self.hold_while:
            if isinstance(hold, str) and hold not in set(HoldKind):
                raise ValueError(
                    f"the hold {hold!r} has no events; write {{name: {hold}, from: …, until: …}}, "
                    f"or one of {', '.join(HoldKind)}"
                )
        return self

    @cached_property
    def recurring(self) -> bool:
        """Whether it asks again and again."""
        every = self.every
        return bool(every.months or every.days or every.hours)

    @cached_property
    def from_account_start(self) -> bool:
        """Whether the series begins with the account, not with an event."""
        return self.recurring and self.anchor == ACCOUNT_START

    @cached_property
    def by_hand(self) -> bool:
        """Whether only somebody's request starts it."""
        return self.on == "manual"

    @cached_property
    def starts_on(self) -> tuple[str, ...]:
        """Events that plan."""
        if self.by_hand:
            return (BY_HAND,)
        if self.recurring:
            return () if self.from_account_start else (self.anchor,)
        return self.touchpoint

    @cached_property
    def ends_on(self) -> tuple[str, ...]:
        """Events that call off what is planned."""
        return (*self.cancel_on, *self.until)

    @cached_property
    def holds(self) -> tuple[str, ...]:
        """Names of the holds it waits for."""
        return tuple(hold if isinstance(hold, str) else hold.name for hold in self.hold_while)

    @property
    def own_holds(self) -> tuple[HoldRule, ...]:
        """Holds that it defines itself."""
        return tuple(hold for hold in self.hold_while if isinstance(hold, HoldRule))
