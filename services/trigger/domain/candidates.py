"""Moments in what people do that may be worth a question, with a programme to copy (R93)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.trigger.domain.habits import HELP, HELP_EVENTS, USE_EVENT, USES
from services.trigger.domain.programme import Edition
from services.trigger.domain.when import RENEWAL
from shared.contracts.programmes import ProgrammeState

FEWEST = 3
"""Fewer people are no pattern, and could be recognised."""

HELP_TIMES = 3
RENEWS = "renewal"


@dataclass(frozen=True, slots=True)
class Spotted:
    """How often a moment came in the last four weeks.

    Attributes:
        habit: use of something (`use:product` or `use:product/feature`), `help`, or `renewal`.
        people: who had it, of so many `accounts`.
        of_people: everybody with that habit.
        days: typically so long after the first time (use), or from the first to the third (help).
        times: typically so many times all told until then.
        usual: how often in a usual week before (use).
    """

    habit: str
    people: int
    accounts: int
    of_people: int
    days: int
    times: int
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class SetAside:
    """Which operator does not want to ask about a moment, and since when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A moment that may be worth a question: in words, why, and the programme to begin with.

    Attributes:
        asked_by: a programme that runs and asks about such events already.
        set_aside: who set it aside; it is kept, but no more offered.
    """

    key: str
    title: str
    why: str
    delay: str
    spotted: Spotted
    sketch: str
    asked_by: str
    set_aside: SetAside | None = None


def candidates(
    spotted: Iterable[Spotted], editions: Sequence[Edition], aside: Mapping[str, SetAside]
) -> list[Candidate]:
    """The moments that came to enough people, by how many.

    Those not yet asked about come first, those that somebody set aside last.
    """
    all_ = (_candidate(one, editions) for one in spotted if one.people >= FEWEST)
    found = [replace(one, set_aside=aside.get(one.key)) for one in all_]
    return sorted(
        found, key=lambda one: (one.set_aside is not None, bool(one.asked_by), -one.spotted.people, one.key)
    )


def _candidate(one: Spotted, editions: Sequence[Edition]) -> Candidate:
    if one.habit == HELP:
        return _help(one, editions)
    return _renewal(one, editions) if one.habit == RENEWS else _use(one, editions)


def _use(one: Spotted, editions: Sequence[Edition]) -> Candidate:
    product, _, feature = one.habit.removeprefix(USES).partition("/")
    named = f"{product}, {feature}" if feature else product
    key = _slug(f"heavy-use-{named}")
    when = f"touchpoint: {USE_EVENT}, where: {{product: {_quoted(product)}}}, nth: {max(2, one.times)}"
    return Candidate(
        key,
        f"Heavy use of {named}",
        f"{one.people} of {one.of_people} people used it in a week at least twice as much as they usually do "
        f"(typically {one.usual:.0f} times a week).",
        f"typically {_days(one.days)} after the first use, after {one.times} times",
        one,
        _sketch(key, f"Heavy use of {named}", when, f"What do you get out of {product}?", stage="use"),
        _asked_by(editions, (USE_EVENT,), product),
    )


def _help(one: Spotted, editions: Sequence[Edition]) -> Candidate:
    when = f"touchpoint: [{', '.join(HELP_EVENTS)}], nth: {HELP_TIMES}"
    return Candidate(
        "help-sought-again",
        f"Help sought {HELP_TIMES} times in 14 days",
        f"{one.people} of {one.of_people} people who sought help did so {HELP_TIMES} times within 14 days.",
        f"typically {_days(one.days)} from the first time to the third",
        one,
        _sketch(
            "help-sought-again",
            "Help sought again and again",
            when,
            "What would have made it easier?",
            stage="support",
        ),
        _asked_by(editions, HELP_EVENTS),
    )


def _renewal(one: Spotted, editions: Sequence[Edition]) -> Candidate:
    when = f"before: {RENEWAL}, by: 60d"
    before = (e.key for e in editions if _runs(e) and e.programme.when.before)
    return Candidate(
        "before-renewal",
        "Contracts that renew",
        f"{one.people} people belong to accounts whose contract renews in the next 90 days.",
        "60 days before the date",
        one,
        _sketch(
            "before-renewal",
            "Before the renewal",
            when,
            "What speaks for going on, and what against?",
            stage="renewal",
        ),
        next(before, ""),
    )


def _asked_by(editions: Sequence[Edition], events: Sequence[str], product: str = "") -> str:
    for edition in editions:
        when = edition.programme.when
        theirs = when.where.get("product", product)
        if _runs(edition) and set(events) & set(when.touchpoint) and theirs in (product, [product]):
            return edition.key
    return ""


def _runs(edition: Edition) -> bool:
    return edition.state is not ProgrammeState.ARCHIVED


def _sketch(key: str, title: str, when: str, question: str, *, stage: str) -> str:
    """A programme that passes the check, in shadow, to be copied and worded."""
    per, who = (
        ("contract", "\naudience: {who: account, persona: [decision_maker], max_per_account: 2}")
        if stage == "renewal"
        else ("contact", "")
    )
    delay = "" if stage == "renewal" else ", delay: 24h"
    return f"""key: {key}
title: {{en: {_quoted(title)}}}
state: shadow   # see whom it would ask, then write active
family: transactional
stage: {stage}
when: {{{when}, per: {per}{delay}, fresh_for: 14d}}{who}
send: {{window: {{learn: true}}, reminders: [{{after: 4d}}]}}
letter:
  subject: {{en: "How is it going, {{first_name}}?"}}
  intro: {{en: "We would like to know how you get on, in one click."}}
  reminder: {{en: "One click is enough."}}
primary: csat
questions:
  - id: csat
    type: csat
    text: {{en: "How satisfied are you?"}}
    low_label: {{en: "Very dissatisfied"}}
    high_label: {{en: "Very satisfied"}}
  - {{id: why, type: text, optional: true, text: {{en: {_quoted(question)}}}}}
"""


def _days(days: int) -> str:
    return {0: "less than a day", 1: "a day"}.get(days, f"{days} days")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-")


def _quoted(text: str) -> str:
    """Text as a YAML scalar, and no slot in it."""
    plain = text.replace("\\", " ").replace('"', "'").replace("{", "(").replace("}", ")")
    return f'"{plain}"'
