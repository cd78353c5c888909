"""What was learned about moments, as people read it: who, how sure it is, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from babel import Locale

from services.trigger.domain.best_moment import BAND, EXPLORED, Learned, Seen, Slot
from services.trigger.domain.programme import Edition
from shared.contracts.model import Persona
from shared.contracts.programmes import ProgrammeState
from shared.intervals import Interval, difference, wilson

_ONE_SIDE = 0.025
"""By how much an interval may miss at each end, to hold 19 times of 20."""

_PERSONAS = {Persona.USER: "Users", Persona.DECISION_MAKER: "Decision makers"}
_UNKNOWN = "unknown"
_LANGUAGES = Locale("en").languages


@dataclass(frozen=True, slots=True)
class SlotShown:
    """A slot of a kind of people.

    Attributes:
        slot: weekday and hours at the recipient.
        words: the same as people say it.
        asked: how many were asked then, and could have answered by now; none at a slot still to be tried.
        answered: how many of them did within the patience.
        low: lower end of the interval in which the true share lies, 19 times of 20; `high` the upper one.
        believed: the share that choices are made by, with the guides' rule in it.
        guides: whether the guides name it.
        best: whether it is the one that nine of ten plans take, where their window has it.
    """

    slot: str
    words: str
    asked: int
    answered: int
    low: float
    high: float
    believed: float
    guides: bool
    best: bool


@dataclass(frozen=True, slots=True)
class SegmentShown:
    """A kind of people, with its slots, the best first.

    Attributes:
        segment: the family of programmes, and the persona or language.
        who: the same in words.
        sure: whether the best slot surely gets more answers than the others.
        verdict: what is known and how sure that is, in a sentence or two.
        used_by: the programmes that go by it.
        follows: what they do with it.
    """

    segment: str
    who: str
    asked: int
    answered: int
    sure: bool
    verdict: str
    used_by: tuple[str, ...]
    follows: str
    slots: tuple[SlotShown, ...]


def shown(lessons: Iterable[tuple[str, Slot, Seen]], editions: Sequence[Edition]) -> list[SegmentShown]:
    """What was learned of each kind of people, and what the programmes that run make of it.

    Slots at which nobody was asked are left out, but for the one that is taken all the same.
    """
    by_segment: dict[str, dict[Slot, Seen]] = {}
    for segment, slot, seen in lessons:
        by_segment.setdefault(segment, {})[slot] = seen
    return [_segment(segment, slots, editions) for segment, slots in sorted(by_segment.items())]


def _segment(segment: str, slots: dict[Slot, Seen], editions: Sequence[Edition]) -> SegmentShown:
    learned, family = Learned(slots), segment.partition("/")[0]
    users = [
        one for one in editions if one.programme.family == family and one.programme.send.learns and _runs(one)
    ]
    open_ = {slot for one in users for slot in _slots_of(one)}
    taken = min(open_, key=lambda slot: _rank(slot, learned), default=None)
    ordered = sorted(slots.keys() | ({taken} if taken else set()), key=lambda slot: _rank(slot, learned))
    asked, answered = (sum(pair) for pair in zip(*slots.values(), strict=True))
    favourite = taken or ordered[0]
    seen = slots.get(favourite, Seen())
    rest = Seen(asked - seen.asked, answered - seen.answered)
    more = _more(seen, rest, len(slots))
    return SegmentShown(
        segment=segment,
        who=_who(segment),
        asked=asked,
        answered=answered,
        sure=more is not None and more.low > 0,
        verdict=_verdict(favourite, seen, rest, more),
        used_by=tuple(one.key for one in users),
        follows=_follows(taken),
        slots=tuple(_slot(slot, learned, best=slot == taken) for slot in ordered),
    )


def _runs(edition: Edition) -> bool:
    return edition.state is not ProgrammeState.ARCHIVED


def _slots_of(edition: Edition) -> Iterable[Slot]:
    """The slots that a programme's window has."""
    window = edition.programme.send.rule
    if window is None:
        return ()
    bands = range(window.opens // BAND, -(-window.closes // BAND))
    return (Slot(day, band) for day in window.days for band in bands)


def _rank(slot: Slot, learned: Learned) -> tuple[float, Slot]:
    """The order in which slots are taken."""
    return -learned.belief(slot).surely, slot


def _who(segment: str) -> str:
    """The people of a segment, as a heading."""
    family, _, kind = segment.partition("/")
    if kind in _PERSONAS:
        people = _PERSONAS[Persona(kind)]
    elif kind == _UNKNOWN:
        people = "People of unknown language"
    else:
        people = f"People who read {_LANGUAGES.get(kind, kind)}, persona unknown"
    return f"{people}: {family} surveys"


def _more(seen: Seen, rest: Seen, tried: int) -> Interval | None:
    """By how much more of a slot's people answer than of all others, as an interval.

    It is the best of all that were tried, and one of many looks good by chance: so the more were tried, the
    less each end may miss (Bonferroni).
    """
    if not seen.asked or not rest.asked:
        return None
    z = NormalDist().inv_cdf(1 - _ONE_SIDE / tried)
    around = (wilson(one.answered, one.asked, z) for one in (rest, seen))
    return difference(_share(rest), next(around), _share(seen), next(around))


def _share(seen: Seen) -> float:
    return seen.answered / seen.asked


def _verdict(best: Slot, seen: Seen, rest: Seen, more: Interval | None) -> str:
    if not seen.asked:
        return f"{best.words} was not tried yet; no other time has proved better than that."
    told = f"{best.words}: {seen.answered} of {seen.asked} answered ({_share(seen):.0%})"
    if more is None:
        return f"{told}. No other time was tried yet, so there is nothing to compare it with."
    others = f"at all other times {rest.answered} of {rest.asked} ({_share(rest):.0%})"
    if more.low > 0:
        points = f"{100 * more.low:.0f} to {100 * more.high:.0f} points more, 19 times of 20"
        return f"More answer then than at other times. {told}, {others}: {points}."
    return f"The difference may be chance. {told}, {others}."


def _follows(taken: Slot | None) -> str:
    if taken is None:
        return (
            "No programme of this kind goes by it: write learn: true in the window of one that shall wait "
            "for it."
        )
    tries = round(1 / EXPLORED)
    return (
        f"Of {tries} people {tries - 1} are asked on {taken.words}, where the programme's window has it and "
        "it is not too far off; one at another time, so that more is learned."
    )


def _slot(slot: Slot, learned: Learned, *, best: bool) -> SlotShown:
    belief = learned.belief(slot)
    asked, answered = belief.seen
    around = wilson(answered, asked) if asked else Interval(0, 1)
    return SlotShown(
        slot=slot.name,
        words=slot.words,
        asked=asked,
        answered=answered,
        low=around.low,
        high=around.high,
        believed=belief.mean,
        guides=slot.guides,
        best=best,
    )
