"""The monthly report: when it is due, who gets what, and what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.alerts.domain.care import Care, Times
from services.alerts.domain.monthly import LATEST, Report, Row, Scope, Waiting, due_month, letter, readers
from services.alerts.domain.outcomes import Outcomes
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff
from services.alerts.domain.teams import read_roster
from shared.runtime.ids import derive

pytestmark = pytest.mark.requirement("R82", "R83")
NOW = datetime(2026, 4, 1, 8, tzinfo=UTC)
TIMES = Times(40, 1, timedelta(hours=2, minutes=10), timedelta(hours=20))
FILE = """
teams:
  nordic: {name: Nordic, manager: mia@x.test, leadership: [vd@x.test]}
  alps: {name: Alps, manager: mia@x.test}
  rest: {name: Rest}
"""


def care(cases: int, late: int = 0, times: Times = TIMES) -> Care:
    return Care(cases, times, times, times, late, 0, 0)


def report(**more: Any) -> Report:
    values: dict[str, Any] = {
        "of": "", "month": date(2026, 3, 1), "now": NOW, "all": Row("All", "", care(41, 3), Outcomes(21, 13)),
        "before": Row("All", "", care(35, 5), Outcomes()), "rows": (), "open": 7, "late": 2, "to_meet": (),
        **more,
    }  # fmt: skip
    return Report(**values)


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 4, 1, 5, 59, tzinfo=UTC), None),
        (datetime(2026, 4, 1, 6, tzinfo=UTC), date(2026, 3, 1)),  # eight in Stockholm
        (datetime(2026, 4, 1, 6, tzinfo=UTC) + LATEST, None),
        (datetime(2026, 1, 3, 12, tzinfo=UTC), date(2025, 12, 1)),
        (datetime(2026, 4, 20, tzinfo=UTC), None),
    ],
)
def test_it_is_due_on_the_first_on_the_readers_clock_and_not_when_it_is_old(
    now: datetime, month: date | None
) -> None:
    assert due_month(now, ZoneInfo("Europe/Stockholm")) == month


def test_leadership_hears_of_the_house_and_those_a_team_names_of_their_teams() -> None:
    ranks = {"ceo": Rank.REP, "mia": Rank.MANAGER, "vd": Rank.VIEWER, "ada": Rank.ADMIN}
    members = tuple(
        Member(derive("user", name), f"{name}@x.test", name.title(), rank) for name, rank in ranks.items()
    )
    roster = read_roster(FILE).value
    assert roster is not None
    found = readers(Staff(members, Rota(), ("ceo@x.test",), roster))
    assert found == {
        derive("user", "ceo"): Scope(house=True, teams=()),
        derive("user", "mia"): Scope(house=False, teams=("nordic", "alps")),
        derive("user", "vd"): Scope(house=False, teams=("nordic",)),
    }
    admins = readers(Staff(members, Rota(), (), roster))
    assert admins[derive("user", "ada")] == Scope(house=True, teams=()), "nobody is named: the admins"


def test_it_says_how_it_went_who_is_responsible_and_whom_to_meet() -> None:
    text = letter(
        [
            report(
                rows=[
                    Row("Nordic", "Mia Sol", care(12, 1), Outcomes(6, 4)),
                    Row("The shared rota", "", care(29, 2), Outcomes(15, 9)),
                ],
                to_meet=[
                    Waiting("Acme", "key", NOW - timedelta(days=12), "Rita Ek", "https://a.test/tickets/1")
                ],
            )
        ],
        "https://a.test",
    )
    assert text.subject == "March 2026: 41 cases of unhappy customers, 3 late"
    assert text.headline == (
        "March had 41 cases; in 3 of them nobody called in time. In the month before: 35 cases, 5 late."
    )
    assert dict(text.facts) == {
        "Called within": "half within 2 h 10 min, nine in ten within 20 h",
        "Mended": "13 of 21 customers confirmed",
        "Open now": "7 cases, 2 late",
        "Nordic": "12 cases, 1 late, half called within 2 h 10 min, 4 of 6 mended, responsible: Mia Sol",
        "The shared rota": "29 cases, 2 late, half called within 2 h 10 min, 9 of 15 mended",
        "To meet": "Acme, key account, open for 12 d, Rita Ek: https://a.test/tickets/1",
    }
    assert text.link == "https://a.test/inbox/report?from=2026-03-01&to=2026-03-31"
    assert text.calm


def test_a_quiet_month_and_one_in_which_too_many_wait_are_said_in_words() -> None:
    quiet = letter([report(all=Row("All", "", care(0, times=Times()), Outcomes()))], "https://a.test")
    assert quiet.headline == "No case was opened in March; 35 in the month before."
    assert dict(quiet.facts)["Called within"] == "nobody had to be called"
    slow = letter([report(all=Row("All", "", care(3, 3, Times(1, 2)), Outcomes()))], "https://a.test")
    assert dict(slow.facts)["Called within"] == "too many still wait to say it"
    good = letter([report(all=Row("All", "", care(1), Outcomes()))], "https://a.test")
    assert good.headline.startswith("March had 1 case; in none of them anybody waited longer than promised.")


def test_several_teams_are_told_in_one_mail() -> None:
    text = letter([report(of="Nordic"), report(of="Alps")], "https://a.test")
    assert text.subject == "March 2026: 82 cases of unhappy customers, 6 late (Nordic, Alps)"
    assert "March had 41 cases of Alps" in text.headline
    assert {"Mended, Nordic", "Mended, Alps"} <= {label for label, _ in text.facts}
