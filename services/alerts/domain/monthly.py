"""The report that leaders and managers of teams get each month: when it is due, whose it is, what it says.

Leadership hears of the house, team by team with who is responsible; the manager and the leadership that a
team names hear of that team, owner by owner (R82, R83).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerts.domain import words
from services.alerts.domain.alarm import Text
from services.alerts.domain.care import Care, Times
from services.alerts.domain.outcomes import Outcomes
from services.alerts.domain.routing import Staff

HOUR = 8
"""At which it is due, on the first of the month and on the clock of who gets it."""
LATEST = timedelta(days=5)
"""What could not be planned within this time would be old news."""
TO_MEET = 5
_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody hears of: the whole house, else these teams."""

    house: bool
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A team or an owner, with who is responsible where that is another name."""

    name: str
    responsible: str
    care: Care
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class Waiting:
    """A customer of weight whose case is open: somebody to meet."""

    account: str
    tier: str
    since: datetime
    owner: str
    link: str


@dataclass(frozen=True, slots=True)
class Report:
    """One month of the house, or of a team.

    Attributes:
        of: name of the team; "" for the house.
        before: the month before.
        open: cases that are open now; `late` of them are.
    """

    of: str
    month: date
    now: datetime
    all: Row
    before: Row
    rows: Sequence[Row]
    open: int
    late: int
    to_meet: Sequence[Waiting]


def due_month(now: datetime, zone: ZoneInfo) -> date | None:
    """The first day of the month whose report is due in a zone; None while none is."""
    local = now.astimezone(zone)
    first = local.date().replace(day=1)
    at = datetime.combine(first, time(HOUR), zone)
    return before(first) if timedelta() <= now - at < LATEST else None


def before(month: date) -> date:
    """The month before one, by its first day."""
    return (month - timedelta(days=1)).replace(day=1)


def after(month: date) -> date:
    """The month after one, by its first day."""
    if month.month == _DECEMBER:
        return date(month.year + 1, 1, 1)
    return month.replace(month=month.month + 1)


def readers(staff: Staff) -> dict[UUID, Scope]:
    """Who gets it, and of what."""
    found = {user_id: Scope(house=True, teams=()) for user_id in staff.leaders}
    for key, rule in staff.roster.teams.items():
        for address in (rule.manager or "", *rule.leadership):
            member = staff.by_email(address)
            if member is None:
                continue
            known = found.get(member.user_id, Scope(house=False, teams=()))
            if not known.house and key not in known.teams:
                found[member.user_id] = Scope(house=False, teams=(*known.teams, key))
    return found


def letter(reports: Sequence[Report], base: str) -> Text:
    """The mail, of one report or of several teams; `base` is the address of the pages."""
    first = reports[0]
    month = f"{first.month:%B %Y}"
    cases = sum(one.all.care.cases for one in reports)
    late = sum(one.all.care.late for one in reports)
    whose = f" ({', '.join(one.of for one in reports)})" if first.of else ""
    facts = [fact for one in reports for fact in _facts(one)]
    last = after(first.month) - timedelta(days=1)
    return Text(
        subject=f"{month}: {_count(cases, 'case')} of unhappy customers, {late} late{whose}",
        headline=" ".join(_headline(one) for one in reports),
        quote="",
        facts=tuple(facts),
        action="Speak with one of these customers yourself; the case tells what happened so far."
        if any(one.to_meet for one in reports)
        else "Cases that still wait are counted with as long as they have waited.",
        link=f"{base}/inbox/report?from={first.month}&to={last}",
        button="Open the report",
        calm=True,
    )


def _headline(one: Report) -> str:
    care, was = one.all.care, one.before.care
    of = f" of {one.of}" if one.of else ""
    if not care.cases:
        return f"No case{of} was opened in {one.month:%B}; {was.cases or 'none'} in the month before."
    late = "in none of them anybody waited" if not care.late else f"in {care.late} of them nobody called"
    end = " longer than promised" if not care.late else " in time"
    earlier = f"In the month before: {_count(was.cases, 'case')}, {was.late} late."
    return f"{one.month:%B} had {_count(care.cases, 'case')}{of}; {late}{end}. {earlier}"


def _facts(one: Report) -> list[tuple[str, str]]:
    of = f", {one.of}" if one.of else ""
    found = [
        (f"Called within{of}", _within(one.all.care.contacted)),
        (f"Mended{of}", _mended(one.all.outcomes, "customers confirmed")),
        (f"Open now{of}", f"{_count(one.open, 'case')}, {one.late} late"),
    ]
    if len(one.rows) > 1:
        found += [(row.name, _row(row)) for row in one.rows]
    for each in one.to_meet:
        waits = f"open for {words.span(one.now - each.since)}, {each.owner}"
        found.append(("To meet", f"{each.account}, {each.tier} account, {waits}: {each.link}"))
    return found


def _row(row: Row) -> str:
    parts = [_count(row.care.cases, "case"), f"{row.care.late} late"]
    if row.care.contacted.median is not None:
        parts.append(f"half called within {words.span(row.care.contacted.median)}")
    parts.append(_mended(row.outcomes, "mended"))
    if row.responsible:
        parts.append(f"responsible: {row.responsible}")
    return ", ".join(parts)


def _within(times: Times) -> str:
    if times.median is None:
        return "too many still wait to say it" if times.waiting else "nobody had to be called"
    half = f"half within {words.span(times.median)}"
    return half if times.most is None else f"{half}, nine in ten within {words.span(times.most)}"


def _mended(counts: Outcomes, what: str) -> str:
    return f"{counts.confirmed} of {counts.cases} {what}" if counts.cases else "none ended"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
