"""Ten thousand people and the gateways before them, drawn by a seed: how many people are held by mistake?

Each person gets a mail, opens it after a log-normal time and answers in one of the ways of `WAYS`; whatever
gateways there are (`GATEWAYS`) scan the same links before, during or after it, and some press buttons. What
each mail's story is depends on the seed and the person's number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from statistics import NormalDist

from demo.chance import Chance
from tests.corpus.traces import SCORES, Actor, Link, Sending, Step, Trace, machines, people

SEED = "2026"
PEOPLE = 10_000
DAY = 86_400.0
_NORMAL = NormalDist()
_SCORES = {"9": 25, "10": 20, "8": 18, "7": 12, "6": 8, "5": 7, "3": 4, "1": 3, "0": 3}
_CAST = {**machines()[0].cast, **people()[0].cast}


@dataclass(frozen=True, slots=True)
class Draw:
    """The chances of one person."""

    chance: Chance
    number: int

    def share(self, name: str) -> float:
        """From 0 to 1, neither included."""
        return max(self.chance.share(name, self.number), 1e-12)

    def spread(self, median: float, sigma: float, name: str) -> float:
        """Seconds, log-normal: reading, typing and delays are many small factors multiplied."""
        return median * exp(sigma * _NORMAL.inv_cdf(self.share(name)))

    def happens(self, probability: float, name: str) -> bool:
        """Whether something of this probability happens."""
        return self.share(name) < probability

    def pick(self, weighted: Mapping[str, float], name: str) -> str:
        """One of several, by weight."""
        left = self.share(name) * sum(weighted.values())
        for one, weight in weighted.items():
            left -= weight
            if left <= 0:
                return one
        return next(iter(weighted))

    def score(self, name: str) -> int:
        """A score as B2B customers give them: many happy, some in between, few unhappy."""
        return int(
            self.pick({"9": 25, "10": 20, "8": 18, "7": 12, "6": 8, "5": 7, "3": 4, "1": 3, "0": 3}, name)
        )


Way = Callable[[Draw, float, int], Iterator[Step]]


def _visit(draw: Draw, at: float, by: str, link: Link, sending: Sending = Sending()) -> tuple[Step, Step]:  # noqa: B008 - frozen
    """Open, read, type, send. Nobody reads, decides and presses in less than 1.2 s."""
    typing = draw.spread(2.5, 0.6, f"typing {at}") * len(sending.words.split())
    reading = 1.2 + draw.spread(6, 0.9, f"reading {at}")
    return Step(at, by, "open", link), Step(at + reading + typing, by, "send", link, sending)


def _ordinary(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, draw.pick({"desk": 5, "phone": 4, "home": 1}, "device"), score)


def _fast(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "phone", "open", score)
    yield Step(at + 1.1 + draw.spread(0.8, 0.5, "fast"), "phone", "send", score)


def _writes(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, "desk", score, Sending(words="This could have been much easier for us"))


def _on_the_page(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, "desk", "page", Sending(score=score))


def _another_score(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, "phone", (score + 3) % 11, Sending(score=score))


def _two_devices(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "phone", "open", score)
    yield from _visit(draw, at + draw.spread(3600, 1.5, "other device"), "desk", score)


def _goes_back(draw: Draw, at: float, score: int) -> Iterator[Step]:
    opened, sent = _visit(draw, at, "desk", (score + 2) % 11)
    yield from (opened, sent)
    yield Step(sent.at + draw.spread(8, 0.6, "back"), "desk", "send", opened.link, Sending(score=score))


def _double_submit(draw: Draw, at: float, score: int) -> Iterator[Step]:
    opened, sent = _visit(draw, at, "desk", score)
    yield from (opened, sent, Step(sent.at + 0.2, "desk", "send", score))


def _reloads(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "desk", "open", score)
    yield from _visit(draw, at + draw.spread(3, 0.7, "reload"), "desk", score)


def _forwards(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, "desk", (score + 4) % 11)
    yield from _visit(draw, at + draw.spread(7200, 1.5, "forwarded"), "colleague", score)


def _thinks_better(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield from _visit(draw, at, "desk", 9)
    later = Sending(score=score, words="Something happened in between")
    yield from _visit(draw, at + draw.spread(DAY, 0.5, "better"), "desk", "edit", later)


def _old_tab(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "desk", "open", score)
    back = at + DAY + draw.spread(DAY, 0.7, "days")
    yield Step(back, "desk", "send", score)
    yield Step(back + 1 + draw.spread(4, 0.5, "again"), "desk", "send", score)


def _wrong_tap(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "phone", "open", (score + 1) % 11)
    yield from _visit(draw, at + 2 + draw.spread(4, 0.7, "mended"), "phone", score)


def _preview(draw: Draw, at: float, score: int) -> Iterator[Step]:
    yield Step(at, "preview", "open", score)
    yield from _visit(draw, at + 1.5, "phone", score)


def _by(actor: str) -> Way:
    def way(draw: Draw, at: float, score: int) -> Iterator[Step]:
        yield from _visit(draw, at, actor, score)

    return way


WAYS: Mapping[str, tuple[float, Way]] = {
    "reads and sends": (42.0, _ordinary),
    "fast": (10.0, _fast),
    "writes": (18.0, _writes),
    "chooses on the page": (8.0, _on_the_page),
    "another score on the page": (3.0, _another_score),
    "two devices": (3.0, _two_devices),
    "back button": (2.0, _goes_back),
    "double submit": (2.0, _double_submit),
    "reloads": (3.0, _reloads),
    "forwards": (1.0, _forwards),
    "thinks better of it": (2.0, _thinks_better),
    "comes back to an old tab": (1.0, _old_tab),
    "taps the wrong score first": (0.3, _wrong_tap),
    "telephone previews": (2.0, _preview),
    "no JavaScript": (1.0, _by("noscript")),
    "style sheet lost": (0.5, _by("tunnel")),
    "text browser": (0.2, _by("lynx")),
    "telephone called Cubot": (0.2, _by("cheap")),
}
"""How people answer: weight and story."""

Scan = Callable[[Draw, float, Link], Iterator[Step]]
_EVERY: Sequence[Link] = (*SCORES, "trap", "stop", "page")


def _burst(at: float, by: str, apart: float, do: Sequence[str] = ("get",)) -> Iterator[Step]:
    for number, link in enumerate(_EVERY):
        for action in do:
            yield Step(at + number * apart, by, action, link)


def _presses(at: float, by: str, dwell: float, links: Sequence[Link]) -> Iterator[Step]:
    for number, link in enumerate(links):
        yield Step(at + 0.1 * number, by, "open", link)
        yield Step(at + 0.1 * number + dwell, by, "send", link)


def _at_delivery(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    yield from _burst(draw.spread(15, 1.3, "delivery"), "gateway", 0.08, ("head", "get"))


def _two_in_a_row(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    first = draw.spread(5, 1, "first")
    yield from _burst(first, "gateway", 0.1)
    yield from _burst(first + draw.spread(20, 1, "second"), "gateway2", 0.06, ("head", "get"))


def _at_the_click(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    for number, by in enumerate(("gateway", "gateway2", "gateway3")[: 1 + int(3 * draw.share("nodes"))]):
        yield Step(at - 0.6 + 0.2 * number, by, "head", link)
        yield Step(at - 0.5 + 0.2 * number, by, "get", link)


def _office_proxy(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    yield Step(at - 0.4, "proxy", "head", link)
    yield Step(at - 0.3, "proxy", "get", link)


def _rescans(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    yield from _burst(3 * DAY * draw.share("rescan"), "gateway3", 0.1)


def _antivirus(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    """All links when the mail is opened, from the person's own desk; then the person reads the mail."""
    yield from _burst(at - draw.spread(15, 0.8, "mail read"), "proxy", 0.05)


def _shared_nat(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    yield from _burst(draw.spread(8, 1, "in the house"), "proxy", 0.1, ("head", "get"))


def _posts(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    links = SCORES if draw.happens(0.5, "all") else (draw.score("pressed"),)
    when = draw.spread(120, 1.5, "posted")
    for number, score in enumerate(links):
        yield Step(when + 0.1 * number, "gateway", "get", score)
        yield Step(when + 0.1 * number + draw.spread(3, 0.6, "dwell"), "gateway", "send", score)


def _headless(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    links = SCORES if draw.happens(0.5, "shows all") else (draw.score("shown"),)
    by = "robot" if draw.happens(0.5, "driven") else "robot2"
    yield from _presses(draw.spread(120, 1.5, "showed"), by, draw.spread(4, 0.6, "stays"), links)


def _detonates_at_the_click(draw: Draw, at: float, link: Link) -> Iterator[Step]:
    yield from _presses(at - 0.5, "robot", 3, (link,))


GATEWAYS: Mapping[str, tuple[float, Scan]] = {
    "scans at delivery": (0.35, _at_delivery),
    "two gateways in a row": (0.05, _two_in_a_row),
    "scans at the click": (0.15, _at_the_click),
    "proxy asks first, same address": (0.04, _office_proxy),
    "scans again within three days": (0.15, _rescans),
    "gateway in the house, same address": (0.04, _shared_nat),
    "antivirus opens all with the mail": (0.003, _antivirus),
    "presses buttons: form poster": (0.03, _posts),
    "presses buttons: headless browser": (0.03, _headless),
    "presses the same button at the click": (0.005, _detonates_at_the_click),
}
"""What stands before a person's mailbox: how often, and what it does; several may."""


@dataclass(frozen=True, slots=True)
class Life:
    """One simulated person: way of answering, gateways, and the mail's story with and without the person."""

    way: str
    gateways: tuple[str, ...]
    trace: Trace
    unanswered: Trace


def lives(many: int = PEOPLE, seed: str = SEED) -> Iterator[Life]:
    """Everybody, one after the other; the same for the same seed."""
    chance = Chance(seed)
    weights = {name: weight for name, (weight, _) in WAYS.items()}
    for number in range(many):
        draw = Draw(chance, number)
        way, score = draw.pick(weights, "way"), draw.score("score")
        at = draw.spread(2 * 3600, 2, "opened")
        own = tuple(WAYS[way][1](draw, at, score))
        before = tuple(name for name, (share, _) in GATEWAYS.items() if draw.happens(share, name))
        scans = tuple(step for name in before for step in GATEWAYS[name][1](draw, at, own[0].link))
        yield Life(way, before, _trace(number, own + scans, score), _trace(number, scans, None))


def _trace(number: int, steps: tuple[Step, ...], score: int | None) -> Trace:
    ends = "nothing" if score is None else "counted"
    in_order = tuple(sorted(steps, key=lambda step: step.at))
    return Trace(f"person {number}", "simulation", score is not None, _ACTORS, in_order, ends, score)


_ACTORS: Mapping[str, Actor] = _CAST
