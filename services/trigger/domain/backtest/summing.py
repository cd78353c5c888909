"""From counts to a report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby

from services.trigger.domain.backtest.counting import Asked, Counts
from services.trigger.domain.backtest.report import (
    Assumptions,
    BacktestReport,
    Bucket,
    Cut,
    Day,
    Difference,
    Load,
    Outcome,
    Precision,
    ProgrammeFigures,
    ReasonCount,
    Tickets,
)
from services.trigger.domain.explain import because
from services.trigger.domain.programme import Edition
from shared.contracts import reasons as ledger
from shared.contracts.forms import QuestionType
from shared.contracts.reasons import Reason

Interval = Callable[[QuestionType, int, Assumptions], tuple[float, float] | None]
"""The interval that so many answers give, as the scores will have it; None with no answer."""

MOST_DAYS = 70
"""Longer times are drawn by week: more bars cannot be told apart."""

PERSON_STEPS = (1, 2, 3, 4, 5, 6)
ACCOUNT_STEPS = (1, 2, 5, 10, 20, 50, 100)

_NEVER_ASKED = frozenset({ledger.Outcome.SUPPRESSED, ledger.Outcome.CANCELLED})
_ASKED = frozenset({ledger.Outcome.REQUESTED, ledger.Outcome.SHADOW})


def sum_up(found: Counts, editions: Sequence[Edition], assumed: Assumptions, interval: Interval) -> Outcome:
    """What a set of programmes would have done."""
    programmes = tuple(_programme(edition, found) for edition in editions)
    real = [one for one in programmes if not one.shadow]
    days = tuple(_days(found, editions, assumed))
    return Outcome(
        name=found.name,
        invited=sum(day.invitations for day in days),
        reminders=sum(day.reminders for day in days),
        planned=sum(one.planned for one in real),
        not_asked=sum(one.not_asked for one in real),
        still_waiting=sum(one.still_waiting for one in real),
        unmatched=found.unmatched,
        programmes=programmes,
        reasons=tuple(_reasons(found, {one.key for one in real})),
        days=days,
        people=_load(found.people, PERSON_STEPS),
        accounts=_load(found.accounts, ACCOUNT_STEPS),
        tickets=_tickets(days, assumed),
        precision=tuple(_precision(found, editions, assumed, interval)),
    )


def differences(here: Outcome, there: Outcome) -> Iterator[Difference]:
    """What differs between two sets: numbers of the whole, then invitations by programme."""
    for (what, one), (_, other) in zip(_headline(here), _headline(there), strict=True):
        yield Difference(what=what, programme="", here=one, there=other, change=round(one - other, 2))
    mine, theirs = ({p.key: p.invited for p in outcome.programmes} for outcome in (here, there))
    for key in dict.fromkeys([*mine, *theirs]):
        one, other = mine.get(key, 0), theirs.get(key, 0)
        yield Difference(what="invitations", programme=key, here=one, there=other, change=one - other)


def spans(days: Sequence[Day]) -> list[Sequence[Day]]:
    """Days as they are drawn: each by itself, or a week at a time."""
    if len(days) <= MOST_DAYS:
        return [[day] for day in days]
    return [list(week) for _, week in groupby(days, key=lambda day: day.day.isocalendar()[:2])]


def worth_telling(report: BacktestReport) -> list[Difference]:
    """Differences as people read them: without programmes that invite nobody in either set."""
    return [one for one in report.differences if not one.programme or one.here or one.there]


def _headline(outcome: Outcome) -> Iterator[tuple[str, float]]:
    yield "invitations", outcome.invited
    yield "reminders at most", outcome.reminders
    yield "planned, never asked", outcome.not_asked
    yield "people asked", outcome.people.asked
    yield "most invitations to one person", outcome.people.most
    yield "most invitations to one account", outcome.accounts.most
    yield "expected tickets", outcome.tickets.expected
    yield "expected tickets on the busiest day", outcome.tickets.on_busiest_day
    yield "days above capacity", outcome.tickets.days_over_capacity


def _programme(edition: Edition, found: Counts) -> ProgrammeFigures:
    rules, key, waiting = edition.programme, edition.key, found.waiting
    reasons = tuple(_reasons(found, {key}))
    mine = {counted[1:]: count for counted, count in found.decided.items() if counted[0] == key}
    invited = sum(n for (outcome, _, reminder), n in mine.items() if outcome in _ASKED and not reminder)
    not_asked = sum(reason.not_asked for reason in reasons)
    return ProgrammeFigures(
        key=key,
        title=rules.title.get("en") or next(iter(rules.title.values())),
        family=rules.family,
        asks=rules.core.type,
        shadow=edition.shadow,
        planned=invited + not_asked + waiting[key],
        invited=invited,
        reminders=mine.get((ledger.Outcome.REQUESTED, None, True), 0),
        waited=sum(reason.waited for reason in reasons),
        not_asked=not_asked,
        still_waiting=waiting[key],
        reasons=reasons,
    )


def _reasons(found: Counts, programmes: Collection[str]) -> Iterator[ReasonCount]:
    """Reasons with what they did in some programmes, those that prevented most first."""
    waited: Counter[Reason] = Counter()
    not_asked: Counter[Reason] = Counter()
    not_planned: Counter[Reason] = Counter()
    for (key, reason), count in found.waited.items():
        if key in programmes:
            waited[reason] += count
    for (key, outcome, why, reminder), count in found.decided.items():
        if key not in programmes or why is None or reminder:
            continue
        if outcome in _NEVER_ASKED:
            not_asked[why] += count
        elif outcome is ledger.Outcome.NOT_MATCHED:
            not_planned[why] += count
    every = waited.keys() | not_asked.keys() | not_planned.keys()
    for reason in sorted(every, key=lambda r: (-not_asked[r], -waited[r], -not_planned[r], r)):
        yield ReasonCount(
            reason=reason,
            words=because(reason),
            waited=waited[reason],
            not_asked=not_asked[reason],
            not_planned=not_planned[reason],
        )


def _days(found: Counts, editions: Sequence[Edition], assumed: Assumptions) -> Iterator[Day]:
    """Every day of the counted time, those without any invitation too."""
    opens = {e.key for e in editions if e.programme.close_the_loop.unhappy.ticket}
    day, last = (at.astimezone(found.zone).date() for at in (found.begins, found.ends))
    while day <= last:
        sent = found.sent.get(day, Counter())
        asked = sum(count for key, count in sent.items() if key in opens)
        yield Day(
            day=day,
            invitations=sent.total(),
            reminders=found.reminded[day],
            tickets=round(asked * assumed.response_rate * assumed.unhappy, 2),
            programmes=dict(sorted(sent.items())),
        )
        day += timedelta(days=1)


def _tickets(days: Sequence[Day], assumed: Assumptions) -> Tickets:
    busiest = max(days, key=lambda day: day.tickets, default=None)
    known: date | None = busiest.day if busiest and busiest.tickets else None
    return Tickets(
        expected=round(sum(day.tickets for day in days), 1),
        busiest_day=known,
        on_busiest_day=busiest.tickets if busiest else 0,
        days=len(days),
        days_over_capacity=sum(day.tickets > assumed.capacity for day in days),
    )


def _load(asked: Asked, steps: Sequence[int]) -> Load:
    times = asked.times
    total = sum(number * count for number, count in times.items())
    buckets = [Bucket(invitations="0", count=max(asked.known - times.total(), 0))]
    for low, high in zip(steps, [*(step - 1 for step in steps[1:]), None], strict=True):
        count = sum(n for number, n in times.items() if number >= low and (high is None or number <= high))
        span = f"{low}+" if high is None else str(low) if low == high else f"{low}\N{EN DASH}{high}"
        buckets.append(Bucket(invitations=span, count=count))
    return Load(
        known=asked.known,
        asked=times.total(),
        most=max(times, default=0),
        mean=round(total / times.total(), 2) if times else 0,
        distribution=tuple(buckets),
        heaviest=asked.heaviest,
    )


def _precision(
    found: Counts, editions: Sequence[Edition], assumed: Assumptions, interval: Interval
) -> Iterator[Precision]:
    """Programmes with their segments, the largest of each cut first, as far as anybody was invited."""
    for edition in editions:
        mine = {(cut, value): n for (key, cut, value), n in found.of_segment.items() if key == edition.key}
        if not mine:
            continue
        every = sum(n for (cut, _), n in mine.items() if cut is Cut.TIER)  # each invitation is in each cut
        yield _exactness(edition, (None, ""), every, assumed, interval)
        for cut in Cut:
            known = [(value, n) for (by, value), n in mine.items() if by is cut and value]
            for value, n in sorted(known, key=lambda one: (-one[1], one[0])):
                yield _exactness(edition, (cut, value), n, assumed, interval)


def _exactness(
    edition: Edition,
    segment: tuple[Cut | None, str],
    invitations: int,
    assumed: Assumptions,
    interval: Interval,
) -> Precision:
    kind = edition.programme.core.type
    answers = round(invitations * assumed.response_rate)
    found = interval(kind, answers, assumed)
    return Precision(
        programme=edition.key,
        cut=segment[0],
        value=segment[1],
        metric=kind,
        invitations=invitations,
        answers=answers,
        low=round(found[0], 1) if found else None,
        high=round(found[1], 1) if found else None,
        margin=round((found[1] - found[0]) / 2, 1) if found else None,
    )


UNKNOWN = (
    "What anybody would have answered, and when: tickets and intervals come from the assumed shares.",
    "Reminders that an answer would have saved: as many are counted as go out when nobody answers.",
    "Waits for an open detractor ticket: a ticket comes from an answer.",
    "Opt-outs, bounces and complaints that are not in the file: whoever unsubscribed is still asked here.",
    "Who was asked before the file begins: its first weeks look freer than they were.",
    "What was learned of the best moment: programmes that learn go by the guides' rule all the time.",
    "Which people a sample draws: that hangs on ids which only the running service makes.",
    "Brakes that were pulled and programmes that were changed: today's files run from the first day.",
    "When events came in: each is taken at the moment at which it happened.",
    "Answers that join an open case of their account: each unhappy one is counted as a ticket of its own.",
)
"""What no history can tell; said with every report."""
