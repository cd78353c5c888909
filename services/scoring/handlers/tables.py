"""Rows of the tables that are given away: those of the pages with the same filters, and all facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.scoring.domain.asking import Span, ask
from services.scoring.domain.health import Part
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group, Score
from services.scoring.domain.periods import Step, trend
from services.scoring.domain.rates import Asked, Rate, rate
from services.scoring.domain.references import Reference, References
from services.scoring.domain.sides import Side
from services.scoring.domain.tables import HEALTH_PARTS, Table
from services.scoring.domain.themes import Tally, counted
from services.scoring.handlers.answering import listing
from services.scoring.handlers.comments import Library, words
from services.scoring.store import (
    accounts,
    answers,
    comments,
    customers,
    exports,
    fates,
    outcomes,
    queries,
    reports,
    results,
    splits,
)
from services.scoring.store.drivers import moved
from services.scoring.store.judging import courses, judged
from services.scoring.store.references import beside
from shared.contracts.model import Persona
from shared.db.database import Connection, Database
from shared.web.problems import Problem

A_PAGE = 2000
ACCOUNTS_A_PAGE = 100
COMMENTS_A_PAGE = 500
EVERY = accounts.Wanted()

Item = dict[str, Any]
Pages = AsyncIterator[list[Item]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters of a page leave.

    Attributes:
        span: the days.
        before: what they are compared with; None where there is nothing before.
        dimension: what a programme is broken down by.
        answers: of the table of answers which are wanted, and the cut that they are among.
    """

    now: datetime
    span: Span
    before: Span | None
    facts: exports.WantedFacts
    programme: str = ""
    family: str | None = None
    step: Step = Step.MONTH
    dimension: str = "tier"
    accounts: accounts.Wanted = EVERY
    theme: str = ""
    tone: str = ""
    language: str = ""
    locale: str = "en"
    answers: tuple[answers.Wanted, Side | None] | None = None


def ended_of(
    metric: Metric | None, mood: Group | None, today: date, *, left: bool | None, programme: str
) -> accounts.Ended | None:
    """Accounts by what they had said before their contract was renewed or ended; None where nobody asks.

    Args:
        metric: what they had answered.
        mood: what most of it was.
        today: the last day of the year that is looked at.
        left: whether their contract ended; None for both.
        programme: in which they had said it; "" for all together.

    Raises:
        Problem: 422, one of the two is missing.
    """
    if metric is None and mood is None and left is None and not programme:
        return None
    if metric is None or mood is None:
        raise Problem(
            422, "Accounts that stayed or left are told apart by what they had said before.",
            what_to_do="Name metric (nps, csat …) and mood (low, middle, high).",
            field="metric" if metric is None else "mood",
        )  # fmt: skip
    return accounts.Ended(metric, mood, results.since(today), left, programme)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What tables are made from besides the filters."""

    db: Database
    library: Library
    references: References
    weights: Mapping[Part, float]


def pages_of(table: Table, shelf: Shelf, wanted: Wanted) -> Pages:
    """The rows of a table, page after page; no transaction stays open between two."""
    if table in _LONG:
        return _LONG[table](shelf, wanted)
    return _one(shelf, wanted, _SHORT[table])


async def _one(shelf: Shelf, wanted: Wanted, rows: _Rows) -> Pages:
    async with shelf.db.read() as conn:
        found = await rows(conn, shelf, wanted)
    if found:
        yield found


async def _facts(shelf: Shelf, wanted: Wanted) -> Pages:
    after: exports.Place | None = exports.START
    while after is not None:
        async with shelf.db.read() as conn:
            found = await exports.facts(conn, wanted.facts, after, A_PAGE)
        if found:
            yield found
        after = exports.place_of(found[-1]) if len(found) == A_PAGE else None


async def _customers(shelf: Shelf, wanted: Wanted) -> AsyncIterator[list[customers.Customer]]:
    if wanted.facts.account_id:
        async with shelf.db.read() as conn:
            one = await customers.customer(conn, wanted.facts.account_id, wanted.now, shelf.weights)
        if one:
            yield [one]
        return
    after: accounts.After | None = None
    more = True
    while more:
        async with shelf.db.read() as conn:
            found = await accounts.listed(conn, wanted.accounts, after, ACCOUNTS_A_PAGE)
            shown = await customers.customers(conn, found, wanted.now, shelf.weights)
        if shown:
            yield shown
            after = accounts.After(found[-1].annual_value or 0, found[-1].account_id)
        more = len(found) == ACCOUNTS_A_PAGE


async def _accounts(shelf: Shelf, wanted: Wanted) -> Pages:
    async for shown in _customers(shelf, wanted):
        yield [_account(one) for one in shown]


async def _account_scores(shelf: Shelf, wanted: Wanted) -> Pages:
    async for shown in _customers(shelf, wanted):
        yield [
            {"account_id": str(one.account.account_id), "name": one.account.name, "family": family.value,
             "metric": metric.value, "persona": persona or None} | _numbers(scored)
            for one in shown
            for (metric, family, persona), scored in sorted(one.scores.items())
        ]  # fmt: skip


async def _comments(shelf: Shelf, wanted: Wanted) -> Pages:
    asked = comments.Wanted(
        wanted.span, wanted.programme, wanted.family, wanted.theme, wanted.tone, wanted.language
    )
    after = None
    more = True
    while more:
        async with shelf.db.read() as conn:
            found = await comments.listed(conn, asked, after, COMMENTS_A_PAGE)
            said = await words(shelf.library.sealer, conn, [(one.contact_id, one.words) for one in found])
        if found:
            yield [_comment(one, text) for one, text in zip(found, said, strict=True)]
            after = (found[-1].day, found[-1].response_id)
        more = len(found) == COMMENTS_A_PAGE


async def _answers(shelf: Shelf, wanted: Wanted) -> Pages:
    if wanted.answers is None:
        return
    asked, side = wanted.answers
    async with shelf.db.read() as conn:
        among = await listing(conn, asked, side)
    after = None
    more = True
    while more:
        async with shelf.db.read() as conn:
            found = await among.after(conn, after, COMMENTS_A_PAGE)
            said = await words(shelf.library.sealer, conn, [(one.contact_id, one.words) for one in found])
        if found:
            yield [_answer(one, text) for one, text in zip(found, said, strict=True)]
            after = (found[-1].day, found[-1].response_id)
        more = len(found) == COMMENTS_A_PAGE


async def _programmes(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    if wanted.before is None:
        asked = ask(programme=wanted.programme, family=wanted.family, span=wanted.span)
        empty = dict.fromkeys(_CHANGE)
        return [
            _of(one.family, one.value, one.score.metric) | _numbers(one.score) | empty
            for one in await judged(conn, asked)
        ]
    found = await reports.compared(
        conn, wanted.span, wanted.before, programme=wanted.programme, family=wanted.family
    )
    return [
        _of(one.family, one.programme, one.metric) | _numbers(one.change.after)
        | {
            "n_before": one.change.before.n, "score_before": one.change.before.value,
            "points": one.change.points, "points_low": one.change.low, "points_high": one.change.high,
            "verdict": one.change.verdict.value,
        }
        for one in found
    ]  # fmt: skip


_CHANGE = ("n_before", "score_before", "points", "points_low", "points_high", "verdict")


async def _rates(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    asked = await queries.rates(
        conn, "programme", wanted.span, prefix=wanted.programme, exact=bool(wanted.programme),
        family=wanted.family,
    )  # fmt: skip
    return [
        {"family": family, "programme": programme, "held": counts.held} | _rate(rate(counts))
        for (family, programme), counts in asked.items()
    ]


async def _managers(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    counts: dict[str, Asked] = {}
    for (_family, owner), one in (
        await queries.rates(conn, "owner", wanted.span, family=wanted.family)
    ).items():
        counts[owner] = counts.get(owner, Asked()) + one
    return [{"owner": owner} | _rate(rate(one)) for owner, one in sorted(counts.items())]


async def _trend(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    asked = ask(programme=wanted.programme, family=wanted.family, span=wanted.span)
    return [
        _of(one.family, one.value, one.metric)
        | {"start": period.start, "end": period.end}
        | _numbers(course.score(period.histogram))
        for course in await courses(conn, asked)
        for one in (course.series,)
        for period in trend(one.metric, one.parts, wanted.step)
    ]


async def _breakdown(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    told, parts = await splits.told(
        conn, wanted.programme, wanted.dimension, wanted.span, wanted.family, wanted.now.date()
    )
    return [
        _of(family, wanted.programme, metric)
        | {"dimension": wanted.dimension, "value": one.value}
        | _numbers(one.score)
        | {"points": one.points, "verdict": one.verdict.value, "days": one.days, "since": parts.since}
        for (metric, family), found in told.items()
        for one in found
    ]


async def _readings(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    found, _complete = await reports.defined(conn, wanted.span, wanted.programme)
    return [
        _of(family, wanted.programme, metric)
        | {"reading": one.definition.value, "accounts": one.accounts, "covered": one.covered}
        | _numbers(one.score)
        for (metric, family), readings in found.items()
        for one in readings
    ]


async def _cohorts(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    found = await reports.by_cohort(conn, wanted.programme, wanted.now.date())
    return [
        {"programme": wanted.programme, "start": one.start, "asked": one.rate.asked,
         "answered": one.rate.answered, "rate": one.rate.value, "arrived": one.arrived,
         "expected_rate": one.expected, "complete": one.complete}
        for one in found
    ]  # fmt: skip


async def _attributes(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    found = await moved(conn, wanted.programme, wanted.span)
    return [
        {"programme": wanted.programme, "attribute": one.attribute, "n": one.n, "satisfied": one.satisfied,
         "neutral": one.neutral, "unhappy": one.unhappy, "performance": one.performance, "low": one.low,
         "high": one.high, "importance": one.importance, "chance": one.chance,
         "quadrant": one.quadrant.value}
        for one in found.rated
    ]  # fmt: skip


async def _effects(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    found = await moved(conn, wanted.programme, wanted.span)
    return [
        _of(family, wanted.programme, metric)
        | {"attribute": one.attribute, "value": one.value, "n": one.change.after.n,
           "score": one.change.after.value, "others": one.change.before.value, "points": one.change.points,
           "low": one.change.low, "high": one.change.high, "chance": one.chance, "certain": one.certain}
        for metric, family, measured in found.effects
        for one in measured
    ]  # fmt: skip


async def _wishes(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    found = await moved(conn, wanted.programme, wanted.span)
    return [
        {"programme": wanted.programme, "attribute": one.attribute, "named": one.named, "asked": one.asked,
         "low": one.low, "high": one.high}
        for one in found.wished
    ]  # fmt: skip


async def _themes(conn: Connection, shelf: Shelf, wanted: Wanted) -> list[Item]:
    kind, programme = wanted.family, wanted.programme
    now = await comments.themes(conn, comments.Wanted(wanted.span, programme, kind))
    was = Tally()
    if wanted.before:
        was = await comments.themes(conn, comments.Wanted(wanted.before, programme, kind))
    return [
        {"theme": one.theme, "name": shelf.library.written.name_of(one.theme, wanted.locale),
         "team": shelf.library.written.team_of(one.theme), "n": one.named.n, "negative": one.named.negative,
         "neutral": one.named.neutral, "positive": one.named.positive,
         "share": one.named.n / one.of if one.readable else None, "low": one.share.low,
         "high": one.share.high, "course": one.course.value, "accounts": one.named.accounts,
         "negative_share": one.named.negative / one.named.n if one.tone_readable else None,
         "negative_low": one.complaining.low, "negative_high": one.complaining.high}
        for one in counted(now, was)
    ]  # fmt: skip


async def _goals(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        {"group": one.group, "family": one.family, "metric": one.goal.metric, "change": one.goal.change,
         "by": one.goal.by, "since": one.goal.since,
         "before": one.reached.before.value, "n_before": one.reached.before.n,
         "low_before": one.reached.before.low, "high_before": one.reached.before.high,
         "now": one.reached.now.value, "n_now": one.reached.now.n, "low_now": one.reached.now.low,
         "high_now": one.reached.now.high, "target": one.reached.target,
         "share": one.reached.share, "progress": one.reached.progress.value}
        for one in await results.goals(conn, wanted.now.date())
    ]  # fmt: skip


async def _fixes(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        _of(one.family, one.programme, one.metric)
        | {"day": one.day, "label": one.label, "product": one.product, "inside": "; ".join(one.inside),
           "n_before": one.change.before.n,
           "n_after": one.change.after.n, "before": one.change.before.value,
           "after": one.change.after.value, "points": one.change.points, "low": one.change.low,
           "high": one.change.high, "verdict": one.change.verdict.value, "certain": one.certain}
        for one in await results.fixes(conn, wanted.now.date())
    ]  # fmt: skip


async def _outcomes(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        {"metric": one.metric.value, "mood": mood.value, "accounts": fate.accounts, "left": fate.left,
         "link": one.link.value, "points": one.points, "low": one.low, "high": one.high}
        for one in await results.outcomes(conn, wanted.now.date())
        for mood, fate in sorted(one.fates.items())
    ]  # fmt: skip


async def _outcomes_by_programme(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        {"programme": one.programme, "touchpoints": "; ".join(one.touchpoints), "metric": of.metric.value,
         "mood": mood.value, "accounts": fate.accounts, "left": fate.left, "tells": of.tells.value,
         "points": of.points, "low": of.low, "high": of.high, "worth": of.worth, "asked": one.asked,
         "follows_up": one.follows_up, "consider_retiring": one.consider_retiring}
        for one in await outcomes.by_programme(conn, wanted.now.date())
        for of in one.tellings
        for mood, fate in sorted(of.fates.items())
    ]  # fmt: skip


async def _references(conn: Connection, shelf: Shelf, wanted: Wanted) -> list[Item]:
    """Values beside the scores of a year; those that are held against none stand alone."""
    found = await beside(conn, shelf.references, wanted.now.date())
    held = [
        _value(of.reference) | {"family": one.family, "standing": of.standing.value} | _numbers(one.score)
        for one in found
        for of in one.held
    ]
    told = {id(of.reference) for one in found for of in one.held}
    alone = dict.fromkeys(("family", "n", "score", "low", "high", "standing"))
    return held + [_value(one) | alone for one in shelf.references.values if id(one) not in told]


def _value(one: Reference) -> Item:
    return one.model_dump(mode="json") | {"name": one.named("en")}


async def _churn(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        {"tier": one.tier or None, "ended_or_renewed": one.accounts, "left": one.left,
         "share": one.share, "low": one.interval.low, "high": one.interval.high, "value_left": one.value,
         "cost_left": one.cost}
        for one in await fates.churn(conn, results.since(wanted.now.date()))
    ]  # fmt: skip


async def _pools(conn: Connection, _: Shelf, wanted: Wanted) -> list[Item]:
    return [
        {"family": one.family, "persona": one.value, "metric": one.score.metric.value} | _numbers(one.score)
        for one in await customers.pools(conn, wanted.span)
    ]


def _of(family: str, programme: str, metric: Metric) -> Item:
    return {"family": family, "programme": programme, "metric": metric.value}


def _numbers(found: Score) -> Item:
    return {"n": found.n, "score": found.value, "low": found.low, "high": found.high}


def _rate(found: Rate) -> Item:
    return {
        "asked": found.asked, "answered": found.answered, "rate": found.value, "low": found.low,
        "high": found.high,
    }  # fmt: skip


def _account(one: customers.Customer) -> Item:
    account, around = one.account, one.around
    deciding = around.committee.get(Persona.DECISION_MAKER, (0, 0))
    using = around.committee.get(Persona.USER, (0, 0))
    return {
        "account_id": str(account.account_id), "name": account.name, "tier": account.tier,
        "industry": account.industry, "size": account.size, "owner": account.owner, "region": account.region,
        "annual_value": account.annual_value, "acquisition_cost": account.acquisition_cost,
        "phase": account.phase, "renewal_on": account.renewal_on,
        "health": one.health.value, "health_known": one.health.known,
        "answers": sum(found.n for (*_, persona), found in one.scores.items() if not persona),
        "silent_days": one.silent_days, "open_tickets": around.open_tickets,
        "support_tickets": around.support_tickets, "usage": around.usage,
        "decision_makers": deciding[0], "decision_makers_heard": deciding[1], "users": using[0],
        "users_heard": using[1],
    } | _health(one)  # fmt: skip


def _health(one: customers.Customer) -> Item:
    """The parts of health; where one kind of survey asks on two scales the usual one, of eleven points."""
    shares: Item = dict.fromkeys(HEALTH_PARTS)
    for part in reversed(one.health.parts):
        kind = f"_{part.asked[1].value}" if part.asked else ""
        if (name := f"health_{part.part.value}{kind}") in shares:
            shares[name] = part.share
    return shares


def _answer(one: answers.Given, text: str) -> Item:
    return {
        "response_id": str(one.response_id), "day": one.day, "programme": one.programme, "family": one.family,
        "account_id": str(one.account_id) if one.account_id else None, "account_name": one.account_name,
        "persona": one.persona or None, "channel": one.channel or None, **_points(one.points),
        "rating": one.rating, "words": text, "language": one.language, "tone": one.tone,
    }  # fmt: skip


def _points(said: Iterable[tuple[Metric, int]]) -> dict[str, int | None]:
    """A column for each metric, empty where it was not asked."""
    points: dict[str, int | None] = {metric.value: None for metric in Metric}
    return points | {metric.value: value for metric, value in said}


def _comment(one: comments.Comment, text: str) -> Item:
    return {
        "response_id": str(one.response_id), "day": one.day, "programme": one.programme, "family": one.family,
        "account_id": str(one.account_id) if one.account_id else None, "account_name": one.account_name,
        "persona": one.persona or None, **_points(one.points), "words": text, "language": one.language,
        "tone": one.tone, "at_odds": one.at_odds, "themes": "; ".join(theme for theme, _ in one.themes),
        "quotable": one.quotable,
    }  # fmt: skip


_Rows = Callable[[Connection, Shelf, Wanted], Awaitable[list[Item]]]

_LONG: Mapping[Table, Callable[[Shelf, Wanted], Pages]] = {
    Table.FACTS: _facts,
    Table.ANSWERS: _answers,
    Table.ACCOUNTS: _accounts,
    Table.ACCOUNT_SCORES: _account_scores,
    Table.COMMENTS: _comments,
}
_SHORT: Mapping[Table, _Rows] = {
    Table.PROGRAMMES: _programmes,
    Table.RATES: _rates,
    Table.TREND: _trend,
    Table.BREAKDOWN: _breakdown,
    Table.READINGS: _readings,
    Table.COHORTS: _cohorts,
    Table.ATTRIBUTES: _attributes,
    Table.EFFECTS: _effects,
    Table.WISHES: _wishes,
    Table.THEMES: _themes,
    Table.GOALS: _goals,
    Table.FIXES: _fixes,
    Table.OUTCOMES: _outcomes,
    Table.OUTCOMES_BY_PROGRAMME: _outcomes_by_programme,
    Table.REFERENCES: _references,
    Table.MANAGERS: _managers,
    Table.POOLS: _pools,
    Table.CHURN: _churn,
}
