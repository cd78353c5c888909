"""What the auditor is given to read, and what it says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from shared.bus.model import Record
from tests.chaos.journal import Records


class Fate(StrEnum):
    """What a mail server did with a mail."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DROPPED = "dropped"
    """Kept, but the connection was cut before the sender heard of it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as the sink saw it; `content` is the whole mail, b"" where it was not kept."""

    message_id: str
    recipients: tuple[str, ...]
    at: datetime
    fate: Fate = Fate.ACCEPTED
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class BrokerLog:
    """Everything that stands in the broker's topics now.

    Attributes:
        records: of all topics, dead-letter topics too, in offset order per partition.
        births: how often the broker began without data, its first start included; above 1, what stands there
            is only what was written since the last birth.
        lag: unread records by group, topic and partition; empty when it was not asked.
    """

    records: Sequence[Record]
    births: int = 1
    lag: dict[tuple[str, str, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that can be read about one run; what is None was not kept, and its checks are named as not done.

    Attributes:
        dsn: a role that may read all schemas.
        journal: operations of the outside world.
        mails: the mail sink's own journal.
        log: the broker's topics.
        logs: log files, metrics pages and spools to search for personal data.
        at_rest: faults are over and the queues drained; a system at work is held only to what always holds.
        repeats: mails that an operator chose to send again, by Message-ID.
        now: business time of the audit; None reads it from the anchor that the deployment shares.
        step: how far business time was moved at once: nothing can be done sooner after it is due.
    """

    dsn: str
    journal: Records | None = None
    mails: Sequence[Arrival] | None = None
    log: BrokerLog | None = None
    logs: Sequence[Path] = ()
    at_rest: bool = True
    repeats: Sequence[str] = ()
    now: datetime | None = None
    step: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One promise that was broken.

    Attributes:
        name: what went wrong, as `lost-event`.
        invariant: which promise, as `E1`.
        count: how often.
        ids: the first 20.
        meaning: one sentence.
    """

    name: str
    invariant: str
    count: int
    ids: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A check that could not be made, and why."""

    name: str
    invariant: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit came to."""

    anomalies: tuple[Anomaly, ...]
    unchecked: tuple[Unchecked, ...]
    checked: tuple[str, ...]
    rows: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong with what was checked."""
        return not self.anomalies
