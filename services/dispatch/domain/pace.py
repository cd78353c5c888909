"""How many hand-overs may begin in a minute: by a provider, and to the mailboxes of one domain.

Each limit is a line. Hand-overs take places in it that lie `gap` apart, and unused places of the last two
seconds may be made up for; the gap is so much longer that no minute, wherever it begins, sees more of them
than the limit says. Who finds no free place, or somebody in line who came before, stands in line too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.dispatch.domain.address import Address, parse_address
from services.dispatch.domain.recipient import Recipient
from shared.contracts.model import Channel

MINUTE = timedelta(minutes=1)
CREDIT = timedelta(seconds=2)
"""How much of an idle time may be made up for at once: workers look a few times a second, not always."""

MOST = 100_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """A line that hand-overs stand in.

    Attributes:
        key: by which all instances know it.
        words: for whoever asks why a message waits.
    """

    key: str
    per_minute: int
    words: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator has set; nothing set is no limit.

    Attributes:
        providers: of channels, each of which has one provider here.
        domains: of recipients' domains by name.
        each_domain: of every other domain.
    """

    providers: Mapping[Channel, int] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    each_domain: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self.providers or self.domains or self.each_domain)

    def of(self, channel: Channel, recipient: Recipient, mark: str) -> tuple[Limit, ...]:
        """The lines of one message, the narrowest first.

        Args:
            channel: by which it goes.
            recipient: to whom.
            mark: stands for the recipient's domain where nobody has named it.
        """
        found: list[Limit] = []
        if isinstance(recipient, Address):
            named = self.domains.get(recipient.domain)
            if named is not None:
                words = f"limit: {named} a minute to {recipient.domain}"
                found.append(Limit(f"domain:{recipient.domain}", named, words))
            elif self.each_domain is not None:
                words = f"limit: {self.each_domain} a minute to one domain"
                found.append(Limit(f"domain:{mark}", self.each_domain, words))
        whole = self.providers.get(channel)
        if whole is not None:
            found.append(
                Limit(f"channel:{channel.value}", whole, f"limit: {whole} a minute by {channel.value}")
            )
        return tuple(found)


def read_limits(channels: str, domains: str, each_domain: int) -> Limits:
    """The limits as settings write them: `email=600/min, sms=60/min`, `gmail.com=60/min`, 0 for none.

    Raises:
        ValueError: something stands there that is no limit; the message names it.
    """
    providers: dict[Channel, int] = {}
    for name, number in _pairs(channels):
        if name not in _LIMITED:
            raise ValueError(f"{name}: not one of {', '.join(_LIMITED)}")
        providers[Channel(name)] = number
    named: dict[str, int] = {}
    for name, number in _pairs(domains):
        mailbox = parse_address(f"someone@{name}")
        if mailbox is None:
            raise ValueError(f"{name}: not a domain")
        named[mailbox.domain] = number
    return Limits(providers, named, each_domain or None)


def gap(per_minute: int) -> timedelta:
    """How far places lie apart."""
    span = MINUTE + CREDIT
    # Rounded up: a microsecond less each time would add up to one place too many.
    return -(-span // (per_minute * _MICROSECOND)) * _MICROSECOND


def room(per_minute: int, next_at: datetime | None, now: datetime) -> int:
    """How many hand-overs may begin now; `next_at` is the next free place, None for a line never used."""
    first = _first(next_at, now)
    return (now - first) // gap(per_minute) + 1 if first <= now else 0


def after(per_minute: int, next_at: datetime | None, now: datetime) -> datetime:
    """The next free place once a hand-over has begun."""
    return _first(next_at, now) + gap(per_minute)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is: its next free place, and since when the first one stands in it, if anybody does."""

    next_at: datetime | None = None
    head: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that could be handed over now. `arrived_at`: when it was asked for; the first goes first."""

    delivery_id: UUID
    arrived_at: datetime
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who has to stand in which line, and the next free place of each line that was used."""

    waiting: Mapping[UUID, Limit]
    next_at: Mapping[str, datetime]


def admit(candidates: Sequence[Candidate], lines: Mapping[str, Line], now: datetime) -> Admitted:
    """Let through whom all their limits let through; nobody passes one who came before and still waits.

    Args:
        candidates: in any order.
        lines: the lines that they stand in, by key.
        now: machine time.
    """
    waiting: dict[UUID, Limit] = {}
    places = {key: line.next_at for key, line in lines.items()}
    heads = {key: line.head for key, line in lines.items()}
    used: dict[str, datetime] = {}
    for one in sorted(candidates, key=lambda each: (each.arrived_at, each.delivery_id)):
        full = next(
            (
                limit
                for limit in one.limits
                if _stands(heads[limit.key], one.arrived_at)
                or not room(limit.per_minute, places[limit.key], now)
            ),
            None,
        )
        if full is not None:
            waiting[one.delivery_id] = full
            head = heads[full.key]
            heads[full.key] = min(head, one.arrived_at) if head else one.arrived_at
            continue
        for limit in one.limits:
            used[limit.key] = places[limit.key] = after(limit.per_minute, places[limit.key], now)
    return Admitted(waiting, used)


def _stands(head: datetime | None, arrived_at: datetime) -> bool:
    """Whether somebody in line came before, or at once."""
    return head is not None and head <= arrived_at


def _first(next_at: datetime | None, now: datetime) -> datetime:
    earliest = now - CREDIT
    return max(next_at, earliest) if next_at else earliest


_LIMITED = (Channel.EMAIL.value, Channel.SMS.value, Channel.WEBHOOK.value)


def _pairs(text: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition("=")
        digits = value.strip().removesuffix("/min").strip()
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= MOST):
            raise ValueError(f"{part}: not a name and a number a minute, 1 to {MOST}, as gmail.com=60/min")
        found.append((name.strip().lower(), int(digits)))
    return found
