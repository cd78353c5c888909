"""Who is written to without a person having to think of it, and once (R77, R81).

Whoever is unhappy gets a first reply, once in each case; whoever is not gets thanks, once for each answer;
who raised what was mended hears of it, once for each improvement; an unhappy newcomer gets help (R79).
The first two name nothing but ids: the words are dispatch's, in the
customer's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import UUID

from services.alerts.domain.model import Answer, Standing, Ticket
from services.alerts.domain.recovery import asked_about
from shared.contracts.messages import MessageKind
from shared.contracts.responses import Mood

FRESH_FOR = timedelta(days=7)
"""After that a reply to an answer is stranger than none."""
HOUR = timedelta(hours=1)
NO_TEXT = "no_text"
"""Why help is withheld that nobody has written."""


class Thanks(StrEnum):
    """Who is thanked by mail; the page thanks everybody at once."""

    NONE = "none"
    WORDS = "words"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is sent by itself."""

    first_reply: bool = True
    thanks: Thanks = Thanks.WORDS


class Fate(StrEnum):
    """What became of a message, in the order in which it can be learned; see `follows`."""

    REQUESTED = "requested"
    WITHHELD = "withheld"
    UNCERTAIN = "uncertain"
    HANDED_OVER = "handed_over"
    SUPPRESSED = "suppressed"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


FOLLOWS: dict[Fate, frozenset[Fate]] = {
    Fate.UNCERTAIN: frozenset({Fate.REQUESTED}),
    Fate.HANDED_OVER: frozenset({Fate.REQUESTED, Fate.UNCERTAIN}),
    Fate.SUPPRESSED: frozenset({Fate.REQUESTED}),
    Fate.FAILED: frozenset({Fate.REQUESTED, Fate.UNCERTAIN, Fate.HANDED_OVER}),
    Fate.BOUNCED: frozenset({Fate.REQUESTED, Fate.UNCERTAIN, Fate.HANDED_OVER}),
    Fate.COMPLAINED: frozenset({Fate.REQUESTED, Fate.UNCERTAIN, Fate.HANDED_OVER, Fate.BOUNCED}),
}
"""From what each fate may follow; nothing leads back, so hearing an old event late changes nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to one person.

    Attributes:
        key: its natural key, of which its id is derived: who repeats the wish finds the first one.
        hours: within how many hours somebody will call, as promised in it; 0 where nothing is promised.
        reason: why it is not asked for at all; "" when it is.
        improvement_id: what it tells of, in the words of `text`.
    """

    key: tuple[object, ...]
    kind: MessageKind
    answer: Answer
    ticket_id: UUID | None = None
    owner: UUID | None = None
    hours: int = 0
    reason: str = ""
    improvement_id: UUID | None = None
    text: str = ""


def reply_to(
    answer: Answer, ticket: Ticket | None, now: datetime, policy: Policy, *, words: bool
) -> Reply | None:
    """What the person who gave an answer hears by itself; None for nothing.

    Args:
        answer: as it counts now.
        ticket: the case that it is a voice of.
        now: business time.
        policy: what is wanted here.
        words: whether they wrote something of their own.
    """
    if answer.standing is not Standing.COUNTED or asked_about(answer.snapshot):
        return None
    late = "expired" if now - answer.received_at > FRESH_FOR else ""
    if answer.unhappy:
        waiting = ticket is not None and ticket.is_open and ticket.run.contacted_at is None
        if not (policy.first_reply and waiting and ticket is not None):
            return None
        return Reply(
            ("message", MessageKind.FIRST_REPLY.value, ticket.id, answer.speaker),
            MessageKind.FIRST_REPLY,
            answer,
            ticket.id,
            ticket.owner.user_id,
            max(1, ceil((ticket.run.contact_due_at - now) / HOUR)),
            late,
        )
    thanked = policy.thanks is Thanks.ALL or (policy.thanks is Thanks.WORDS and words)
    if not thanked:
        return None
    key = ("message", MessageKind.THANKS.value, answer.response_id)
    return Reply(key, MessageKind.THANKS, answer, reason=late)


def help_for(answer: Answer, texts: Mapping[str, Mapping[str, str]], now: datetime) -> Reply | None:
    """The help that the programme names for an unhappy answer (R79); None where it names none.

    Args:
        answer: as it counts now.
        texts: name of the help, then language -> its words; English stands in for a language without.
        now: business time.
    """
    if not answer.help or answer.standing is not Standing.COUNTED or answer.mood is not Mood.UNHAPPY:
        return None
    words = texts.get(answer.help, {})
    language = answer.snapshot.locale.replace("_", "-").partition("-")[0].lower()
    text = words.get(language) or words.get("en", "")
    late = "expired" if now - answer.received_at > FRESH_FOR else ""
    key = ("message", MessageKind.HELP.value, answer.response_id)
    return Reply(key, MessageKind.HELP, answer, reason=late or ("" if text else NO_TEXT), text=text)
