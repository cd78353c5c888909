"""Faults as data: a seed and some counts give a schedule, the same one every time.

Faults of one lane follow each other; lanes run side by side, so that a database can crash while the broker is
lost, a service is being killed and a link is cut. Some of those of the stores wait for the end of the lanes:
how long a system takes to move on after one fault can only be told when nothing else is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from demo.chance import Chance
from tests.chaos.fleet import INSTANCES, MAILERS
from tests.chaos.proxy import TroubleKind

SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
SESSION_SECONDS = 6.0
"""After this time a silent consumer's partitions go to others."""


class FaultKind(StrEnum):
    """What happens; the values are those of the journal."""

    KILL = "kill"
    STOP = "stop"
    POSTGRES = "postgres"
    BROKER = "broker"
    BROKER_LOST = "broker-lost"
    LINK = "link"
    MAIL = "mail"
    CLOCK = "clock"
    DISK = "disk"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        number: its place among all faults of its kind.
        where: an instance (`trigger-a`), a link, or "".
        how: the signal, the trouble of a link, the fault of the mail server, the jump in seconds.
        seconds: how long it lasts.
        rest: pause of its lane before it.
        share: part of the connections that a trouble of a link hits.
    """

    kind: FaultKind
    number: int
    where: str = ""
    how: str = ""
    seconds: float = 0.0
    rest: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many faults of each kind; the names are those of the command line."""

    kills: int = 0
    stops: int = 0
    postgres: int = 0
    brokers: int = 0
    losses: int = 0
    links: int = 0
    mails: int = 0
    clocks: int = 0
    disks: int = 0

    def __add__(self, other: Counts) -> Counts:
        """The sum, kind by kind."""
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{one.name: mine[one.name] + theirs[one.name] for one in fields(Counts)})


Lanes = dict[str, tuple[Fault, ...]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """All faults of a campaign: those of the lanes, each in order, and then those that come one by one."""

    lanes: Lanes
    alone: tuple[Fault, ...]


ALONE = 5
"""Every so many-th crash of the database or broker, and loss of the broker's data, happens alone."""
PATIENT = ("database", "broker", "clock")
"""Lanes whose faults wait for the recovery from the one before; those of the others follow their pace."""


def schedule(seed: str, counts: Counts) -> Schedule:
    """What happens in which order."""
    chance = Chance(seed)
    processes = [*_kills(chance, counts.kills), *_stops(chance, counts.stops)]
    stores = list(_stores(chance, counts))
    alone = [one for one in stores if one.kind in _MEASURED and one.number % ALONE == ALONE - 1]
    broker = [one for one in stores if one not in alone and one.kind in _OF_BROKER]
    database = [one for one in stores if one not in alone and one.kind not in _OF_BROKER]
    links = [*_links(chance, counts.links), *_mails(chance, counts.mails)]
    lanes = {
        "processes": processes,
        "database": database,
        "clock": list(_clocks(chance, counts.clocks)),
        "broker": broker,
        "links": links,
    }
    return Schedule({name: _mixed(chance, faults) for name, faults in lanes.items()}, _mixed(chance, alone))


_OF_BROKER = (FaultKind.BROKER, FaultKind.BROKER_LOST)
_MEASURED = (*_OF_BROKER, FaultKind.POSTGRES)


def _mixed(chance: Chance, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: chance.share("order", fault.kind, fault.number)))


def _span(chance: Chance, low: float, high: float, *name: object) -> float:
    return round(low + (high - low) * chance.share(*name), 2)


def _kills(chance: Chance, count: int) -> Iterator[Fault]:
    for number in range(count):
        name = ("kill", number)
        where = f"{chance.pick(SERVICES, *name, 'service')}-{chance.pick(INSTANCES, *name, 'instance')}"
        yield Fault(FaultKind.KILL, number, where, rest=_span(chance, 1.5, 6, *name))


def _stops(chance: Chance, count: int) -> Iterator[Fault]:
    for number in range(count):
        name = ("stop", number)
        where = f"{chance.pick(SERVICES, *name, 'service')}-{chance.pick(INSTANCES, *name, 'instance')}"
        seconds = SESSION_SECONDS + _span(chance, 1, 6, *name, "seconds")
        yield Fault(FaultKind.STOP, number, where, seconds=seconds, rest=_span(chance, 1, 4, *name))


def _stores(chance: Chance, counts: Counts) -> Iterator[Fault]:
    kinds = (
        (FaultKind.POSTGRES, counts.postgres, ("kill", "immediate")),
        (FaultKind.BROKER, counts.brokers, ("kill",)),
        (FaultKind.BROKER_LOST, counts.losses, ("kill",)),
        (FaultKind.DISK, counts.disks, ("full",)),
    )
    for kind, count, ways in kinds:
        for number in range(count):
            name = (kind, number)
            how = chance.pick(ways, *name, "how")
            seconds = _span(chance, 0, 4, *name, "seconds")
            yield Fault(kind, number, how=how, seconds=seconds, rest=_span(chance, 0.5, 2.5, *name))


def _links(chance: Chance, count: int) -> Iterator[Fault]:
    links = ("broker", *(f"postgres.{s}" for s in SERVICES), *(f"mail.{s}" for s in MAILERS))
    for number in range(count):
        name = ("link", number)
        yield Fault(
            FaultKind.LINK,
            number,
            where="broker" if chance.happens(0.3, *name, "broker") else chance.pick(links, *name, "where"),
            how=chance.pick(tuple(TroubleKind), *name, "how"),
            seconds=_span(chance, 0.5, 6, *name, "seconds"),
            rest=_span(chance, 0.3, 2, *name),
            share=chance.pick((0.3, 0.6, 1.0), *name, "share"),
        )


def _mails(chance: Chance, count: int) -> Iterator[Fault]:
    ways = (
        "drop_after_accept",
        "drop_before_accept",
        "refuse_recipient 451",
        "refuse_recipient 550",
        "refuse_content 452",
        "refuse_content 554",
        "slow",
    )
    for number in range(count):
        name = ("mail", number)
        how = ways[number % len(ways)]
        yield Fault(FaultKind.MAIL, number, how=how, seconds=4.0, rest=_span(chance, 0.5, 3, *name))


def _clocks(chance: Chance, count: int) -> Iterator[Fault]:
    """Jumps of the database's clock, there and back: by turns ahead and behind."""
    jumps = (3 * 3600, -2 * 3600, 14 * 86400, -86400, 120, -120)
    for number in range(count):
        jump = jumps[number % len(jumps)]
        yield Fault(
            FaultKind.CLOCK, number, how=str(jump), seconds=4.0, rest=_span(chance, 0.5, 2, "clock", number)
        )
