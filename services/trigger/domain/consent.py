"""What people say about being asked, in the order of time, and how they stand by it.

The latest word counts, whenever it is heard. A yes lifts a no only when it says itself when it was given, and
that is later than the no: a file or a backend that repeats an old yes re-consents nobody. Whoever takes a no
back, in the way in which they had said it, stands as if that one had not been said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from services.trigger.domain.model import Contact
from shared.contracts.directory import Consent
from shared.contracts.model import Channel, Family
from shared.values import altered

ALL = "all"
FAMILY, CHANNEL = "family:", "channel:"


@dataclass(frozen=True, slots=True)
class Said:
    """One word about being asked.

    Attributes:
        scope: what it is about: all, a programme's key, `family:<family>` or `channel:<channel>`.
        given: yes or no.
        at: when it was said, as far as known.
        source: by which way it came.
        by: who wrote it down; "" = the person themself, or a backend.
        firm: it says itself when it was said, so that a yes can lift an earlier no.
        takes_back: no yes, but the end of every earlier no of the same source, and of no other.
        event_id: the event that told it; "" = none did.
        last_at: when it was last repeated by the same source.
        noted_at: when we heard it first.
        id: the row's; 0 for a new one.
    """

    scope: str
    given: bool
    at: datetime
    source: str
    by: str = ""
    firm: bool = True
    takes_back: bool = False
    event_id: str = ""
    last_at: datetime | None = None
    noted_at: datetime | None = None
    id: int = 0

    @property
    def until(self) -> datetime:
        """The last time that it was said."""
        return self.last_at or self.at


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands.

    Attributes:
        consent: what they said about everything.
        opted_out_at: since when they want nothing.
        opted_out_of: programmes, families and channels that they do not want.
        renewed: scopes in which they said yes after a no, each with when.
    """

    consent: Consent = Consent.UNKNOWN
    opted_out_at: datetime | None = None
    opted_out_of: tuple[str, ...] = ()
    renewed: tuple[tuple[str, datetime], ...] = ()


def standing(history: Iterable[Said]) -> Standing:
    """How somebody stands by all that was said, in whatever order it was heard."""
    words = sorted(history, key=lambda said: said.scope)
    left: dict[str, tuple[bool, datetime]] = {}
    refused: set[str] = set()
    for scope, said in groupby(words, key=lambda one: one.scope):
        own = _not_taken_back(list(said))
        if not own:
            continue
        left[scope] = _last(own)
        if not all(one.given for one in own):
            refused.add(scope)
    renewed = tuple((scope, left[scope][1]) for scope in sorted(refused) if left[scope][0])
    whole = left.pop(ALL, None)
    out_of = tuple(sorted(scope for scope, (given, _) in left.items() if not given))
    if whole is None:
        return Standing(opted_out_of=out_of, renewed=renewed)
    given, at = whole
    return Standing(Consent.GIVEN if given else Consent.WITHDRAWN, None if given else at, out_of, renewed)


def standing_of(contact: Contact, history: Iterable[Said]) -> Contact:
    """The contact as it stands by its history."""
    found = standing(history)
    return altered(
        contact,
        consent=found.consent,
        opted_out_at=found.opted_out_at,
        opted_out_of=found.opted_out_of,
        renewed=found.renewed,
    )


def absorb(history: Sequence[Said], word: Said) -> Said | None:
    """What is to be written for a new word: itself, the row of which it is a repetition, or nothing.

    A source that says the same again, with nothing else from it in between, prolongs its row; how somebody
    stands does not depend on what lies inside of a row.
    """
    own = [one for one in history if (one.scope, one.source, one.by) == (word.scope, word.source, word.by)]
    kind = (word.given, word.firm, word.takes_back)
    alike = [one for one in own if (one.given, one.firm, one.takes_back) == kind]
    if any(one.at <= word.at <= one.until for one in alike):
        return None
    before = max((one for one in own if one.at <= word.at), key=lambda one: one.until, default=None)
    return replace(before, last_at=word.at) if before and before in alike else word


def refuses(contact: Contact, programme: str, family: Family) -> str:
    """The scope in which somebody does not want to be asked about a programme; "" = none."""
    if contact.opted_out_at:
        return ALL
    if contact.consent is Consent.WITHDRAWN:
        return "consent withdrawn"
    if not contact.opted_out_of:
        return ""
    if programme in contact.opted_out_of:
        return "programme"
    return "family" if f"{FAMILY}{family}" in contact.opted_out_of else ""


def wanted_channels(contact: Contact, channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """The channels on which somebody may be written to."""
    if not contact.opted_out_of:
        return tuple(channels)
    return tuple(one for one in channels if f"{CHANNEL}{one}" not in contact.opted_out_of)


def _not_taken_back(words: Sequence[Said]) -> list[Said]:
    """The words that count; of a no and its end at one time the no does."""
    ends: dict[str, datetime] = {}
    for one in words:
        if one.takes_back:
            ends[one.source] = max(one.until, ends.get(one.source, one.until))
    return [
        one
        for one in words
        if not one.takes_back and (one.given or one.until >= ends.get(one.source, one.until))
    ]


def _last(words: Sequence[Said]) -> tuple[bool, datetime]:
    """Whether the answer stands at yes, and when that was last said; of two at one time the no counts.

    A yes that does not say when it was given counts only while nothing stronger was ever said.
    """
    strong = [(one.until, not one.given) for one in words if one.firm or not one.given]
    at, no = max(strong) if strong else (max(one.until for one in words), False)
    return not no, at
