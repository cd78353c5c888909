"""What was learned about moments, as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.trigger.domain.best_moment import Learned, Seen, Slot, wilson


@dataclass(frozen=True, slots=True)
class SlotShown:
    """A slot of a kind of people.

    Attributes:
        slot: weekday and hours at the recipient.
        asked: how many were asked then, and could have answered by now.
        answered: how many of them did within the patience.
        low: lower end of the interval in which the true share lies, 19 times of 20; `high` the upper one.
        believed: the share that choices are made by, with the guides' rule in it.
        guides: whether the guides name the slot.
        best: whether it is the one that nine of ten plans take, where their window has it.
    """

    slot: str
    asked: int
    answered: int
    low: float
    high: float
    believed: float
    guides: bool
    best: bool


@dataclass(frozen=True, slots=True)
class SegmentShown:
    """A kind of people, with its slots, the best first."""

    segment: str
    asked: int
    answered: int
    slots: tuple[SlotShown, ...]


def shown(lessons: Iterable[tuple[str, Slot, Seen]]) -> list[SegmentShown]:
    """What was learned of each kind of people; slots at which nobody was asked are left out."""
    by_segment: dict[str, dict[Slot, Seen]] = {}
    for segment, slot, seen in lessons:
        by_segment.setdefault(segment, {})[slot] = seen
    return [_segment(segment, slots) for segment, slots in sorted(by_segment.items())]


def _segment(segment: str, slots: dict[Slot, Seen]) -> SegmentShown:
    learned = Learned(slots)
    ordered = sorted(slots, key=lambda slot: (-learned.belief(slot).surely, slot))
    rows = tuple(_slot(slot, learned, best=slot == ordered[0]) for slot in ordered)
    asked, answered = (sum(pair) for pair in zip(*slots.values(), strict=True))
    return SegmentShown(segment, asked, answered, rows)


def _slot(slot: Slot, learned: Learned, *, best: bool) -> SlotShown:
    belief = learned.belief(slot)
    low, high = wilson(belief.seen)
    return SlotShown(slot.name, *belief.seen, low, high, belief.mean, slot.guides, best)
