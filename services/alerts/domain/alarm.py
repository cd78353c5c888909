"""What a notice says: readable at three in the morning, on a phone, without signing in first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain import words
from services.alerts.domain.model import Occasion
from shared.contracts.forms import QuestionType

MOST_ALSO = 20
"""Other cases named in one notice; the inbox has them all."""
MAX_WORDS = 600
"""Longest quotation of the customer in a notice; the page has it all."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Everything a notice may need; who and said are "" once the contact was erased."""

    occasion: Occasion
    who: str
    job: str
    account: str
    tier: str
    score: int | None
    scale: QuestionType
    said: str
    phone: str
    email: str
    priority: str
    owner: str
    why_owner: str
    due_at: datetime
    now: datetime
    link: str
    touchpoint: str = ""
    zone: str = "UTC"
    also: tuple[tuple[str, str], ...] = ()
    """Other cases that this notice tells of: in words, and where they are."""
    since: datetime | None = None
    """From when on the case waits for somebody to take it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A notice in words. `facts` are label and value; all is plain text, each channel escapes it.

    `take` leads to a page where the recipient takes the case with one press, without signing in; "" where
    nobody in person is told. `calm`: it can be read at any time.
    """

    subject: str
    headline: str
    quote: str
    facts: tuple[tuple[str, str], ...]
    action: str
    link: str
    button: str
    take: str = ""
    calm: bool = False


_HEADLINE = {
    Occasion.OPENED: "{who} is unhappy. Contact them within {left}.",
    Occasion.JOINED: "One more person of this customer is unhappy: {who}.",
    Occasion.REOPENED: "The case is open again: {who} is unhappy. Contact them within {left}.",
    Occasion.ASSIGNED: "You were given this case. Contact {who}: {left_words}.",
    Occasion.REMINDER: "Nobody has spoken with {who} yet: {left_words}.",
    Occasion.LATE: "The promised time is over and nobody has spoken with {who}: {left_words}.",
    Occasion.LEADERSHIP: "Hard limit reached: still nobody has spoken with {who}, {left_words}.",
    Occasion.UNRESOLVED: "This case should have been resolved by now; {who} is still waiting.",
    Occasion.UNREACHABLE: "The owner could not be told. Somebody else must take care: {who} is unhappy.",
    Occasion.TAKEN: "Somebody takes care of {who}.",
    Occasion.ENDED: "The case of {who} is over.",
    Occasion.FOLLOW_UP: "Today {who} was to hear from you again. Keep the promise, then log it.",
    Occasion.DENIED: "{who} says that it is not mended. The case is open again: contact them within {left}.",
    Occasion.RESOLVED: "The case of {who}, which you watch, was resolved.",
    Occasion.CONFIRMED: "{who} confirms that it is mended.",
    Occasion.UNTAKEN: "Nobody has taken this case for {waited}. Take it, or see that somebody does: {who} is"
    " unhappy.",
}
_PREFIX = {
    Occasion.REMINDER: "Reminder: ",
    Occasion.LATE: "LATE: ",
    Occasion.LEADERSHIP: "LATE, hard limit: ",
    Occasion.UNRESOLVED: "Not resolved: ",
    Occasion.UNREACHABLE: "Not told: ",
    Occasion.REOPENED: "Open again: ",
    Occasion.JOINED: "One more: ",
    Occasion.TAKEN: "Taken: ",
    Occasion.ENDED: "Over: ",
    Occasion.FOLLOW_UP: "Follow up: ",
    Occasion.DENIED: "NOT MENDED: ",
    Occasion.RESOLVED: "Resolved: ",
    Occasion.CONFIRMED: "Mended: ",
    Occasion.UNTAKEN: "Not taken: ",
}
_NEWS = frozenset({Occasion.TAKEN, Occasion.ENDED, Occasion.RESOLVED, Occasion.CONFIRMED})
"""Occasions that ask nothing of whoever hears of them."""
_TIMELESS = _NEWS | {Occasion.UNRESOLVED, Occasion.FOLLOW_UP}
"""Occasions to which the time left for the contact means nothing."""


def compose(alarm: Alarm) -> Text:
    """Say it: who, how unhappy, in their words, what to do and by when."""
    who = alarm.who or "A customer"
    left = words.left(alarm.due_at, alarm.now)
    within = words.span(alarm.due_at - alarm.now) if alarm.now < alarm.due_at else "no time: it is late"
    score = words.score(alarm.score, alarm.scale)
    many = f"{len(alarm.also) + 1} cases: " if alarm.also else ""
    subject = f"{many}{_PREFIX.get(alarm.occasion, '')}{who}{_of(alarm.account)} gave {score}"
    return Text(
        subject=f"{subject} ({left})" if alarm.occasion not in _TIMELESS else subject,
        headline=_HEADLINE[alarm.occasion].format(
            who=who, left=within, left_words=left, waited=words.span(alarm.now - (alarm.since or alarm.now))
        )
        + _others(alarm),
        quote=_shorten(alarm.said),
        facts=_facts(alarm, f"{score} ({words.scale_short(alarm.scale)}, {words.scale_name(alarm.scale)})"),
        action=_action(alarm),
        link=alarm.link,
        button="Open the case",
    )


def _facts(alarm: Alarm, score: str) -> tuple[tuple[str, str], ...]:
    person = ", ".join(filter(None, (alarm.who or "erased", alarm.job)))
    account = " · ".join(filter(None, (alarm.account, f"{alarm.tier} account" if alarm.tier else "")))
    named = (
        ("Who", person),
        ("Account", account),
        ("Score", score),
        ("After", words.plain(alarm.touchpoint)),
        ("Phone", alarm.phone),
        ("E-mail", alarm.email),
        ("Priority", alarm.priority),
        ("Owner", f"{alarm.owner} ({alarm.why_owner})" if alarm.owner else alarm.why_owner),
        ("Contact by", words.moment(alarm.due_at, alarm.zone)),
    )
    also = [("Also", f"{said}: {link}") for said, link in alarm.also[:MOST_ALSO]]
    rest = len(alarm.also) - MOST_ALSO
    if rest > 0:
        also.append(("And", f"{rest} more in the inbox"))
    return (*((label, value) for label, value in named if value), *also)


def _others(alarm: Alarm) -> str:
    """How many other cases wait as well."""
    count = len(alarm.also)
    if not count:
        return ""
    return f" {count} other case{'s wait' if count > 1 else ' waits'} as well."


def _action(alarm: Alarm) -> str:
    if alarm.occasion in _NEWS:
        return "Nothing is asked of you."
    how = (
        f"Call {alarm.phone}" if alarm.phone else f"Write to {alarm.email}" if alarm.email else "Get in touch"
    )
    if alarm.occasion is Occasion.UNTAKEN:
        return f"Take the case, so that nobody else is woken. {how}, then log the contact in the case."
    stops = "" if alarm.occasion is Occasion.FOLLOW_UP else " Only that stops the clock."
    return f"{how}, then log the contact in the case.{stops}"


def _of(account: str) -> str:
    return f" ({account})" if account else ""


def _shorten(said: str) -> str:
    plain = said.strip()
    return plain if len(plain) <= MAX_WORDS else plain[: MAX_WORDS - 1].rstrip() + "…"
