"""The facts that a decision was taken by, in words for whoever reads why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from services.trigger.domain.best_moment import slot_in_words
from services.trigger.domain.model import Scalar
from shared.contracts.touchpoints import PRESET_TOUCHPOINTS
from shared.wrong import nearest

_SLIP = 0.88
"""How alike names of events are of which one is misspelt; `project.closed` is none of ours, and right."""


@dataclass(frozen=True, slots=True)
class Reading:
    """For whom a sentence is written.

    Attributes:
        titles: how programmes are called, by key; their keys stand where it has none.
        zone: by whose clock instants are told.
        events: types of events that somebody may ask about; one that is like them may be a slip of the pen.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    events: frozenset[str] = frozenset(PRESET_TOUCHPOINTS)

    def day(self, at: datetime | None) -> str:
        """An instant with its zone; "" without one."""
        return at.astimezone(self.zone).strftime("%-d %B %Y, %H:%M %Z") if at else ""

    def programme(self, key: str) -> str:
        """What a programme is called."""
        return f"“{self.titles.get(key) or _plain(key)}”"

    def intended(self, event: str) -> str:
        """The type of event that was perhaps meant by one that nobody asks about; "" where it seems none."""
        return "" if event in self.events else nearest(event.lower(), self.events, alike=_SLIP)


_PHRASES: tuple[tuple[str, str], ...] = (
    ("asked_at by quarantine", "last asked on {asked_at} by {by}; {quarantine} lie between two questions"),
    ("asked_at by", "last asked on {asked_at} by {by}"),
    ("asked_at", "first asked on {asked_at}"),
    ("quarantine", "{quarantine} lie between two questions"),
    ("by priority own_priority", "{by} has priority {priority}, this one {own_priority}"),
    ("kept_until", "due on {kept_until}"),
    ("asked max per", "{asked} asked within {per}, at most {max}"),
    ("free_at stale_at", "that ends on {free_at}, and it was worth asking until {stale_at}"),
    ("fresh_for stale_at", "it was worth asking for {fresh_for}, until {stale_at}"),
    ("stale_at", "too late from {stale_at}"),
    ("free_at", "free again on {free_at}"),
    ("missing wanted", "{missing} too few: {wanted}"),
    ("nth found wanted", "this was number {found}, number {wanted} is asked about"),
    ("field found wanted", "{field} is {found}, wanted is {wanted}"),
    ("field wanted", "{field} is not known, wanted is {wanted}"),
    ("field found", "{field} is {found}"),
    ("field", "{field} is not known"),
    ("counted_per", "it is counted per {counted_per}"),
    ("hold", "{hold}"),
    ("ref", "number {ref}"),
    ("brake", "{brake}"),
    ("sample", "{sample} of them are asked"),
    ("moved_from moved_to", "from {moved_from} to {moved_to}"),
    ("moved_from", "from {moved_from}"),
    ("moved_to", "to {moved_to}"),
    ("zone", "their clock is that of {zone}"),
    ("state", "that one {state}"),
    ("slot", "{slot} at the person's place"),
    ("answered_then asked_then", "{answered_then} of {asked_then} answered then"),
    ("share", "{share} are expected to answer"),
    ("max_per_account", "at most {max_per_account} people of an account"),
    ("plans called_off", "plans moved: {plans}, called off: {called_off}"),
    ("named", "it names {named}"),
    ("merged_by", "merged by {merged_by}"),
    ("told_by", "told by {told_by}"),
    ("source", "sent by {source}"),
    ("edition", "the programme was changed"),
)  # fmt: skip
"""Facts that are told together, and how; the first that has all of its facts tells them."""

_SECRET = frozenset({
    "tried", "touchpoint", "due_at", "channels", "country", "scope", "window", "occurred_at", "closes_at",
    "why", "stays", "by_hand_of",
})  # fmt: skip
OURSELVES = "/afterword/trigger"
"""The source of events that we tell for partners whose webhooks and files said them."""

_HOLDS = {
    "detractor_ticket": "their unhappy answer is still being dealt with",
    "incident": "an incident is open",
    "dunning": "an invoice is overdue",
}
_BRAKES = {"all sending": "all sending is paused", "account": "the account is paused"}
_STATES = {
    "pending": "still waits",
    "requested": "was sent on its way",
    "suppressed": "was not sent",
    "cancelled": "was cancelled",
    "expanded": "was put to its audience",
}
_SPAN = re.compile(r"(\d+)(mo|[hdy])")
_UNITS = {"h": "hour", "d": "day", "mo": "month", "y": "year"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def particulars(inputs: Mapping[str, Scalar], reading: Reading) -> str:
    """The facts of a decision, one after the other; "" where there are none to tell."""
    known = {name: value for name, value in inputs.items() if _told(name, value)}
    if "by_whom" in known:
        known["merged_by" if inputs.get("stays") else "told_by"] = known.pop("by_whom")
    if (why := str(inputs.get("why") or "")) and "field" in known:
        # The reason was written as a sentence of its own, which may say already what is counted per.
        per = known.pop("field")
        known |= {} if why.endswith(f"per {per}") else {"counted_per": per}
    if known.get("field") == "nth":
        known["nth"] = known.pop("field")
    if not known.get("asked_then", True):
        del known["asked_then"], known["answered_then"]
    return "; ".join(_phrases(known, reading))


def hold_in_words(kind: str) -> str:
    """What is waited for while a hold lasts."""
    return _HOLDS.get(kind, f"{_plain(kind)} is open")


def _named(text: str) -> str:
    """Who is named: `zendesk contact zendesk:42` is contact zendesk:42, for the id tells whose it is."""
    provider, _, rest = text.partition(" ")
    return rest if f" {provider}:" in f" {rest}" else text


def span_in_words(text: str) -> str:
    """`30d` as 30 days; other text stays as it is."""
    found = _SPAN.fullmatch(text)
    return f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}" if found else text


def _told(name: str, value: Scalar) -> bool:
    """Whether a fact tells a person something; an id of ours does not."""
    return name not in _SECRET and value not in (None, "") and not _UUID.fullmatch(str(value))


def _phrases(known: dict[str, Scalar], reading: Reading) -> Iterator[str]:
    told: set[str] = set()
    for names, phrase in _PHRASES:
        needed = names.split()
        if told.isdisjoint(needed) and known.keys() >= set(needed):
            told.update(needed)
            yield phrase.format(**{name: _value(name, known[name], reading) for name in needed})
    yield from _others(((name, value) for name, value in known.items() if name not in told), reading)


def _others(left: Iterable[tuple[str, Scalar]], reading: Reading) -> Iterator[str]:
    for name, value in left:
        yield f"{name.replace('_', ' ')} {_value(name, value, reading)}"


def _value(name: str, value: Scalar, reading: Reading) -> str:
    text = str(value)
    if name == "by":
        return reading.programme(text)
    if name in _WORDS:
        return _WORDS[name](text)
    if name in _OF_OTHERS:
        return text
    return f"{value:.0%}" if name == "sample" and isinstance(value, float) else _any(value, reading)


_OF_OTHERS = frozenset({"ref", "source"})
"""Ids that others gave."""
_WORDS: Mapping[str, Callable[[str], str]] = {
    "hold": hold_in_words,
    "brake": lambda text: _BRAKES.get(text, "the programme is paused"),
    "state": lambda text: _STATES.get(text, f"is {_plain(text)}"),
    "told_by": lambda text: "an event of a partner" if text == OURSELVES else text,
    "merged_by": lambda text: "an event of a partner" if text == OURSELVES else text,
    "slot": slot_in_words,
    "named": _named,
    **dict.fromkeys(("quarantine", "fresh_for", "per"), span_in_words),
}


def _any(value: Scalar, reading: Reading) -> str:
    if isinstance(value, str) and "T" in value[8:12]:
        try:
            return reading.day(datetime.fromisoformat(value))
        except ValueError:
            return value
    if isinstance(value, float):
        return f"{value:g}"
    return _plain(value) if isinstance(value, str) else str(value)


def _plain(text: str) -> str:
    """Words of ours without their underscores; names of events keep theirs."""
    return text if "." in text else text.replace("_", " ")
