"""The figures of the simulation: who was counted, held or lost, by behaviour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.corpus import pure
from tests.corpus.simulation import Life

HELD_AT_MOST = 0.005
"""Share of people that may be held by mistake (F6)."""


@dataclass(slots=True)
class Tally:
    """Sums over simulated people.

    Attributes:
        people: Way of answering -> how it ended: `counted`, `held`, `dropped` (no answer was recorded) or
            `other` (counted, with a score that was not the last one the person gave).
        gateways: What stood before the mailbox -> how its people ended; several may stand before one.
        machines: The same mails without their people: `nothing`, `held` or `counted`.
        reasons: Evidence by which people were held.
    """

    people: dict[str, Counter[str]] = field(default_factory=dict)
    gateways: dict[str, Counter[str]] = field(default_factory=dict)
    machines: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, life: Life) -> None:
        """Judge one person's mail, and the same mail without the person."""
        end = pure.end(life.trace)
        how = {"nothing": "dropped"}.get(end.ends, end.ends)
        if how == "counted" and end.score != life.trace.score:
            how = "other"
        self.people.setdefault(life.way, Counter())[how] += 1
        for name in life.gateways or ("none",):
            self.gateways.setdefault(name, Counter())[how] += 1
        if how == "held":
            self.reasons[end.evidence] += 1
        self.machines[pure.end(life.unanswered).ends] += 1

    @property
    def total(self) -> Counter[str]:
        """All people together."""
        return sum(self.people.values(), Counter())

    @property
    def held(self) -> float:
        """Share of people held by mistake."""
        return self.total["held"] / self.total.total()


def tally(lives: Iterable[Life]) -> Tally:
    """Judge everybody."""
    made = Tally()
    for life in lives:
        made.add(life)
    return made


def table(made: Tally) -> str:
    """The figures as Markdown."""
    lines = ["| people who | counted | held | dropped |", "|---|--:|--:|--:|"]
    lines += [_row(name, ends) for name, ends in sorted(made.people.items(), key=lambda one: -one[1].total())]
    lines += [_row("**all**", made.total), "", "| people behind a gateway that | counted | held | dropped |"]
    lines += ["|---|--:|--:|--:|"]
    lines += [
        _row(name, ends) for name, ends in sorted(made.gateways.items(), key=lambda one: -one[1].total())
    ]
    lines += ["", "| the same mails, without their people | mails |", "|---|--:|"]
    lines += [f"| machines: {how} | {made.machines[how]:,} |" for how in ("nothing", "held", "counted")]
    lines += ["", "| why people were held | people |", "|---|--:|"]
    lines += [f"| {', '.join(reasons)} | {many} |" for reasons, many in made.reasons.most_common()]
    return "\n".join(lines)


def _row(name: str, ends: Counter[str]) -> str:
    counted = ends["counted"] + ends["other"]
    return f"| {name} | {counted:,} | {ends['held']:,} | {ends['dropped']:,} |"
