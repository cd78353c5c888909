"""The journal of the outside world: what somebody did to the system, and how it ended, one JSON line each.

It is written by whoever loads and breaks the system, never by the system, and holds what no table can prove:
what was acknowledged, what was refused, and what nobody can know. Each operation has a line when it was sent
and one when it ended; a line that is missing because the writer was killed means that the outcome is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, Union

from shared.runtime.clock import Clock, Machine

CANARY = "kanarie-"
"""What all planted words begin with."""


class Outcome(StrEnum):
    """How an operation ended; whoever got an error or a time-out and cannot know says `UNKNOWN`."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Actor(StrEnum):
    """Who did it; the system is not told."""

    BACKEND = "backend"
    PERSON = "person"
    MACHINE = "machine"
    REP = "rep"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Produced:
    """A backend wrote a touchpoint to the log; acknowledged = `OK`.

    Attributes:
        source: CloudEvents source; `(source, event_id)` is the event's identity. Of a webhook it is what its
            body names, else `/webhooks/<route>`; the id is the body's, else the signed message's.
        digest: of the body, so that two bodies under one id are told apart; "" when it does not matter.
        poison: it cannot be read and must end as a dead letter.
        birth: which life of the broker took it: its data may be lost between two.
    """

    KIND: ClassVar[str] = "produced"
    event_id: str
    source: str
    type: str
    key: str = ""
    digest: str = ""
    poison: bool = False
    birth: int = 0
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A backend called a webhook; 2xx = `OK`, 4xx and a 503 that says nothing was kept = `FAIL`."""

    KIND: ClassVar[str] = "posted"
    event_id: str
    source: str
    type: str
    key: str = ""
    digest: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Somebody opened a link of a mail; `link` is `survey` or `stop`."""

    KIND: ClassVar[str] = "fetched"
    by: Actor
    method: str
    survey_id: str
    link: str = "survey"
    agent: str = ""
    score: int | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody sent an answer; `OK` = told that it is kept, `FAIL` = refused for certain.

    A page that comes back with something to mend (422) may have kept what was readable: that is `UNKNOWN`.

    Attributes:
        key: the idempotency key of a program, "" for a page.
        score: of the survey's primary question, as typed.
        words: other answers by question id.
    """

    KIND: ClassVar[str] = "answered"
    by: Actor
    survey_id: str
    key: str
    score: int
    words: dict[str, str] = field(default_factory=dict)
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody asked for no more mails; `programme` is "" for all of them."""

    KIND: ClassVar[str] = "stopped"
    by: Actor
    contact_id: str
    programme: str = ""
    one_click: bool = False
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """A rep did something to a ticket."""

    KIND: ClassVar[str] = "acted"
    ticket_id: str
    action: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Braked:
    """An operator set (`on`) or let go the brake: scope `all`, `programme` or `account`."""

    KIND: ClassVar[str] = "braked"
    scope: str
    subject: str = ""
    on: bool = True


@dataclass(frozen=True, slots=True)
class Planted:
    """Personal data that can be searched for, put into events about a contact.

    Attributes:
        erased: the contact's erasure was asked for; from `erasure` (event id) on it must go dark.
    """

    KIND: ClassVar[str] = "planted"
    contact: str
    canary: str
    erasure: str = ""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A fault: begins when sent, is over when ended (`OK`).

    Attributes:
        kind: `kill`, `stop`, `postgres`, `broker`, `broker-lost`, `link`, `mail`, `clock`, `disk`, `restart`.
        where: a service, a link, or "".
    """

    KIND: ClassVar[str] = "faulted"
    kind: str
    where: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """A look from outside at one service or at all of them.

    Attributes:
        what: `ready`, `live`, `progress` or `drained`; `OK` says yes, `FAIL` no.
        where: the service; "" for all of them.
        needs: for `ready`: whether all hard dependencies were there; None while that was changing.
        value: for `progress`: something that only grows, as handled events.
    """

    KIND: ClassVar[str] = "probed"
    what: str
    where: str = ""
    needs: bool | None = None
    value: int | None = None


Deed = Union[  # noqa: UP007 - isinstance wants the classes, readers the names
    Produced, Posted, Fetched, Answered, Stopped, Acted, Braked, Planted, Faulted, Probed
]
D = TypeVar("D", bound=Deed)
_KINDS: dict[str, type[Deed]] = {
    one.KIND: one
    for one in (Produced, Posted, Fetched, Answered, Stopped, Acted, Braked, Planted, Faulted, Probed)
}


@dataclass(frozen=True, slots=True)
class Operation(Generic[D]):
    """One operation; machine times are wall clocks of the outside world, business times of the system."""

    id: int
    deed: D
    outcome: Outcome
    sent: datetime
    sent_machine: datetime
    ended: datetime | None
    ended_machine: datetime | None


class Journal:
    """Writes the journal of one process; a line is handed to the system (not synced) as it is written.

    Args:
        path: the file, made anew.
        seed: what makes the campaign happen the same way again.
        clock: tells business time.
        machine: tells machine time.
    """

    def __init__(self, path: Path, seed: str, clock: Clock, machine: Machine) -> None:
        self._clock, self._machine = clock, machine
        self._last = 0
        self._file = path.open("w", buffering=1)
        self._write({"journal": 1, "seed": seed})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def sent(self, deed: Deed) -> int:
        """Write that an operation begins; gives its number."""
        self._last += 1
        self._write({"op": self._last, "kind": deed.KIND, **self._now(), "deed": asdict(deed)})
        return self._last

    def ended(self, op: int, outcome: Outcome, **learnt: Any) -> None:
        """Write how it ended, with the fields of the deed that became known by it."""
        self._write({"op": op, "outcome": outcome, **self._now(), "learnt": learnt})

    def noted(self, deed: Deed, outcome: Outcome = Outcome.OK) -> None:
        """Write an operation that is over at once."""
        self.ended(self.sent(deed), outcome)

    def _now(self) -> dict[str, str]:
        return {"at": self._clock.now().isoformat(), "machine": self._machine.wall().isoformat()}

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")


@dataclass(frozen=True, slots=True)
class Records:
    """What one or more journals tell, in the order in which operations were sent."""

    seed: str
    operations: tuple[Operation[Any], ...]

    def of(self, kind: type[D], *outcomes: Outcome) -> list[Operation[D]]:
        """Operations of one kind, with any outcome or with one of these."""
        return [
            one
            for one in self.operations
            if isinstance(one.deed, kind) and (not outcomes or one.outcome in outcomes)
        ]


def read(*paths: Path) -> Records:
    """Read journals; a last line that a kill tore off is as if it had not been written.

    Raises:
        ValueError: a file is no journal.
    """
    seeds: list[str] = []
    operations: list[Operation[Any]] = []
    for path in paths:
        head, *lines = _lines(path)
        if "journal" not in head:
            raise ValueError(f"{path} is no journal of operations")
        seeds.append(head["seed"])
        operations += _operations(lines)
    ordered = sorted(operations, key=lambda one: one.sent_machine)
    return Records(", ".join(dict.fromkeys(seeds)), tuple(ordered))


def _lines(path: Path) -> Sequence[dict[str, Any]]:
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.split("\n") if line] or [{}]


def _operations(lines: Iterable[dict[str, Any]]) -> list[Operation[Any]]:
    sent: dict[int, dict[str, Any]] = {}
    ended: dict[int, dict[str, Any]] = {}
    for line in lines:
        (ended if "outcome" in line else sent)[line["op"]] = line
    return [_operation(line, ended.get(op)) for op, line in sent.items()]


def _operation(sent: dict[str, Any], ended: dict[str, Any] | None) -> Operation[Any]:
    kind = _KINDS[sent["kind"]]
    known = {one.name for one in fields(kind)}
    told = sent["deed"] | (ended["learnt"] if ended else {})
    if "by" in told:
        told["by"] = Actor(told["by"])
    return Operation(
        id=sent["op"],
        deed=kind(**{name: value for name, value in told.items() if name in known}),
        outcome=Outcome(ended["outcome"]) if ended else Outcome.UNKNOWN,
        sent=datetime.fromisoformat(sent["at"]),
        sent_machine=datetime.fromisoformat(sent["machine"]),
        ended=datetime.fromisoformat(ended["at"]) if ended else None,
        ended_machine=datetime.fromisoformat(ended["machine"]) if ended else None,
    )
