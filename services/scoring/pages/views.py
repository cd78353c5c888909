"""What the score pages show: sums from the cells, told in words and drawn as charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from babel.dates import format_date, format_skeleton
from fastapi import Request
from jinja2 import Environment
from markupsafe import Markup

from services.scoring.domain.asked import named
from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.change import Change
from services.scoring.domain.drivers import Driver, Quadrant
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import GROUP_NAMES, TOO_FEW, Group, Score, group
from services.scoring.domain.periods import Period, Step, fitting, start_of
from services.scoring.domain.periods import trend as periods_of
from services.scoring.store.drivers import Moved
from services.scoring.store.drops import Drop
from services.scoring.store.judging import Course
from shared.security.people import User
from shared.web import charts
from shared.web.dates import babel_locale, number, percent, signed
from shared.web.i18n import negotiate
from shared.web.templates import speaking

Translate = Callable[[str], str]

LONGEST_WAIT_YEARS = 20
"""Beyond it a wait is told as none: nobody plans for so long, and nothing stays as it is till then."""
_YEAR = 365.25
_MONTH = _YEAR / 12
_IN_DAYS, _IN_MONTHS = 90, 2 * _YEAR
"""Days up to which a wait is told in days, and below which in months."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How texts and dates are told to a reader."""

    locale: str
    say: Translate
    say_many: Callable[[str, str, int], str]

    def answers(self, n: int) -> str:
        """`63 answers`."""
        return self.say_many("%(num)s answer", "%(num)s answers", n) % {"num": number(n, self.locale)}

    def percent(self, share: float) -> str:
        """`51%`."""
        return percent(share, self.locale)

    def day(self, day: date) -> str:
        """`3 Mar 2026`."""
        return _day(self.locale, day)

    def span(self, span: Span) -> str:
        """`6 Dec 2025 to 3 Mar 2026`."""
        if span == Span():
            return self.say("All time")
        return self.say("%(first)s to %(last)s") % {
            "first": self.day(span.first) if span.first != FIRST_DAY else "\N{HORIZONTAL ELLIPSIS}",
            "last": self.day(span.last) if span.last != LAST_DAY else "\N{HORIZONTAL ELLIPSIS}",
        }

    def wait(self, days: int) -> str:
        """How long somebody waits who goes on as now, as exactly as that can be known: `about 19 years`.

        Days up to 90, then months, from two years on years; empty where that is no wait any more.
        """
        if days <= _IN_DAYS:
            return self.say_many("%(num)s day", "%(num)s days", days) % {"num": number(days, self.locale)}
        if days < _IN_MONTHS:
            many, said = round(days / _MONTH), ("about %(num)s month", "about %(num)s months")
        else:
            many, said = round(days / _YEAR), ("about %(num)s year", "about %(num)s years")
            if many > LONGEST_WAIT_YEARS:
                return ""
        return self.say_many(*said, many) % {"num": number(many, self.locale)}

    def period(self, start: date, step: Step) -> str:
        """The name of a period on an axis: `3 Mar`, `Mar 2026`, `Q1 2026`."""
        return _period(self.locale, start, step)


def speech_of(request: Request, user: User, env: Environment) -> Speech:
    """How a page speaks to whoever asked for it."""
    locale = negotiate(user.locale, request.headers.get("accept-language"))
    texts = speaking(env, locale)
    return Speech(locale, texts["_"], texts["ngettext"])


@lru_cache(maxsize=4096)
def _day(locale: str, day: date) -> str:
    """The same few days stand on a page again and again."""
    text: str = format_date(day, "medium", locale=babel_locale(locale))
    return text


@lru_cache(maxsize=4096)
def _period(locale: str, start: date, step: Step) -> str:
    """The same few weeks and months are on all pages, and each takes longer to word than to add up."""
    if step is Step.QUARTER:
        return f"Q{(start.month - 1) // 3 + 1} {start.year}"
    skeleton = "MMMd" if step is Step.WEEK else "yMMM"
    text: str = format_skeleton(skeleton, start, locale=babel_locale(locale))
    return text


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Response rates that count as decent, and that are to be reached (R58)."""

    floor: float
    target: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One score with its pictures."""

    score: Score
    distribution: Markup
    change: Change | None = None

    @property
    def metric(self) -> Metric:
        """What is scored."""
        return self.score.metric

    @property
    def recommends(self) -> bool:
        """Whether it is an NPS: points with a sign rather than percent."""
        return self.metric in (Metric.NPS, Metric.NPS5)


def shown(found: Score, speech: Speech, change: Change | None = None) -> Shown:
    """A score with its distribution, and how it changed where it is compared."""
    return Shown(found, distribution(found, speech), change)


def group_name(metric: Metric, of: Group, say: Translate) -> str:
    """A group's name as pages say it: `Promoters`."""
    return say(GROUP_NAMES[metric][of].capitalize())


def distribution(found: Score, speech: Speech) -> Markup:
    """One bar of the three groups (R64); of too few answers their counts alone."""
    parts = ((Group.HIGH, found.split.high), (Group.MIDDLE, found.split.middle), (Group.LOW, found.split.low))
    colours = {Group.HIGH: "high", Group.MIDDLE: "mid", Group.LOW: "low"}
    shares = [
        charts.Share(group_name(found.metric, of, speech.say), count, colours[of]) for of, count in parts
    ]
    described = ", ".join(f"{share.label}: {share.count}" for share in shares)
    words = charts.Words(speech.say("Answers by group"), described)
    return charts.distribution(shares, words, speech.percent if found.readable else None)


def bars(histogram: Histogram, speech: Speech, leads: Callable[[str], str] | None = None) -> Markup:
    """A bar per possible answer; `leads` says where one goes on to who gave it."""
    metric = histogram.metric
    colours = {Group.HIGH: "high", Group.MIDDLE: "mid", Group.LOW: "low"}
    counts = [
        (value, count, colours[group(metric, int(value))]) for value, count in histogram.by_value().items()
    ]
    words = _words(
        speech.say("Answers by value"), ", ".join(f"{value}: {count}" for value, count, _ in counts), speech
    )
    return charts.histogram(counts, words, leads)


class Note(NamedTuple):
    """What happened on a day (of UTC, as the days of answers are), in words."""

    day: date
    text: str


def notes_of(happened: Iterable[tuple[datetime, str, str]], speech: Speech) -> list[Note]:
    """Releases, incidents and changes, oldest first."""
    say = speech.say
    kinds = {"release": say("Release"), "incident": say("Incident"), "change_shipped": say("Change shipped")}
    told = [Note(at.astimezone(UTC).date(), f"{kinds[kind]} {label}".strip()) for at, kind, label in happened]
    return sorted(told)


def note_of_drop(drop: Drop, speech: Speech) -> Note:
    """A drop that was told, for the day on which it was."""
    before, after = (_points(Metric(drop.metric), value, speech) for value in (drop.before, drop.after))
    text = speech.say("The last 30 days fell from %(before)s to %(after)s; chance hardly explains it")
    return Note(drop.day, text % {"before": before, "after": after})


def _points(metric: Metric, value: float, speech: Speech) -> str:
    """A score as texts say it: with its sign where it has one, else as a share."""
    recommends = metric in (Metric.NPS, Metric.NPS5)
    return signed(value, speech.locale) if recommends else speech.percent(value / 100)


def trend_of(
    course: Course, step: Step | Literal[""], speech: Speech, notes: Sequence[Note] = ()
) -> tuple[Markup, set[Note]]:
    """The trend of a score by the step that was chosen or else by the one that fits; notes marked in it."""
    series = course.series
    chosen = step or fitting(series.parts, TOO_FEW)
    periods = periods_of(series.metric, series.parts, chosen)
    scored = [(one, course.score(one.histogram)) for one in periods]
    places = {one.start: place for place, one in enumerate(periods)}
    marked = [(places[start], one) for one in notes if (start := start_of(one.day, chosen)) in places]
    drawn = trend(scored, chosen, speech, marked)
    return drawn, {one for _, one in marked} if any(found.readable for _, found in scored) else set()


def trend(
    periods: Sequence[tuple[Period, Score]],
    step: Step,
    speech: Speech,
    marked: Sequence[tuple[int, Note]] = (),
) -> Markup:
    """A line with the band of its interval (R64); a period with too few answers is a gap.

    `marked` is what happened, oldest first, each with the place of its period.
    """
    points = [_point(period, found, step, speech) for period, found in periods]
    known = [point for point in points if point.value is not None]
    described = (
        speech.say("From %(first)s to %(last)s, %(from)s to %(to)s")
        % {
            "first": round(known[0].value or 0),
            "last": round(known[-1].value or 0),
            "from": known[0].label,
            "to": known[-1].label,
        }
        if known
        else speech.say("Not enough answers yet")
    )
    recommends = bool(periods) and periods[0][1].metric in (Metric.NPS, Metric.NPS5)
    return charts.trend(
        points,
        _words(speech.say("Trend"), described, speech),
        (-100, 100) if recommends else (0, 100),
        [charts.Mark(place, f"{speech.day(one.day)}: {one.text}") for place, one in marked],
    )


def _point(period: Period, found: Score, step: Step, speech: Speech) -> charts.TrendPoint:
    label = speech.period(period.start, step)
    if not found.readable or found.value is None or found.low is None or found.high is None:
        return charts.TrendPoint(label, None, note=str(found.n))
    return charts.TrendPoint(label, round(found.value), round(found.low), round(found.high), str(found.n))


def ranges(metric: Metric, scores: Sequence[tuple[str, Score]], speech: Speech) -> Markup:
    """Scores in their intervals, one below the other, each under its name."""
    points = [
        charts.TrendPoint(
            f"{name}: {speech.answers(one.n)}",
            round(one.value or 0), round(one.low or 0), round(one.high or 0), str(one.n),
        )
        for name, one in scores
    ]  # fmt: skip
    described = ", ".join(
        speech.say("%(name)s: %(score)s, between %(low)s and %(high)s")
        % {"name": point.label, "score": point.value, "low": point.low, "high": point.high}
        for point in points
    )
    return charts.ranges(
        points,
        _words(speech.say("Side by side"), described, speech),
        (-100, 100) if metric in (Metric.NPS, Metric.NPS5) else (0, 100),
    )


def _words(title: str, description: str, speech: Speech) -> charts.Words:
    say = speech.say
    return charts.Words(
        title=title,
        description=description,
        table=say("Show as a table"),
        period=say("Period"),
        value=say("Score"),
        interval=say("Between"),
        note=say("Answers"),
        nothing=say("Not enough answers yet for a trend."),
        marks=say("What happened in the periods with a number:"),
    )


def quadrants(found: Moved, speech: Speech) -> Markup:
    """Rated attributes as importance by performance (R66), with their table; nothing where none is known."""
    known = [one for one in found.rated if one.importance is not None]
    if not known:
        return Markup("")
    places = [
        charts.Place(
            named(one.attribute, found.words, speech.locale),
            one.performance,
            max(0.0, one.importance or 0.0),
            "low" if one.quadrant is Quadrant.FOCUS else "bar",
        )
        for one in known
    ]
    say = speech.say
    words = _words(
        say("What matters"),
        say("Attributes by how far they go with the score (upwards) and how many are satisfied (rightwards)"),
        speech,
    )
    middle = (
        sum(one.performance for one in known) / len(known),
        sum(one.importance or 0 for one in known) / len(known),
    )
    return charts.quadrants(places, (say("Satisfied"), say("Goes with the score")), middle, words)


def rated_name(of: Group, say: Translate) -> str:
    """How somebody is content with an attribute that they rated."""
    names = {Group.HIGH: say("Satisfied"), Group.MIDDLE: say("Neutral"), Group.LOW: say("Unhappy")}
    return names[of]


def attribute_bar(one: Driver, name: str, speech: Speech) -> Markup:
    """Satisfied against unhappy with one attribute, as one bar (R65)."""
    parts = ((Group.HIGH, one.satisfied), (Group.MIDDLE, one.neutral), (Group.LOW, one.unhappy))
    colours = {Group.HIGH: "high", Group.MIDDLE: "mid", Group.LOW: "low"}
    shares = [charts.Share(rated_name(of, speech.say), count, colours[of]) for of, count in parts]
    return charts.stack(shares, f"{name}. " + ", ".join(f"{share.label}: {share.count}" for share in shares))


def title_of(titles: Mapping[str, Mapping[str, str]], programme: str, locale: str) -> str:
    """A programme's title in the reader's language, else in English, else its key."""
    known = titles.get(programme, {})
    return known.get(locale) or known.get("en") or next(iter(known.values()), programme)
