"""A case here and its copy in a helpdesk: what goes over, what comes back, and what people must look at.

Notes and comments go both ways, each once. Of the states, ours is followed: a case is over when a person here
says so, not when a helpdesk's rule closed it. What the helpdesk changed by itself is shown on the case as a
difference, and of two changes that disagree ours stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is put into a helpdesk.

    Attributes:
        body: plain text; its last line is `link`, where the case is here.
        email: of the customer, as `name`; both may be empty.
    """

    ticket_id: UUID
    subject: str
    body: str
    priority: str
    email: str = ""
    name: str = ""
    link: str = ""

    def headline(self, most: int) -> str:
        """The subject on one line of so many characters."""
        return " ".join(self.subject.split())[:most]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a rep wrote down here; the key is the same whenever it is told again."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """Something that somebody wrote there; `by` is a name or empty."""

    id: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A case as the helpdesk has it now."""

    id: str
    url: str
    solved: bool
    comments: tuple[Comment, ...] = ()


def marked(text: str, key: object) -> str:
    """What we write, with a mark by which we know it again."""
    return f"{text}\n\n{mark(key)}"


def mark(key: object) -> str:
    """The mark of something that we wrote."""
    return f"{MARK} {key}]"


MARK = "[afterword"


class Difference(StrEnum):
    """Why the two do not say the same."""

    SOLVED_THERE = "solved_there"
    OPEN_THERE = "open_there"
    BOTH = "both"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Known:
    """How both stood when they were last compared.

    Attributes:
        seen: ids of comments there that are on the case here.
        told: keys of notes that are there.
    """

    solved_here: bool = False
    solved_there: bool = False
    seen: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        settle: the state to set there; None to leave it.
        tell: notes to write there, in order.
        take: comments to write on the case here, in order.
        difference: a new one to show on the case.
        known: what to remember once all that is done.
    """

    known: Known
    settle: bool | None = None
    tell: tuple[Note, ...] = ()
    take: tuple[Comment, ...] = ()
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """The case as it stands here."""

    solved: bool
    notes: Sequence[Note] = field(default_factory=tuple)


def compare(known: Known, here: Here, there: Outside) -> Plan:
    """Decide what must be done on both sides; doing it and comparing again finds nothing to do."""
    found = {note.key for note in here.notes if any(mark(note.key) in c.text for c in there.comments)}
    told = known.told | found
    tell = tuple(note for note in here.notes if note.key not in told)
    ours = {comment.id for comment in there.comments if MARK in comment.text}
    take = tuple(c for c in there.comments if c.id not in known.seen | ours and c.text.strip())
    settle, difference = _states(known, Known(here.solved, there.solved))
    return Plan(
        Known(
            here.solved,
            there.solved if settle is None else settle,
            known.seen | {comment.id for comment in take},
            told | {note.key for note in tell},
        ),
        settle,
        tell,
        take,
        difference,
    )


def _states(known: Known, now: Known) -> tuple[bool | None, Difference | None]:
    here, there = now.solved_here, now.solved_there
    if here == there:
        return None, None
    changed_here, changed_there = here != known.solved_here, there != known.solved_there
    if changed_here:
        return here, Difference.BOTH if changed_there else None
    if changed_there:
        return None, Difference.SOLVED_THERE if there else Difference.OPEN_THERE
    return None, None
