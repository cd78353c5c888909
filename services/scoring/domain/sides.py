"""One side of a comparison: which answers are on it, which sums serve it, what two have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from services.scoring.domain.asking import NoSuchRollup, Question, Span
from services.scoring.domain.cutting import path_of
from services.scoring.domain.rollups import CONTEXT, JOINT, RATE_ROLLUPS, ROLLUPS, Rollup, name_of

MOST = 3
"""Dimensions of one cut, the programme not counted in."""

Cut = tuple[tuple[str, str], ...]
"""Dimensions with the value that each has, in the order of their names."""

PROGRAMME = "programme"


class NoSuchSide(ValueError):
    """There are no such answers; the message says why, and what there is."""


@dataclass(frozen=True, slots=True)
class Side:
    """Answers of some days.

    Attributes:
        span: the days.
        cut: what they have in common; without anything it is all answers.
        but: what is taken out: answers that have all of this in common.
    """

    span: Span
    cut: Cut = ()
    but: Cut = ()

    @property
    def programme(self) -> str:
        """The programme that all of them are of; "" where there are several."""
        return dict(self.cut).get(PROGRAMME, "")

    @property
    def dimensions(self) -> frozenset[str]:
        """All dimensions by which it is told apart."""
        return frozenset(name for name, _ in (*self.cut, *self.but))


def cut_of(programme: str, where: Iterable[str]) -> Cut:
    """The cut that an address asks for: a programme, and texts like `tier:key`.

    Raises:
        NoSuchSide: there is nothing of that name in an answer, or it is named twice.
    """
    found = {PROGRAMME: programme} if programme else {}
    given = [one for one in where if one]
    for one in given:
        name, _, value = one.partition(":")
        if name == "account":
            raise NoSuchSide("an account has a page of its own; choose another dimension")
        try:
            path_of(name)
        except NoSuchRollup as error:
            raise NoSuchSide(str(error)) from error
        if not value or name in found:
            raise NoSuchSide(f"{one}: write dimension:value, each dimension once")
        found[name] = value
    if len(given) > MOST:
        raise NoSuchSide(f"choose {MOST} dimensions at most")
    return tuple(sorted(found.items()))


def others(cut: Cut, span: Span) -> Side:
    """All others of the same programme; where the cut is a whole programme, all other programmes.

    Raises:
        NoSuchSide: there are no others than all.
    """
    programme = tuple(one for one in cut if one[0] == PROGRAMME)
    if not cut:
        raise NoSuchSide("there are no others than all; choose a programme or a dimension on the other side")
    return Side(span, () if programme == cut else programme, cut)


def common(one: Side, other: Side) -> Side | None:
    """The answers that are on both sides; None where there cannot be any."""
    span = Span(max(one.span.first, other.span.first), min(one.span.last, other.span.last))
    cut, both = dict(one.cut), {*one.cut, *other.cut}
    if span.first > span.last or any(cut.get(name, value) != value for name, value in other.cut):
        return None
    but = one.but or other.but
    if but and set(but) <= both:
        return None
    return Side(span, tuple(sorted(both)), but)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums to add up, and those to take off again: by rollup and value."""

    add: tuple[str, str]
    less: tuple[str, str] | None = None

    def questions(self, family: str | None) -> Sequence[Question]:
        """The one or two questions to ask."""
        wanted = (self.add, self.less) if self.less else (self.add,)
        return [Question(rollup, value, exact=True, family=family) for rollup, value in wanted]


def score_sums(side: Side) -> Sums | None:
    """The sums of scores that a side is read from; None where its answers have to be."""
    return _sums(side, ROLLUPS)


def rate_sums(side: Side) -> Sums | None:
    """The sums of response rates of a side; None where none are kept."""
    return _sums(side, RATE_ROLLUPS, context=False)


def _sums(side: Side, kept: Iterable[Rollup], *, context: bool = True) -> Sums | None:
    rollups = tuple(kept)
    add = _key(dict(side.cut), rollups, context=context)
    if not side.but or add is None:
        return Sums(add) if add else None
    less = _key({**dict(side.cut), **dict(side.but)}, rollups, context=context)
    return Sums(add, less) if less else None


def _key(cut: Mapping[str, str], kept: Sequence[Rollup], *, context: bool) -> tuple[str, str] | None:
    """Rollup and value of the cells that have just this in common."""
    for rollup in permutations(cut):
        attribute = context and len(rollup) == 2 and rollup[0] == PROGRAMME and rollup[1].startswith(CONTEXT)  # noqa: PLR2004 - a pair
        if rollup in kept or attribute:
            return name_of(rollup), JOINT.join(cut[name] for name in rollup)
    return None
