"""`alerts.yaml`: teams with their rotas, which case goes to which team, tasks. What an operator edits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from services.alerts.domain.calendars import Calendar
from services.alerts.domain.escalation import DEFAULT, EscalationPolicy
from services.alerts.domain.escalation_rules import EscalationRule, wrong
from services.alerts.domain.layers import Hours
from services.alerts.domain.matching import Key, Match, Rule
from services.alerts.domain.playbooks import PlaybookRule
from services.alerts.domain.quiet import QuietHours
from services.alerts.domain.spelling import Address, LocalTime, Zone
from services.alerts.domain.task_kinds import TaskRule
from shared.calendars import DAY_MINUTES, knows
from shared.config.check import Checked, Complaint, check
from shared.config.documents import Location
from shared.contracts.model import Snapshot

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TURNS = {"day": 1, "week": 7, "two_weeks": 14}


class HoursRule(Rule):
    """A part of the week; `to` not after `from` means the next morning."""

    days: tuple[Day, ...] = Field(DAYS, min_length=1, description="days on which it begins")
    opens: LocalTime = Field("00:00", alias="from")
    closes: LocalTime = Field("24:00", alias="to")

    @property
    def hours(self) -> Hours:
        """As the rota counts it."""
        return Hours(_numbers(self.days), minutes(self.opens), minutes(self.closes))


class LayerRule(Rule):
    """People who take turns. A later layer stands above an earlier one while its hours last."""

    name: str = Field("", max_length=60)
    people: tuple[Address, ...] = Field(min_length=1, description="in the order of their turns")
    first: date = Field(description="day of the first person's first hand-over; its weekday is that of all")
    at: LocalTime = Field("09:00", description="local time of each hand-over")
    every: Literal["day", "week", "two_weeks"] = "week"
    hours: HoursRule | None = Field(None, description="when the layer counts; left out: always")

    @field_validator("at")
    @classmethod
    def _before_midnight(cls, at: str) -> str:
        if minutes(at) >= DAY_MINUTES:
            raise ValueError("a hand-over at midnight is 00:00 of the next day")
        return at


class WorkRule(Rule):
    """Working hours in which the promise of a contact counts, in the team's zone."""

    days: tuple[Day, ...] = Field(DAYS[:5], min_length=1)
    opens: LocalTime = Field("09:00", alias="from")
    closes: LocalTime = Field("17:00", alias="to")
    holidays: str = Field("", description="country whose public holidays are free: SE, or DE-BY")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if minutes(self.closes) <= minutes(self.opens):
            raise ValueError("work must end after it begins, on the same day")
        if self.holidays and not knows(self.holidays):
            raise ValueError(f"{self.holidays!r} is no country whose holidays are known; write SE, or DE-BY")
        return self

    def calendar(self, zone: str) -> Calendar:
        """As the clocks count it."""
        opens, closes = minutes(self.opens), minutes(self.closes)
        return Calendar(zone, _numbers(self.days), opens, closes, self.holidays)


class TeamRule(Rule):
    """Who takes care of some of the cases."""

    name: str = Field(min_length=1, max_length=60)
    zone: Zone = "UTC"
    manager: Address | None = Field(None, description="told of what is late, and of gaps; else all managers")
    leadership: tuple[Address, ...] = Field((), description="told at the hard limit; else those of the house")
    working_hours: WorkRule | None = Field(None, description="left out: all hours count")
    rota: tuple[LayerRule, ...] = Field((), description="layers, the last on top")
    gap_warning_days: int = Field(
        7, ge=1, le=60, description="a gap that comes so soon is told to the manager"
    )
    fall_back: Key | None = Field(None, description="team whose rota is asked when nobody is on call here")
    escalation: EscalationRule | None = Field(
        None, description="what happens while nobody takes a case; left out: as for the whole house"
    )

    def named(self, place: int) -> str:
        """The name of a layer, its number where it has none."""
        return self.rota[place].name or f"layer {place + 1}"


class Repeated(Rule):
    """Trouble that comes again: so many cases of the same customer, so shortly before this one (R78)."""

    cases: int = Field(1, ge=1, le=20, description="at least so many cases before it")
    days: int = Field(90, ge=1, le=730, description="opened within so many days before it")

    def fits(self, past: Iterable[timedelta]) -> bool:
        """Whether enough of the customer's earlier cases, by their age, are so young."""
        return sum(age <= timedelta(days=self.days) for age in past) >= self.cases


class Route(Rule):
    """Where a case goes; the first route that fits counts."""

    name: str = Field("", max_length=60, description="stands in the case's timeline; left out: its number")
    when: Match = Field(default_factory=Match, description="left out: every case")
    repeated: Repeated | None = Field(None, description="only cases of customers who had others lately")
    team: Key | None = Field(None, description="left out: the rota that everybody shares")
    owner_first: bool = Field(default=True, description="whether the account's owner goes before the rota")
    also: tuple[Literal["manager", "leadership"], ...] = Field((), description="told of the opening too")


class QuietRule(Rule):
    """When people sleep, each in the zone of their own account here; `to` may be the next morning."""

    begins: LocalTime = Field("22:00", alias="from")
    ends: LocalTime = Field("07:00", alias="to")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if minutes(self.begins) == minutes(self.ends) or "24:00" in {self.begins, self.ends}:
            raise ValueError("quiet hours begin and end at two different times of day; midnight is 00:00")
        return self

    @property
    def hours(self) -> QuietHours:
        """As notices count them."""
        return QuietHours(minutes(self.begins), minutes(self.ends))


def _sendable(text: str) -> str:
    tidy = " ".join(text.split())
    if "=?" in tidy or not tidy.isprintable():
        raise ValueError("it holds a character that no mail can carry")
    return tidy


HelpText = Annotated[
    Mapping[
        Annotated[str, Field(pattern=r"^[a-z]{2,3}$")],
        Annotated[str, AfterValidator(_sendable), Field(min_length=1, max_length=500)],
    ],
    Field(min_length=1, description="language to words, a link in them if need be"),
]


class Roster(Rule):
    """The whole file."""

    teams: Mapping[Key, TeamRule] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    tasks: Mapping[Key, TaskRule] = Field(
        default_factory=dict, description="what follows answers, by the task's name"
    )
    playbooks: Mapping[Key, PlaybookRule] = Field(
        default_factory=dict, description="steps of a case, by the playbook that its programme names"
    )
    help_texts: Mapping[Key, HelpText] = Field(
        default_factory=dict, alias="help",
        description="what unhappy customers get at once, by the name that their programme sends",
    )  # fmt: skip
    gap_warning_days: int = Field(7, ge=1, le=60, description="the same for the rota that everybody shares")

    quiet_hours: QuietRule | None = Field(
        None, description="when notices of cases with normal priority wait; left out: they never do"
    )
    escalation: EscalationRule | None = Field(
        None,
        description="what happens while nobody takes a case, for teams without their own; left out: an urgent"
        " one is told to the next on call after 15 minutes, to the manager after 30, and once more",
    )

    def policy_of(self, key: str) -> EscalationPolicy | None:
        """What happens while nobody takes a case of a team; None: nothing beside the promise."""
        team = self.teams.get(key)
        rule = (team.escalation if team else None) or self.escalation
        policy = rule.policy if rule else DEFAULT
        return policy if policy.steps else None

    @property
    def escalations(self) -> Mapping[Location, tuple[str, EscalationRule]]:
        """All escalation policies by where they stand, each with its team; "" is the house."""
        rules: dict[Location, tuple[str, EscalationRule | None]] = {
            ("teams", key, "escalation"): (key, team.escalation) for key, team in self.teams.items()
        }
        rules["escalation",] = ("", self.escalation)
        return {where: (team, rule) for where, (team, rule) in rules.items() if rule is not None}

    def route_of(
        self, case: Snapshot, past: Collection[timedelta] = (), themes: Collection[str] = ()
    ) -> Route:
        """The first route that fits; else the shared rota with the owner first.

        Args:
            case: what it is about.
            past: how long before it the customer's earlier cases were opened.
            themes: what its voices speak about.
        """
        fitting = (route for route in self.routes if route.when.fits(case, themes))
        return next((one for one in fitting if one.repeated is None or one.repeated.fits(past)), Route())

    @property
    def looks_back(self) -> timedelta:
        """How far back earlier cases matter to a route; nothing where they matter to none."""
        return timedelta(days=max((one.repeated.days for one in self.routes if one.repeated), default=0))


NO_ROSTER = Roster()
"""Nobody but the rota that everybody shares."""


def read_roster(text: str, themes: Collection[str] | None = None) -> Checked[Roster]:
    """The file's content, or what is wrong with it.

    Args:
        text: the file.
        themes: keys of the dictionary; None: nobody knows them here, so they are not looked at.
    """
    checked = check(text, Roster, begins="teams:", described="docs/rota.md")
    if checked.value is None:
        return checked
    found = (
        *_crossed(checked, checked.value),
        *_escalating(checked, checked.value),
        *_unknown_themes(checked, checked.value, themes),
    )
    return Checked(None if found else checked.value, checked.document, found)


def _crossed(checked: Checked[Roster], roster: Roster) -> Iterator[Complaint]:
    """What is wrong between the parts."""
    known = ", ".join(roster.teams) or "none"
    for place, route in enumerate(roster.routes):
        if route.team is not None and route.team not in roster.teams:
            yield checked.complain(
                ("routes", place, "team"), f"there is no team {route.team!r}", f"There are: {known}."
            )
        earlier = enumerate(roster.routes[:place])
        before = next((n for n, r in earlier if r.when == Match() and not r.repeated), None)
        if before is not None:
            yield checked.complain(
                ("routes", place),
                f"no case comes here: routes[{before}] takes every case",
                "Move it above, or take it out.",
            )
    for key, team in roster.teams.items():
        where = ("teams", key, "fall_back")
        if team.fall_back is not None and team.fall_back not in roster.teams:
            yield checked.complain(where, f"there is no team {team.fall_back!r}", f"There are: {known}.")
        elif key in fall_backs(roster, key):
            yield checked.complain(where, "the team falls back on itself", "Break the circle.")


def _escalating(checked: Checked[Roster], roster: Roster) -> Iterator[Complaint]:
    """What is wrong in escalation policies."""
    for where, (_, rule) in roster.escalations.items():
        for place, reason, what_to_do in wrong(rule):
            yield checked.complain((*where, *place), reason, what_to_do)


def _unknown_themes(
    checked: Checked[Roster], roster: Roster, themes: Collection[str] | None
) -> Iterator[Complaint]:
    """Themes that the dictionary does not have: nothing would ever be about them."""
    if themes is None:
        return
    for where, match in _matches(roster):
        for place, theme in enumerate(match.themes):
            if theme not in themes:
                known = f"There are: {', '.join(sorted(themes))}."
                yield checked.complain((*where, "themes", place), f"there is no theme {theme!r}", known)


def _matches(roster: Roster) -> Iterator[tuple[Location, Match]]:
    """Everything in the file that says which answers are meant, and where it stands."""
    for place, route in enumerate(roster.routes):
        yield ("routes", place, "when"), route.when
    for key, task in roster.tasks.items():
        yield ("tasks", key, "when"), task.when
    for key, playbook in roster.playbooks.items():
        for place, step in enumerate(playbook.steps):
            yield ("playbooks", key, "steps", place, "when"), step.when


def fall_backs(roster: Roster, key: str) -> tuple[str, ...]:
    """The teams that are asked after this one, in their order, each once."""
    found: list[str] = []
    team = roster.teams.get(key)
    while team is not None and team.fall_back and team.fall_back not in found:
        found.append(team.fall_back)
        team = roster.teams.get(team.fall_back)
    return tuple(found)


def minutes(text: str) -> int:
    """A local time as minutes after midnight."""
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _numbers(days: tuple[Day, ...]) -> tuple[int, ...]:
    return tuple(sorted({DAYS.index(day) for day in days}))
