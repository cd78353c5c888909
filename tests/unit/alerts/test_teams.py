"""`alerts.yaml`: teams, routes, and complaints that name the place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerts.app import known_rooms
from services.alerts.domain import routing
from services.alerts.domain.escalation import DEFAULT, EscalationPolicy, EscalationStep
from services.alerts.domain.layers import Override
from services.alerts.domain.model import Audience, Occasion, Owner, Tell
from services.alerts.domain.outlook import gaps, outlook
from services.alerts.domain.priority import Priority
from services.alerts.domain.rooms import Rooms
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff
from services.alerts.domain.teams import Roster, read_roster
from services.alerts.domain.ticket import open_
from services.alerts.handlers.responses import placed
from services.alerts.settings import Settings
from shared.contracts.model import Tier
from shared.runtime.ids import derive
from tests.support.alerts import T0, answer, snapshot

EXAMPLE = Path(__file__).parents[3] / "docs" / "alerts.example.yaml"
RITA, OLA, LI, SAM, KIM, MIA, ANN, JOE, EVA, PAT, CEO, ADA = (
    derive("user", name)
    for name in ("rita", "ola", "li", "sam", "kim", "mia", "ann", "joe", "eva", "pat", "ceo", "ada")
)


def example() -> Roster:
    roster = read_roster(EXAMPLE.read_text(encoding="utf-8")).value
    assert roster is not None
    return roster


def staff(roster: Roster | None = None, *, gone: tuple[str, ...] = (), rota: Rota | None = None) -> Staff:
    """Everybody of the example; `gone` are not here any more."""
    ranks = {
        "mia": Rank.MANAGER,
        "ann": Rank.MANAGER,
        "pat": Rank.MANAGER,
        "ceo": Rank.VIEWER,
        "ada": Rank.ADMIN,
    }
    names = ("rita", "ola", "li", "sam", "kim", "mia", "ann", "joe", "eva", "pat", "ceo", "ada")
    members = tuple(
        Member(derive("user", name), f"{name}@example.com", name, ranks.get(name, Rank.REP))
        for name in names
        if name not in gone
    )
    return Staff(members, rota or Rota(), roster=example() if roster is None else roster)


def test_the_example_of_the_docs_is_sound() -> None:
    checked = read_roster(EXAMPLE.read_text(encoding="utf-8"))
    assert checked.complaints == ()


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("case", "team", "owner_first"),
    [
        pytest.param({"region": "emea", "tier": Tier.SMALL}, "emea", True, id="by region"),
        pytest.param({"region": "americas", "locale": "es-MX"}, "americas", True, id="language and region"),
        pytest.param(
            {"region": "americas", "locale": "sv"}, "", True, id="another language: the shared rota"
        ),
        pytest.param({"programme": "usability", "context": {"area": "export"}}, "product", False, id="theme"),
        pytest.param({"programme": "usability", "context": {"area": "price"}}, "", True, id="another theme"),
        pytest.param({"region": "apac"}, "", True, id="no route"),
    ],
)
def test_a_case_goes_to_the_team_of_the_first_route_that_fits(
    case: dict[str, Any],
    team: str,
    owner_first: bool,
) -> None:
    found, route = routing.place(snapshot(**case), staff())
    assert (found.key, route.owner_first) == (team, owner_first)


@pytest.mark.requirement("R80")
def test_the_owner_goes_first_unless_the_route_says_the_team() -> None:
    people = staff()
    emea, product = people.team("emea"), people.team("product")
    monday = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert routing.owner("joe@example.com", people, monday, emea).user_id == JOE
    found = routing.owner("joe@example.com", people, monday, product, owner_first=False)
    assert found == Owner(PAT, "is on call for Product; cases like this go to the team first")


@pytest.mark.requirement("R72")
def test_the_weekend_layer_stands_above_the_weeks() -> None:
    emea = staff().team("emea")
    friday, saturday = datetime(2026, 3, 6, 12, tzinfo=UTC), datetime(2026, 3, 7, 12, tzinfo=UTC)
    on = [routing.owner("", staff(), at, emea).user_id for at in (friday, saturday)]
    assert on[0] in {RITA, OLA, LI}
    assert on[1] in {SAM, KIM}


def test_the_fall_back_is_asked_when_nobody_is_on_call_and_then_the_shared_rota() -> None:
    away = ("rita", "ola", "li", "sam", "kim")
    people = staff(gone=away)
    found = routing.owner("", people, T0, people.team("emea"))
    assert found.user_id in {JOE, EVA}
    assert found.reason.startswith("is on call for Customer success Americas, as nobody is for Customer")
    shared = staff(gone=(*away, "joe", "eva"), rota=Rota((ADA,)))
    assert routing.owner("", shared, T0, shared.team("emea")).user_id == ADA
    nobody = staff(gone=(*away, "joe", "eva"))
    assert routing.owner("", nobody, T0, nobody.team("emea")) == Owner(
        None,
        "nobody is on call for Customer success EMEA and the account has no owner: all managers are asked",
    )


def test_whoever_has_left_moves_nobody_elses_turn() -> None:
    week_of_li = datetime(2026, 1, 20, 12, tzinfo=UTC)
    full, short = staff(), staff(gone=("ola",))
    assert [routing.owner("", s, week_of_li, s.team("emea")).user_id for s in (full, short)] == [LI, LI]
    assert short.team("emea").strangers == ("ola@example.com",)


@pytest.mark.requirement("R72", "R82")
def test_a_team_tells_its_own_manager_and_leadership() -> None:
    people = staff()
    ticket = open_(
        placed(answer(snapshot=snapshot(region="emea")), people), derive("t"), Owner(RITA, "")
    ).ticket
    assert ticket.team == "emea"
    told = {
        audience: {
            r.to
            for r in routing.recipients(Tell(Occasion.LATE, "s", frozenset({audience})), ticket, people, ())
        }
        for audience in (Audience.MANAGERS, Audience.LEADERSHIP)
    }
    assert told == {Audience.MANAGERS: {str(MIA)}, Audience.LEADERSHIP: {str(CEO)}}


@pytest.mark.requirement("R80")
def test_a_route_may_tell_the_manager_of_the_opening_too() -> None:
    people = staff()
    key = placed(answer(snapshot=snapshot(region="emea", tier=Tier.KEY)), people)
    (tell,) = open_(key, derive("t"), Owner(RITA, "")).tells
    assert Audience.MANAGERS in tell.audiences


def test_a_promise_counts_in_the_hours_of_its_team() -> None:
    people = staff()
    inside = placed(answer(snapshot=snapshot(region="emea")), people)
    outside = placed(answer(snapshot=snapshot(region="americas", locale="en")), people)
    assert inside.calendar is not None
    assert inside.calendar.zone == "Europe/Stockholm"
    assert outside.calendar is None


def test_overrides_hold_for_their_own_team() -> None:
    override = Override(derive("o"), EVA, T0, T0.replace(hour=18), team="americas")
    people = staff(rota=Rota((ADA,), date(2026, 3, 2), overrides=(override,)))
    assert routing.owner("", people, T0, people.team("americas")).user_id == EVA
    assert routing.owner("", people, T0).user_id == ADA


def test_a_gap_is_one_only_where_the_fall_back_has_nobody_either() -> None:
    away = ("rita", "ola", "li")
    people = staff(gone=away)
    assert gaps(people.team("emea"), people, T0, T0.replace(day=10)) == ()
    alone = staff(gone=(*away, "joe", "eva"))
    found = gaps(alone.team("emea"), alone, T0, T0.replace(day=10))
    assert [(gap.starts_at.day, gap.ends_at.day) for gap in found] == [(3, 6), (8, 10)]
    assert {gap.why for gap in found} == {"weeks: nobody of it is active any more"}


def test_the_shared_rota_has_no_gaps_while_nobody_uses_it() -> None:
    people = staff()
    assert gaps(people.team(), people, T0, T0.replace(day=20)) == ()


def test_looking_ahead_shows_the_running_shift_whole_and_whose_is_next() -> None:
    ahead = outlook(staff().team("americas"), staff(), T0, weeks=4)
    assert ahead.now is not None
    assert ahead.now.starts_at < T0
    assert ahead.shifts[0] == ahead.now
    assert ahead.following is not None
    assert {ahead.now.user_id, ahead.following.user_id} == {JOE, EVA}
    assert ahead.gaps == ()


@pytest.mark.parametrize(
    ("text", "line", "path", "reason"),
    [
        ("teams: {a: {name: A, zone: Mars}}", 1, "teams.a.zone", "no time zone"),
        ("teams:\n  a:\n    nam: A\n", 3, "teams.a.nam", "not known"),
        ("teams:\n  a:\n    name: A\n    manager: mia\n", 4, "teams.a.manager", "not the e-mail address"),
        ("teams:\n  a:\n    name: A\n    fall_back: b\n", 4, "teams.a.fall_back", "no team 'b'"),
        (
            "teams: {a: {name: A, fall_back: b}, b: {name: B, fall_back: a}}",
            1,
            "teams.a.fall_back",
            "on itself",
        ),
        ("routes:\n  - team: x\n", 2, "routes[0].team", "no team 'x'"),
        ("routes:\n  - {}\n  - {}\n", 3, "routes[1]", "routes[0] takes every case"),
        ("routes:\n  - when: {tier: [huge]}\n", 2, "routes[0].when.tier[0]", "small"),
        (
            (
                "teams:\n  a:\n    name: A\n    rota:\n      - people: [a@x.test]\n        first: 2026-01-05"
                '\n        at: "9"\n'
            ),
            7,
            "teams.a.rota[0].at",
            "no time of day",
        ),
        (
            "teams: {a: {name: A, working_hours: {from: '17:00', to: '09:00'}}}",
            1,
            "teams.a.working_hours",
            "end after",
        ),
        ("teams: {a: {name: A, working_hours: {holidays: XX}}}", 1, "teams.a.working_hours", "no country"),
        (
            "escalation:\n  steps:\n    - {after: 15m, tell: [nxt_on_call]}\n",
            3,
            "escalation.steps[0].tell[0]",
            "did you mean next_on_call?",
        ),
        (
            "escalation:\n  steps:\n    - {after: 15, tell: [owner]}\n",
            3,
            "escalation.steps[0].after",
            "15 is no span; write a number and m, h or d, like 15m, 2h or 1d",
        ),
        ("escalation: {steps: [{after: 0m, tell: [owner]}]}", 1, "escalation.steps[0].after", "1m at least"),
        ("escalation: {steps: [{after: 5m, tell: []}]}", 1, "escalation.steps[0].tell", "is empty"),
        (
            (
                "teams:\n  a:\n    name: A\n    escalation:\n      steps:\n"
                "        - {after: 1h, tell: [owner]}\n        - {after: 30m, tell: [manager]}\n"
            ),
            7,
            "teams.a.escalation.steps[1].after",
            "30m is not later than 1h of the step before",
        ),
        (
            "escalation: {steps: [{after: 5m, tell: [owner, owner]}]}",
            1,
            "escalation.steps[0].tell[1]",
            "owner stands here twice",
        ),
        ("escalation: {steps: [], repeat: 1}", 1, "escalation.repeat", "no steps to repeat"),
        (
            "escalation: {steps: [{after: 5m, tell: [owner]}], repeat: 11}",
            1,
            "escalation.repeat",
            "11 is more than 10",
        ),
        (
            "escalation: {steps: [{after: 5m, tell: [owner]}], fall_back: [slack]}",
            1,
            "escalation.fall_back[0]",
            "fall back on people",
        ),
        ("escalation: {steps: [], priority: low}", 1, "escalation.priority", "'urgent'"),
        (
            "teams:\n  a:\n    name: A\n    Manager: m@x.test\n",
            4,
            "teams.a.Manager",
            "'Manager' is not known",
        ),
        ("Teams: {}", 1, "Teams", "'Teams' is not known"),
        ("teams: {a: {name: [A]}}", 1, "teams.a.name", "a list is not a text"),
        ("routes: {team: x}", 1, "routes", "a mapping of keys is not a list"),
        (
            "teams:\n  a:\n    name: A\n    rota:\n      - {people: [a@x.test], first: soon}\n",
            5,
            "teams.a.rota[0].first",
            "'soon' is not a day, as 2026-01-31",
        ),
        (
            "routes:\n  - when: {themes: [Billing!]}\n",
            2,
            "routes[0].when.themes[0]",
            "'Billing!' is not written",
        ),
        ("teams: [", 1, "", ""),
        ("", 1, "", "empty"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, line: int, path: str, reason: str) -> None:
    checked = read_roster(text)
    assert checked.value is None
    (found,) = [one for one in checked.complaints if one.path == path][:1]
    assert found.line == line or path in {"", "teams.a.zone"}
    assert reason in found.reason
    assert found.what_to_do


def test_the_file_is_asked_for_beside_the_programmes() -> None:
    assert Settings.model_fields["roster_file"].default == Path("alerts.yaml")


POLICIES = """
teams:
  emea:
    name: EMEA
    escalation:
      steps:
        - {after: 10m, tell: [next_on_call, slack]}
        - {after: 2h, tell: [manager, Ceo@Example.com, gone@example.com]}
      repeat: 2
      fall_back: [leadership]
      priority: high
      hours: all
  apac: {name: APAC, escalation: {steps: []}}
  americas: {name: Americas}
"""


@pytest.mark.requirement("R72")
def test_a_team_has_its_own_escalation_policy_else_that_of_the_house_else_the_usual_one() -> None:
    roster = read_roster(POLICIES).value
    assert roster is not None
    assert roster.policy_of("emea") == EscalationPolicy(
        (
            EscalationStep(timedelta(minutes=10), ("next_on_call", "slack")),
            EscalationStep(timedelta(hours=2), ("manager", "ceo@example.com", "gone@example.com")),
        ),
        repeat=2,
        fall_back=("leadership",),
        least=Priority.HIGH,
        all_hours=True,
    )
    assert roster.policy_of("apac") is None
    assert roster.policy_of("americas") == roster.policy_of("") == DEFAULT
    house = read_roster(POLICIES + "escalation: {steps: [{after: 1d, tell: [room]}]}").value
    assert house is not None
    assert house.policy_of("americas") == EscalationPolicy((EscalationStep(timedelta(days=1), ("room",)),))


@pytest.mark.requirement("R72")
def test_a_case_takes_the_policy_of_its_team_with_it() -> None:
    roster = read_roster(POLICIES + "routes: [{when: {region: [emea]}, team: emea}]").value
    assert roster is not None
    everybody = staff(roster)
    placed_in = placed(answer(snapshot=snapshot(region="emea")), everybody)
    assert placed_in.policy == roster.policy_of("emea")
    assert everybody.team("emea").unknown == ("gone@example.com",)
    assert everybody.team("americas").unknown == ()


@pytest.mark.requirement("R72")
def test_a_room_that_is_not_set_up_keeps_the_service_from_starting() -> None:
    roster = read_roster(POLICIES).value
    assert roster is not None
    with pytest.raises(
        ValueError, match=r"teams\.emea\.escalation\.steps\[0\]\.tell\[1\]: there is no slack room"
    ):
        known_rooms(Rooms(("teams",)), roster)
    known_rooms(Rooms(own={"emea": ("slack:emea",)}), roster)
    known_rooms(Rooms(("slack",)), roster)
