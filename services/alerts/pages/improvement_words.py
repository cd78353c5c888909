"""Improvement actions as their pages say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from babel import Locale, UnknownLocaleError

from services.alerts.domain import words
from services.alerts.domain.causes import Cause, find
from services.alerts.domain.effect import FEW, Effect, Tally
from services.alerts.domain.improvements import Did, Improvement, Line, said
from services.alerts.domain.thanking import Fate
from services.alerts.store.improvements import Raised
from shared.contracts.forms import QuestionType
from shared.contracts.improvements import Stage, Verdict
from shared.web.dates import number, signed

STAGES: Mapping[Stage, tuple[str, str]] = {
    Stage.PROPOSED: ("Proposed", "neutral"),
    Stage.PLANNED: ("Planned", "neutral"),
    Stage.UNDER_WAY: ("Under way", "neutral"),
    Stage.SHIPPED: ("Shipped", "ok"),
    Stage.MEASURED: ("Measured", "ok"),
    Stage.DROPPED: ("Dropped", "neutral"),
}
"""Each stage in a word, with the look of its badge."""
_DID = {
    Did.OPENED: "{by} proposed it",
    Did.EDITED: "{by} changed {fields}",
    Did.MOVED: "{by}: {to}",
    Did.LINKED: "{by} linked {cases}",
    Did.UNLINKED: "{by} took a case off",
    Did.HEARD: "{by} linked a comment",
    Did.UNHEARD: "{by} took a comment off",
    Did.NOTED: "{by} noted",
    Did.TOLD: "{by} told {people} what was changed",
    Did.INVITED: "{by} invited {people} to take part",
}
_FIELDS = {"due_on": "the deadline", "title": "the words"}
_VERDICTS = {
    Verdict.BETTER: ("Better", "ok"),
    Verdict.WORSE: ("Worse", "danger"),
    Verdict.NO_DETECTABLE_CHANGE: ("No detectable change", "neutral"),
    Verdict.TOO_FEW: ("Nothing can be said yet", "neutral"),
}
_NOT_SENT = {Fate.WITHHELD, Fate.SUPPRESSED, Fate.FAILED, Fate.BOUNCED}


@dataclass(frozen=True, slots=True)
class RoadRow:
    """A line of the road map."""

    one: Improvement
    stage: tuple[str, str]
    when: str
    what: str
    by: str
    late: bool
    owner: str
    accounts: int
    theme: str


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What can be said of the score on one scale."""

    scale: str
    before: str
    after: str
    text: str
    badge: tuple[str, str]


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of its history."""

    at: datetime
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """People who speak one language and were not told yet."""

    language: str
    name: str
    people: int


def road_row(
    one: Improvement, names: Mapping[UUID, str], accounts: int, today: date, causes: tuple[Cause, ...]
) -> RoadRow:
    """A line of the road map."""
    when, what = _when(one, today)
    return RoadRow(
        one,
        STAGES[one.stage],
        when,
        what,
        f"{one.plan.due_on.day} {one.plan.due_on:%b %Y}",
        one.late(today),
        names.get(one.plan.owner, "Nobody: the owner has left"),
        accounts,
        theme(one.plan.theme, causes),
    )


def theme(text: str, causes: tuple[Cause, ...]) -> str:
    """A theme in words: the label where it is a cause of cases."""
    cause = find(causes, text)
    return cause.label if cause else text


def _when(one: Improvement, today: date) -> tuple[str, str]:
    if one.waits:
        days = (one.plan.due_on - today).days
        if days < 0:
            return f"{_count(-days, 'day')} late", "to ship it"
        return ("today" if not days else f"{_count(days, 'day')} left"), "to ship it"
    return STAGES[one.stage][0], ""


def effect_row(one: Effect, *, over: bool) -> EffectRow:
    """Before, after, and what that means; `over`: nobody's answer is added any more."""
    few = over and one.verdict is Verdict.TOO_FEW
    return EffectRow(
        words.scale_short(one.scale),
        _side(one.before, one.scale),
        _side(one.after, one.scale),
        _said(one, "in the 90 days after" if over else "since"),
        ("Too few answers", "neutral") if few else _VERDICTS[one.verdict],
    )


def _side(tally: Tally, scale: QuestionType) -> str:
    score = tally.score(scale)
    if score is None:
        return "no answers"
    return f"{_score(score, scale)} ({_count(tally.n, 'answer')}, {_count(tally.accounts, 'customer')})"


def _said(one: Effect, after: str) -> str:
    if one.points is None or one.low is None or one.high is None:
        fewer = min(one.before.accounts, one.after.accounts)
        side = "before" if one.before.accounts <= one.after.accounts else after
        return f"{_count(fewer, 'customer')} answered {side}; {FEW} on each side are needed to say anything."
    span = f"{signed(one.low, 'en')} to {signed(one.high, 'en')}"
    points = signed(one.points, "en")
    return f"{points} points; with 95 % certainty {span}. Other things may have changed too."


def _score(value: float, scale: QuestionType) -> str:
    if scale in {QuestionType.NPS, QuestionType.NPS5}:
        return signed(value, "en")
    return f"{number(value, 'en')} %"


def history(
    lines: Iterable[Line], names: Mapping[UUID, str], short: Mapping[str, str] = _FIELDS
) -> list[LineRow]:
    """What happened to it, in sentences."""
    found = []
    for line in lines:
        data = dict(line.data)
        fields = data.get("fields", "")
        text = _DID[line.did].format(
            by=names.get(line.by, "Somebody who has left"),
            fields=", ".join(short.get(field, field) for field in fields.split(", ")),
            to=said(Stage(data["to"])) if line.did is Did.MOVED else "",
            cases=_count(int(data.get("cases", "0")), "case"),
            people="one person" if data.get("people") == "1" else f"{data.get('people', '')} people",
        )
        if "until" in data:
            text += f" from {data['from']} to {data['until']}" if fields == "due_on" else ""
        found.append(LineRow(line.at, text, line.note))
    return found


def tongues(raised: Sequence[Raised]) -> list[Tongue]:
    """The languages of those who were not told yet, the one of most people first."""
    counts: dict[str, int] = {}
    for who in raised:
        if who.state is None:
            counts[who.language] = counts.get(who.language, 0) + 1
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [Tongue(language, _language(language), people) for language, people in ordered]


def told(raised: Sequence[Raised]) -> tuple[int, int]:
    """How many of them a message was asked for, and how many of these it does not reach."""
    asked = [who for who in raised if who.state is not None]
    return len(asked), sum(who.state in _NOT_SENT for who in asked)


def _language(code: str) -> str:
    try:
        name = Locale.parse(code).english_name
    except (UnknownLocaleError, ValueError):
        return code
    return name or code


def _count(number_: int, what: str) -> str:
    return f"{number_} {what}{'' if number_ == 1 else 's'}"
